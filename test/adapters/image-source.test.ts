import { connect as connectTcp, type LookupFunction } from 'node:net';
import type { LookupAddress } from 'node:dns';
import type { buildConnector } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publicImages } from '../../src/adapters/image-source.ts';
import type { ImageSource } from '../../src/index.ts';
import { isPublicAddress } from '../../src/wire/images/public-address.ts';
import { BEGINNINGS, PNG } from '../support/images.ts';
import { rejection } from '../support/rejection.ts';
import { type Handler, hangs, serve, type TestServer, until } from '../support/server.ts';

const HERE: LookupAddress = { address: '127.0.0.1', family: 4 };
const ELSEWHERE: LookupAddress = { address: '10.0.0.1', family: 4 };
const NEVER = new AbortController().signal;

/** Opens connections without TLS, by the lookup that is tested. Counts them. */
function plainConnections(): { readonly connectWith: (lookup: LookupFunction) => buildConnector.connector } {
  return {
    connectWith: (lookup) => (target, done) => {
      const { hostname } = target;
      const socket = connectTcp({
        host: hostname.replaceAll(/[[\]]/g, ''),
        port: Number(target.port),
        lookup,
      });
      socket.once('connect', () => done(null, socket));
      socket.once('error', (error) => done(error, null));
      return socket;
    },
  };
}

interface Setup {
  /** The addresses of each host. Default: this machine. */
  readonly hosts?: Readonly<Record<string, readonly LookupAddress[]>>;
  /** Whether this machine counts as public, so that it can serve. Default true. */
  readonly isHereAllowed?: boolean;
}

/** A source for which this machine is a public host. */
function source({ hosts = {}, isHereAllowed = true }: Setup = {}): ImageSource {
  const images = publicImages({
    ...plainConnections(),
    resolve: (host) => Promise.resolve(hosts[host] ?? [HERE]),
    isAllowed: (address) => (isHereAllowed && address === HERE.address) || isPublicAddress(address),
  });
  onTestFinished(() => images.close());
  return images;
}

function at({ port }: TestServer, path = '/a.png', host = 'images.example'): string {
  return `https://${host}:${port}${path}`;
}

/** Serves bytes under any path. */
function gives(bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_request, response) => response.writeHead(200, headers).end(bytes);
}

async function problem(images: ImageSource, ...urls: string[]): Promise<string> {
  const error = await rejection(images.fetch(urls, NEVER));
  return error instanceof Error ? error.message : String(error);
}

describe('an image by URL', () => {
  it.each(Object.entries(BEGINNINGS))(
    'of the type %s is read, whatever its headers say',
    async (_, bytes) => {
      const server = await serve(gives(bytes, { 'content-type': 'text/html' }));
      expect(await source().fetch([at(server)], NEVER)).toEqual([bytes]);
    },
  );

  it('is asked for without a key, a cookie or a compression', async () => {
    const server = await serve(gives(PNG));
    await source().fetch([at(server)], NEVER);
    const [seen] = server.requests;
    expect(Object.keys(seen?.headers ?? {}).toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  it('may come by redirects, relative ones too', async () => {
    const server = await serve(({ url }, response) => {
      if (url === '/a.png') response.writeHead(302, { location: '/b' }).end('moved');
      else if (url === '/b') response.writeHead(301, { location: at(server, '/c', 'other.example') }).end();
      else response.end(PNG);
    });
    expect(await source().fetch([at(server)], NEVER)).toEqual([PNG]);
    expect(server.requests.map(({ url }) => url)).toEqual(['/a.png', '/b', '/c']);
  });

  it('keeps its place among others', async () => {
    const server = await serve(({ url }, response) =>
      response.end(BEGINNINGS[`image/${url.slice(1)}`] ?? PNG),
    );
    const kinds = ['gif', 'png', 'webp', 'jpeg'];
    const read = await source().fetch(
      kinds.map((kind) => at(server, `/${kind}`)),
      NEVER,
    );
    expect(read).toEqual(kinds.map((kind) => BEGINNINGS[`image/${kind}`]));
  });

  it.each<[string, Handler, RegExp]>([
    ['a page', gives(new TextEncoder().encode('<html>Log in first</html>')), /no PNG, JPEG, GIF or WebP/],
    [
      'a page that says it is an image',
      gives(new TextEncoder().encode('<html></html>'), { 'content-type': 'image/png' }),
      /no PNG/,
    ],
    ['nothing', gives(new Uint8Array()), /no PNG/],
    ['the first bytes of an image', gives(PNG.slice(0, 4)), /no PNG/],
    ['not found', (_request, response) => response.writeHead(404).end(), /HTTP 404/],
    [
      'an endless redirect',
      (_request, response) => response.writeHead(302, { location: '/a' }).end(),
      /redirects more than 3/,
    ],
    [
      'a redirect to http',
      (_request, response) => response.writeHead(302, { location: 'http://images.example/' }).end(),
      /by https only/,
    ],
    [
      'a redirect to a private address',
      (_request, response) => response.writeHead(302, { location: 'https://192.168.0.1/' }).end(),
      /not a public address/,
    ],
    [
      'a redirect to a host with a private address',
      (_request, response) => response.writeHead(302, { location: 'https://inside.example/' }).end(),
      /not a public address/,
    ],
    ['a length that is too large', gives(PNG, { 'content-length': '10485761' }), /larger than 10 MiB/],
    ['a closed connection', (_request, response) => response.destroy(), /cannot be reached/],
  ])('is refused if its server gives %s', async (_, handler, expected) => {
    const server = await serve(handler);
    const message = await problem(
      source({ hosts: { 'inside.example': [ELSEWHERE] } }),
      at(server, '/a?token=secret'),
    );
    expect(message).toMatch(expected);
    expect(message).toContain(`the image at https://images.example:${server.port} `);
    expect(message).not.toContain('secret');
  });

  it('is not read further than it may be', async () => {
    let sent = 0;
    const server = await serve((_request, response) => {
      response.writeHead(200);
      response.write(PNG);
      const more = (): void => {
        while (!response.destroyed && sent < 200) {
          sent += 1;
          if (!response.write(new Uint8Array(1_000_000))) return void response.once('drain', more);
        }
        if (!response.destroyed) response.end();
      };
      more();
    });
    expect(await problem(source(), at(server))).toMatch(/larger than 10 MiB/);
    expect(sent).toBeLessThan(100);
  });

  it('shares its bound with the other images of the request', async () => {
    const bytes = new Uint8Array(8_000_000);
    bytes.set(PNG);
    const server = await serve(gives(bytes));
    expect(await problem(source(), at(server, '/1'), at(server, '/2'))).toMatch(/14000000 bytes together/);
  });

  it('is given up when the signal aborts, although the body trickles', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200);
      response.write(PNG);
    });
    const stop = new AbortController();
    const error = rejection(source().fetch([at(server)], stop.signal));
    await until(() => server.requests.length === 1);
    stop.abort(new Error('enough'));
    expect(String(await error)).toContain('enough');
    await until(() => server.open === 0);
  });

  it('leaves no connection behind, and closes those of the others when one fails', async () => {
    const server = await serve((seen, response) => {
      if (seen.url === '/hangs') hangs(seen, response);
      else response.writeHead(500).end();
    });
    expect(await problem(source(), at(server, '/hangs'), at(server, '/fails'))).toMatch(/HTTP 500/);
    await until(() => server.open === 0);
  });

  it('is given up when the source is closed', async () => {
    const server = await serve(hangs);
    const images = source();
    const error = rejection(images.fetch([at(server)], NEVER));
    await until(() => server.requests.length === 1);
    images.close();
    expect(await error).toMatchObject({ name: 'AbortError' });
    await until(() => server.open === 0);
  });

  it('is one of at most 16', async () => {
    const urls = Array.from({ length: 17 }, (_, index) => `https://images.example/${index}`);
    expect(await problem(source(), ...urls)).toMatch(/more than 16/);
  });
});

