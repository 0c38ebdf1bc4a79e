import { setImmediate } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { Agent, type Dispatcher, errors, MockAgent } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import type { HttpRequest, Transport } from '../../src/ports.ts';
import { undiciTransport, type UndiciOptions } from '../../src/adapters/undici.ts';
import { microtasks } from '../support/microtasks.ts';
import { errorOf } from '../support/rejection.ts';
import { readText, transportContract } from '../contracts/transport.ts';
import { serveProxy, serveSocks } from '../support/proxy.ts';
import { json, serve, serveTcp, until } from '../support/server.ts';

const never = (): AbortSignal => new AbortController().signal;

function open(options: Partial<UndiciOptions> = {}): Transport {
  const transport = undiciTransport({ env: {}, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

async function ask(transport: Transport, url: string, more: Partial<HttpRequest> = {}): Promise<string> {
  const text = await readText(await transport.send({ method: 'GET', url, headers: {}, ...more }, never()));
  // The end of a body is reported just before its connection is free again.
  await setImmediate();
  return text;
}

describe('the transport over undici', () => {
  transportContract(() => undiciTransport({ env: {} }));
});

/** Requests that wait for `answer`, and a log of their answers. */
async function asked(
  count: number,
): Promise<{ readonly log: string[]; readonly answer: (request: number) => Promise<void> }> {
  const handlers: Dispatcher.DispatchHandler[] = [];
  const transport = open({ dispatcher: { dispatch: (_, handler) => handlers.push(handler) > 0 } });
  const log: string[] = [];
  for (let request = 0; request < count; request += 1) {
    const sent = transport.send({ method: 'GET', url: 'http://127.0.0.1', headers: {} }, never());
    void sent.then(() => log.push(`read ${request}`));
  }
  await until(() => handlers.length === count);
  return {
    log,
    answer: async (request) => {
      log.push(`arrived ${request}`);
      handlers[request]?.onHeaders?.(200, [], () => undefined, 'OK');
      await microtasks();
    },
  };
}

describe('answers', () => {
  it('that arrive in one turn of the event loop are read together', async () => {
    const { log, answer } = await asked(2);
    await answer(0);
    await answer(1);
    await setImmediate();
    expect(log).toEqual(['arrived 0', 'arrived 1', 'read 0', 'read 1']);
  });

  it('that cannot arrive with others are read at once', async () => {
    const { log, answer } = await asked(1);
    await answer(0);
    expect(log).toEqual(['arrived 0', 'read 0']);
  });
});

describe('connections', () => {
  it('are reused by sequential calls', async () => {
    const server = await serve((_request, response) => json(response, {}));
    const transport = open();
    for (let call = 0; call < 5; call += 1) await ask(transport, server.url);
    expect([server.requests.length, server.connections]).toEqual([5, 1]);
  });

  it('survive a redirect and a refusal', async () => {
    const server = await serve((_request, response) =>
      response.writeHead(server.requests.length === 1 ? 302 : 429).end(),
    );
    const transport = open();
    await ask(transport, server.url);
    await ask(transport, server.url);
    expect(server.connections).toBe(1);
  });

  it('in progress are cancelled when no request needs them', async () => {
    const server = await serveTcp();
    const transport = open();
    const url = server.url.replace('http:', 'https:');
    const [first, second] = [new AbortController(), new AbortController()];
    const sent = [first, second].map(({ signal }) =>
      transport.send({ method: 'GET', url, headers: {} }, signal).catch(String),
    );
    await until(() => server.open === 2);
    first.abort(new Error('first'));
    expect(await sent[0]).toBe('Error: first');
    expect(server.open).toBe(2);
    second.abort(new Error('second'));
    expect(await sent[1]).toBe('Error: second');
    await until(() => server.open === 0);
  });

  it('that failed are attempted again by the next call', async () => {
    const server = await serveTcp();
    const transport = open();
    const request = { method: 'GET', url: server.url.replace('http:', 'https:'), headers: {} } as const;
    for (const connections of [1, 2]) {
      const controller = new AbortController();
      const sent = transport.send(request, controller.signal).catch(String);
      await until(() => server.connections === connections);
      controller.abort(new Error('enough'));
      expect(await sent).toBe('Error: enough');
      await until(() => server.open === 0);
    }
  });
});

describe('a connection that has become stale', () => {
  const post = { method: 'POST', body: '{}' } as const;

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'by %s is replaced before a byte has come, without an error',
    async (how) => {
      const sockets = new Set<Socket>();
      // Closes a connection with its second request, as a server does whose idle limit is over.
      const server = await serveTcp((socket) => {
        socket.on('data', () => {
          if (sockets.has(socket)) socket[how]();
          else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine');
          sockets.add(socket);
        });
      });
      const transport = open();
      for (let call = 0; call < 3; call += 1) expect(await ask(transport, server.url, post)).toBe('fine');
      expect(server.connections).toBe(3);
    },
  );

  it('is not assumed of a new one', async () => {
    const server = await serveTcp((socket) => socket.on('data', () => socket.resetAndDestroy()));
    await expect(ask(open(), server.url, post)).rejects.toThrow(/ECONNRESET|closed/);
    expect(server.connections).toBe(1);
  });

  it('is replaced once', async () => {
    let answered = false;
    const server = await serveTcp((socket) => {
      socket.on('data', () => {
        if (answered) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine');
        answered = true;
      });
    });
    const transport = open();
    await ask(transport, server.url, post);
    await expect(ask(transport, server.url, post)).rejects.toThrow(/ECONNRESET|closed/);
    expect(server.connections).toBe(2);
  });
});

describe('the proxy variables', () => {
  const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH/;
  const far = 'http://api.example.test/v1/models';

  it.each(['http_proxy', 'HTTP_PROXY'])('%s sends requests through the proxy', async (name) => {
    const server = await serve((_request, response) => response.end('through'));
    const proxy = await serveProxy(server);
    expect(await ask(open({ env: { [name]: proxy.url } }), far)).toBe('through');
    expect(proxy.tunnels).toEqual(['api.example.test:80']);
    expect(server.requests).toMatchObject([{ url: '/v1/models', headers: { host: 'api.example.test' } }]);
  });

  it.each(['https_proxy', 'HTTPS_PROXY'])('%s sends https requests through the proxy', async (name) => {
    const server = await serveTcp((socket) => socket.destroy());
    const proxy = await serveProxy(server);
    const transport = open({ env: { [name]: proxy.url } });
    await expect(ask(transport, 'https://api.example.test/v1')).rejects.toBeInstanceOf(Error);
    expect(proxy.tunnels).toEqual(['api.example.test:443']);
  });

  it('may omit the protocol of the proxy', async () => {
    const server = await serve((_request, response) => response.end('through'));
    const proxy = await serveProxy(server);
    expect(await ask(open({ env: { HTTP_PROXY: `127.0.0.1:${proxy.port}` } }), far)).toBe('through');
  });

  it('do not apply to this machine', async () => {
    const server = await serve((_request, response) => response.end('direct'));
    const proxy = await serveProxy(server);
    const transport = open({ env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } });
    expect(await ask(transport, server.url)).toBe('direct');
    expect(await ask(transport, server.url.replace('127.0.0.1', 'localhost'))).toBe('direct');
    expect(proxy.connections).toBe(0);
  });

  it.each(['example.test', 'other.test, api.example.test', '*'])(
    'no_proxy=%s bypasses the proxy',
    async (noProxy) => {
      const server = await serve((_request, response) => response.end('through'));
      const proxy = await serveProxy(server);
      // Without the proxy, the name does not resolve.
      const transport = open({ env: { HTTP_PROXY: proxy.url, NO_PROXY: noProxy } });
      await expect(ask(transport, far)).rejects.toThrow(UNREACHABLE);
      expect(proxy.connections).toBe(0);
    },
  );

  it('come from the options, not from the process', async () => {
    const server = await serve((_request, response) => response.end('through'));
    const proxy = await serveProxy(server);
    const transport = open({ env: { HTTPS_PROXY: '', HTTP_PROXY: ' ' } });
    await expect(ask(transport, far)).rejects.toThrow(UNREACHABLE);
    expect(proxy.connections).toBe(0);
  });

  it('with an unusable proxy fail the request, not the process', async () => {
    const gone = open({ env: { HTTP_PROXY: 'http://127.0.0.1:1' } });
    await expect(ask(gone, far)).rejects.toThrow(/ECONNREFUSED/);
  });

  it.each(['socks5', 'socks5h', 'socks'])(
    'may name a %s: proxy, which resolves the name',
    async (protocol) => {
      const server = await serve((_request, response) => response.end('through'));
      const proxy = await serveSocks(server);
      const transport = open({ env: { ALL_PROXY: `${protocol}://127.0.0.1:${proxy.port}` } });
      expect(await ask(transport, far)).toBe('through');
      expect(await ask(transport, far)).toBe('through');
      expect(proxy.tunnels).toEqual(['api.example.test:80']);
      await transport.close();
      await until(() => server.open === 0);
    },
  );

  it('may be in quotes', async () => {
    const server = await serve((_request, response) => response.end('through'));
    const proxy = await serveProxy(server);
    expect(await ask(open({ env: { HTTP_PROXY: `"${proxy.url}"` } }), far)).toBe('through');
  });

  it.each([
    ['https_proxy', 'http://[broken'],
    ['HTTP_PROXY', 'http://'],
    ['http_proxy', 'me:secret@:8080'],
    ['ALL_PROXY', 'socks4://me:secret@127.0.0.1:1'],
    ['https_proxy', 'ftp://proxy.example:1'],
  ])('%s=%s is a ConfigError that names the variable only', async (name, value) => {
    const error = await errorOf(ask(open({ env: { [name]: value } }), far));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(`The variable ${name} `);
    expect(error.message).not.toContain('secret');
  });

  it('are not read for this machine', async () => {
    const server = await serve((_request, response) => response.end('direct'));
    expect(await ask(open({ env: { HTTP_PROXY: 'http://[' } }), server.url)).toBe('direct');
  });
});

describe('a dispatcher of the user', () => {
  it('sends the requests and outlives the transport', async () => {
    const server = await serve((_request, response) => response.end('fine'));
    const agent = new Agent();
    onTestFinished(() => agent.destroy());
    const transport = undiciTransport({ dispatcher: agent, env: { HTTP_PROXY: 'http://127.0.0.1:1' } });
    expect(await ask(transport, server.url)).toBe('fine');
    await transport.close();
    expect(agent.destroyed).toBe(false);
    expect(await ask(open({ dispatcher: agent }), server.url)).toBe('fine');
    expect(server.connections).toBe(1);
  });

  it('may be a mock', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    agent.get('https://api.example.test').intercept({ path: '/v1' }).reply(200, 'mocked');
    expect(await ask(open({ dispatcher: agent }), 'https://api.example.test/v1')).toBe('mocked');
  });

  it.each([
    [
      'throws a mistake',
      {
        dispatch: () => {
          throw new TypeError('no agent');
        },
      },
      /options\.dispatcher failed.*TypeError/,
    ],
    [
      'expects other handlers',
      {
        dispatch: () => {
          throw new errors.InvalidArgumentError('invalid onResponseStart method');
        },
      },
      /options\.dispatcher failed.*invalid onResponseStart/,
    ],
  ])('that %s is a ConfigError', async (_how, dispatcher, message) => {
    const error = await errorOf(ask(open({ dispatcher }), 'http://127.0.0.1:9/v1'));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });

  it('that is closed is a ConfigError', async () => {
    const dispatcher = new Agent();
    await dispatcher.close();
    const error = await errorOf(ask(open({ dispatcher }), 'http://127.0.0.1:9/v1'));
    expect([error.name, error.message]).toEqual([
      'ConfigError',
      'options.dispatcher is closed. Keep it open until the pool is closed.',
    ]);
  });

  it('is rejected if it is none', () => {
    // @ts-expect-error -- possible in plain JavaScript
    expect(() => undiciTransport({ dispatcher: { send: () => true }, env: {} })).toThrow(
      new ConfigError(
        'options.dispatcher is not an undici Dispatcher. Pass e.g. new Agent() or new ProxyAgent(url) of undici 7.',
      ),
    );
  });
});
