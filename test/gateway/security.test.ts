import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type GatewayOptions, startGateway } from '../../src/gateway/index.ts';
import { ConfigError } from '../../src/index.ts';
import { open, endpoint } from '../client/support.ts';
import { says, serve } from '../support/server.ts';
import { ask, chat, CHAT, gatewayOver, type Received, type Sent } from './support.ts';

const TOKEN = 'a-token';

/** The response to a request, and how many requests reached the provider. */
async function asked(
  said: Sent,
  options: GatewayOptions = {},
): Promise<Received & { readonly cost: number }> {
  const server = await serve(says('Hi'));
  const gateway = await gatewayOver(open({ providers: [endpoint(server)] }), options);
  const received = await ask(gateway, said);
  return { ...received, cost: server.requests.length };
}

type Row = readonly [
  what: string,
  said: Sent,
  status: number,
  code?: string | undefined,
  options?: GatewayOptions,
];

const POST = { path: CHAT, body: chat() };
const at = (host: string, origin?: string): Sent => ({
  ...POST,
  headers: { host, ...(origin === undefined ? {} : { origin }) },
});
const typed = (type: string, more: Readonly<Record<string, string>> = {}): Sent => ({
  ...POST,
  headers: { 'content-type': type, ...more },
});
const bearing = (authorization: string): Sent => ({ ...POST, headers: { authorization } });

const HOSTS: readonly Row[] = [
  ['the address', at('127.0.0.1:4141'), 200],
  ['another address of this machine', at('127.8.0.1'), 200],
  ['the address of the sixth version', at('[::1]:4141'), 200],
  ['the name', at('localhost:4141'), 200],
  ['the name in capitals, with its dot', at('LOCALHOST.'), 200],
  ['a name below it', at('freelm.localhost:80'), 200],
  ['an address of the network', at('192.168.1.7:4141'), 200],
  ['a page that uses DNS rebinding', at('evil.example:4141'), 403, 'host_not_allowed'],
  ['a name that begins like ours', at('localhost.evil.example'), 403, 'host_not_allowed'],
  ['a name that begins like our address', at('127.0.0.1.evil.example'), 403, 'host_not_allowed'],
  ['a user of that name', at('localhost@evil.example'), 403, 'host_not_allowed'],
  ['a path behind it', at('evil.example/localhost'), 403, 'host_not_allowed'],
  [
    'any name, where it listens to a network',
    at('box.lan'),
    401,
    'invalid_api_key',
    { host: '0.0.0.0', token: TOKEN },
  ],
  [
    'a name that was allowed',
    at('llm.example'),
    401,
    'invalid_api_key',
    { allowedHosts: ['LLM.example'], token: TOKEN },
  ],
  [
    'a name with letters of its own that was allowed',
    at('xn--bcher-kva.example:4141'),
    401,
    'invalid_api_key',
    { allowedHosts: ['bücher.example.'], token: TOKEN },
  ],
];

const ORIGINS: readonly Row[] = [
  ['its own page', at('127.0.0.1:4141', 'http://127.0.0.1:4141'), 200],
  ['its own page behind a proxy', at('localhost', 'https://localhost'), 200],
  ['a page elsewhere', at('127.0.0.1:4141', 'https://evil.example'), 403, 'origin_not_allowed'],
  ['a page of another port', at('127.0.0.1:4141', 'http://127.0.0.1:3000'), 403, 'origin_not_allowed'],
  ['a page by another name', at('127.0.0.1:4141', 'http://localhost:4141'), 403, 'origin_not_allowed'],
  ['a page that hides where it is from', at('127.0.0.1:4141', 'null'), 403, 'origin_not_allowed'],
  ['a file', at('127.0.0.1:4141', 'file://'), 403, 'origin_not_allowed'],
  [
    'a page that was allowed',
    at('127.0.0.1', 'https://chat.example'),
    200,
    undefined,
    { allowedOrigins: ['https://chat.example'] },
  ],
  [
    'a desktop application that was allowed',
    at('127.0.0.1', 'app://obsidian.md'),
    200,
    undefined,
    { allowedOrigins: ['app://obsidian.md'] },
  ],
  [
    'an extension that was not allowed',
    at('127.0.0.1', 'chrome-extension://abcdefgh'),
    403,
    'origin_not_allowed',
    { allowedOrigins: ['chrome-extension://hgfedcba'] },
  ],
  [
    'a page whose name ends like an allowed one',
    at('127.0.0.1', 'https://evil.chat.example'),
    403,
    'origin_not_allowed',
    { allowedOrigins: ['https://chat.example'] },
  ],
];