describe('an address that is not public', () => {
  it.each<[string, readonly LookupAddress[]]>([
    ['a private address', [ELSEWHERE]],
    ['this machine', [HERE]],
    ['a public and a private address', [{ address: '8.8.8.8', family: 4 }, ELSEWHERE]],
    ['a private and a public address', [ELSEWHERE, { address: '8.8.8.8', family: 4 }]],
    ['this machine in IPv6', [{ address: '::1', family: 6 }]],
    ['this machine, mapped', [{ address: '::ffff:127.0.0.1', family: 6 }]],
    ['no address', []],
  ])('is not connected to: a host with %s', async (_, addresses) => {
    const server = await serve(gives(PNG));
    const images = source({ hosts: { 'images.example': addresses }, isHereAllowed: false });
    expect(await problem(images, at(server))).toMatch(/not a public address/);
    expect(server.connections).toBe(0);
  });

  it.each(['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]'])(
    'is not connected to: %s in the URL',
    async (host) => {
      const server = await serve(gives(PNG));
      expect(await problem(source({ isHereAllowed: false }), at(server, '/', host))).toMatch(/not a public/);
      expect(server.connections).toBe(0);
    },
  );

  it('gets no request if the connection leads there although the lookup did not', async () => {
    const server = await serve(gives(PNG));
    const images = publicImages({
      // Whatever the lookup says, the connection goes to this machine.
      connectWith: () => plainConnections().connectWith((_host, _options, done) => done(null, [HERE])),
      resolve: () => Promise.resolve([{ address: '8.8.8.8', family: 4 }]),
    });
    expect(await problem(images, at(server))).toMatch(/not a public address/);
    expect(server.requests).toEqual([]);
  });

  it('is refused without a connector of a test, too', async () => {
    const images = publicImages({ resolve: () => Promise.resolve([HERE]) });
    expect(await problem(images, 'https://images.example/a.png')).toMatch(/not a public address/);
  });

  it('is found out by the lookup of each connection, and by one lookup only', async () => {
    const asked: string[] = [];
    const server = await serve(gives(PNG));
    const images = publicImages({
      ...plainConnections(),
      // A second lookup would lead elsewhere.
      resolve: (host) => Promise.resolve(asked.push(host) === 1 ? [HERE] : [ELSEWHERE]),
      isAllowed: (address) => address === HERE.address,
    });
    expect(await images.fetch([at(server)], NEVER)).toEqual([PNG]);
    expect(asked).toEqual(['images.example']);
  });
});