const TYPES: readonly Row[] = [
  ['JSON', typed('application/json'), 200],
  ['JSON with its letters', typed('Application/JSON; charset=utf-8'), 200],
  ["a form's text", typed('text/plain'), 415, 'unsupported_media_type'],
  ["a form's fields", typed('application/x-www-form-urlencoded'), 415, 'unsupported_media_type'],
  [
    'a form with parts',
    typed('multipart/form-data; boundary=application/json'),
    415,
    'unsupported_media_type',
  ],
  ['nothing', typed(''), 415, 'unsupported_media_type'],
  [
    'JSON packed in an unknown way',
    typed('application/json', { 'content-encoding': 'zstd' }),
    415,
    'unsupported_encoding',
  ],
  [
    'JSON that is not packed as it says',
    typed('application/json', { 'content-encoding': 'gzip' }),
    400,
    'bad_encoding',
  ],
];

const TOKENS: readonly Row[] = [
  ['the token', bearing(`Bearer ${TOKEN}`), 200, undefined, { token: TOKEN }],
  ['the token, said differently', bearing(`bearer  ${TOKEN} `), 200, undefined, { token: TOKEN }],
  [
    'the token as another maker sends it',
    { ...POST, headers: { 'x-api-key': TOKEN } },
    200,
    undefined,
    { token: TOKEN },
  ],
  [
    'the token as a third one sends it',
    { ...POST, headers: { 'api-key': TOKEN } },
    200,
    undefined,
    { token: TOKEN },
  ],
  [
    'another key of that kind',
    { ...POST, headers: { 'x-api-key': 'a-taken' } },
    401,
    'invalid_api_key',
    { token: TOKEN },
  ],
  ['no header', POST, 401, 'invalid_api_key', { token: TOKEN }],
  ['another token', bearing('Bearer a-taken'), 401, 'invalid_api_key', { token: TOKEN }],
  ['the beginning of it', bearing('Bearer a-tok'), 401, 'invalid_api_key', { token: TOKEN }],
  ['more than it', bearing(`Bearer ${TOKEN}n`), 401, 'invalid_api_key', { token: TOKEN }],
  ['nothing after its name', bearing('Bearer '), 401, 'invalid_api_key', { token: TOKEN }],
  ['another scheme', bearing(`Basic ${TOKEN}`), 401, 'invalid_api_key', { token: TOKEN }],
  [
    'a token in the address',
    { ...POST, path: `${CHAT}?token=${TOKEN}` },
    401,
    'invalid_api_key',
    { token: TOKEN },
  ],
  ['any key where there is no token', bearing('Bearer any'), 200],
  ['nothing, for the list of models', { path: '/v1/models' }, 401, 'invalid_api_key', { token: TOKEN }],
  ['nothing, for the status', { path: '/status' }, 401, 'invalid_api_key', { token: TOKEN }],
  ['nothing, for a reset', { path: '/reset', body: '{}' }, 401, 'invalid_api_key', { token: TOKEN }],
  ['nothing, for what is not there', { path: '/x' }, 401, 'invalid_api_key', { token: TOKEN }],
  ['nothing, for the page, which holds no data', { path: '/' }, 200, undefined, { token: TOKEN }],
];

const TABLES: readonly (readonly [what: string, rows: readonly Row[]])[] = [
  ['a host', HOSTS],
  ['an origin', ORIGINS],
  ['a type', TYPES],
  ['a token', TOKENS],
];

describe.each(TABLES)('%s', (_of, rows) => {
  const cases = rows.map(([what, said, status, code, options]) => ({ what, said, status, code, options }));
  it.each(cases)('$what', async ({ said, status, code, options }) => {
    const received = await asked(said, options);
    expect([received.status, received.cost]).toEqual([
      status,
      status === 200 && said.body !== undefined ? 1 : 0,
    ]);
    if (code !== undefined) {
      const error = { code, type: 'invalid_request_error', param: null };
      expect(JSON.parse(received.text)).toMatchObject({ error });
    }
    expect(received.text).not.toContain(TOKEN);
  });
});

it('without the token, /health shows only whether a key is ready', async () => {
  const stranger = await asked({ path: '/health' }, { token: TOKEN });
  expect(JSON.parse(stranger.text)).toEqual({ ok: true });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const friend = await asked({ path: '/health', headers }, { token: TOKEN });
  expect(JSON.parse(friend.text)).toHaveProperty('keys');
});

const question = (origin: string): Sent => ({
  method: 'OPTIONS',
  path: CHAT,
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  },
});

describe('a preflight request', () => {
  const allowedOrigins = ['https://chat.example'];

  it('is refused for a foreign page', async () => {
    const { status, headers } = await asked(question('https://evil.example'), { allowedOrigins });
    expect([status, headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });

  it('is accepted for an allowed page without the token, which a preflight cannot carry', async () => {
    const { status, headers } = await asked(question('https://chat.example'), {
      allowedOrigins,
      token: TOKEN,
    });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://chat.example',
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': 'authorization,content-type',
      vary: 'origin',
    });
  });

  it('an allowed page may read responses and errors; no other page may', async () => {
    const headers = { origin: 'https://chat.example' };
    const answered = await asked({ ...POST, headers }, { allowedOrigins });
    const refused = await asked({ ...POST, headers }, { allowedOrigins, token: TOKEN });
    const own = await asked(at('127.0.0.1', 'http://127.0.0.1'), { allowedOrigins });
    expect(
      [answered, refused, own].map((received) => [
        received.status,
        received.headers['access-control-allow-origin'],
      ]),
    ).toEqual([
      [200, 'https://chat.example'],
      [401, 'https://chat.example'],
      [200, undefined],
    ]);
  });
});

/** A connection to an endpoint that accepts only short requests. */
async function bounded(): Promise<Socket> {
  const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
  const { port } = await gatewayOver(llm, { maxBodyBytes: 1000 });
  return connect(port, '127.0.0.1').setEncoding('utf8');
}

describe('a request that is too long', () => {
  const long = chat({ filler: 'x'.repeat(2000) });

  const head = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;

  it('is refused by its content-length', async () => {
    const { status, text: said, cost } = await asked({ path: CHAT, body: long }, { maxBodyBytes: 1000 });
    expect([status, cost]).toEqual([413, 0]);
    expect(JSON.parse(said)).toMatchObject({ error: { code: 'request_too_large' } });
  });

  it('without a content-length is refused as soon as it is too long', async () => {
    const socket = await bounded();
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n`);
    const chunk = 'x'.repeat(600);
    socket.write(`258\r\n${chunk}\r\n258\r\n${chunk}\r\n`);
    expect(await once(socket, 'data')).toEqual([expect.stringMatching(/^HTTP\/1\.1 413 /)]);
    socket.destroy();
  });

  it.each([
    ['by its length', 'content-length: 2000', '', 'x'.repeat(2000)],
    ['on the way', 'transfer-encoding: chunked', `7d0\r\n${'x'.repeat(2000)}\r\n`, '0\r\n\r\n'],
  ])('is drained after it was refused %s', async (_how, length, before, after) => {
    const socket = await bounded();
    socket.write(`${head}${length}\r\n\r\n${before}`);
    expect(await once(socket, 'data')).toEqual([expect.stringMatching(/^HTTP\/1\.1 413 /)]);
    socket.write(`${after}GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    expect(await once(socket, 'data')).toEqual([expect.stringMatching(/^HTTP\/1\.1 200 /)]);
    socket.destroy();
  });

  it('may have exactly the maximal length', async () => {
    const body = chat();
    expect((await asked({ path: CHAT, body }, { maxBodyBytes: Buffer.byteLength(body) })).status).toBe(200);
  });
});

it.each([
  ['no host', '', 400],
  ['an empty host', 'host:\r\n', 403],
  ['two hosts, of which the first counts', 'host: evil.example\r\nhost: localhost\r\n', 403],
])('%s', async (_what, lines, status) => {
  const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }));
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write(`GET / HTTP/1.1\r\n${lines}connection: close\r\n\r\n`);
  expect(await text(socket)).toContain(`HTTP/1.1 ${status} `);
});

it('invalid HTTP gets a 400', async () => {
  const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }));
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
});

describe('it does not start', () => {
  it.each<readonly [string, GatewayOptions, RegExp]>([
    ['for the network without a token', { host: '0.0.0.0' }, /token/],
    ['for the network of the sixth version without a token', { host: '::' }, /token/],
    ['everywhere without a token', { host: '' }, /token/],
    ['at a name that others may know, without a token', { host: 'my-machine' }, /token/],
    ['with an empty token', { host: '0.0.0.0', token: '' }, /token/],
    ['with a token that no header holds', { token: 'a b' }, /token/],
    ['for every origin', { allowedOrigins: ['*'] }, /allowedOrigins.*Wildcards/],
    ['for all origins below a name', { allowedOrigins: ['https://*.example'] }, /allowedOrigins/],
    ['for an origin with a path', { allowedOrigins: ['https://chat.example/'] }, /allowedOrigins/],
    ['for all pages that hide where they are from', { allowedOrigins: ['null'] }, /allowedOrigins/],
    ['for all files', { allowedOrigins: ['file://'] }, /allowedOrigins/],
    ["for an application's page", { allowedOrigins: ['app://obsidian.md/index.html'] }, /allowedOrigins/],
    [
      'by a name that others may know, without a token',
      { allowedHosts: ['llm.example'] },
      /llm\.example.*token/,
    ],
    ['by a name with a port', { allowedHosts: ['llm.example:8080'] }, /allowedHosts/],
    ['by an address of a page', { allowedHosts: ['https://llm.example'] }, /allowedHosts/],
    ['by every name', { allowedHosts: ['*.example'] }, /allowedHosts/],
    ['by no name', { allowedHosts: [''] }, /allowedHosts/],
    ['on an invalid port', { port: 70_000 }, /port/],
    ['with an invalid limit', { maxBodyBytes: -1 }, /maxBodyBytes/],
    [
      'with less memory than one body',
      { maxBodyBytes: 100, maxMemoryBytes: 99 },
      /maxMemoryBytes.* from 100 /,
    ],
    ['without connections', { maxConnections: 0 }, /maxConnections/],
    ['without requests', { maxClientRequests: 0 }, /maxClientRequests/],
    ['without time for headers', { headersTimeoutMs: 0 }, /headersTimeoutMs/],
    ['with more time than timers have', { idleTimeoutMs: 2 ** 31 }, /idleTimeoutMs/],
    ['with a time that is no number', { requestTimeoutMs: Number.NaN }, /requestTimeoutMs/],
    ['with an invalid grace period', { graceMs: 0.5 }, /graceMs/],
  ])('%s', async (_what, options, message) => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
    const starting = startGateway(llm, { port: 0, ...options });
    await expect(starting).rejects.toThrow(ConfigError);
    await expect(starting).rejects.toThrow(message);
  });

  it("on a port in use, and throws the system's error", async () => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
    const { port } = await gatewayOver(llm);
    await expect(startGateway(llm, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

it('with a token it serves the network, and its URL names a local address', async () => {
  const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
  const gateway = await gatewayOver(llm, { host: '0.0.0.0', token: TOKEN });
  expect(gateway.url).toBe(`http://127.0.0.1:${gateway.port}`);
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await ask(gateway, { ...POST, headers })).status).toBe(200);
});
