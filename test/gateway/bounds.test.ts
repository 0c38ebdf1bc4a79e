/** The connections, the requests and the memory of the endpoint are bounded. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Gateway, GatewayOptions } from '../../src/gateway/index.ts';
import { endpoint, open } from '../client/support.ts';
import { type Handler, hangs, says, serve, type TestServer, until } from '../support/server.ts';
import { ask, chat, CHAT, gatewayOver, type Received, send } from './support.ts';

interface Served {
  readonly gateway: Gateway;
  readonly server: TestServer;
}

async function served(options: GatewayOptions, handler: Handler = says('Hi')): Promise<Served> {
  const server = await serve(handler);
  return { server, gateway: await gatewayOver(open({ providers: [endpoint(server)] }), options) };
}

/** A connection that is closed with the test. What it receives is thrown away. */
async function connected({ port }: Gateway): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket.resume();
}

/** Resolves when a connection is closed, also by a reset. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
}

/** Asks until it gets an answer: on a busy machine a connection may be idle for too long before its request. */
async function answered(gateway: Gateway): Promise<Received> {
  for (;;) {
    const received = await ask(gateway, { path: '/health' }).catch(() => undefined);
    if (received !== undefined) return received;
  }
}

const HEAD = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;

/** Sends a request again and again until its status is as wanted. The timeout of the test bounds it. */
async function answeredWith(gateway: Gateway, status: number, body = chat()): Promise<Received> {
  for (;;) {
    const received = await ask(gateway, { path: CHAT, body });
    if (received.status === status) return received;
  }
}

describe('memory', () => {
  const options = { maxBodyBytes: 1000, maxMemoryBytes: 1000 };

  it('bodies that have not arrived count; past the bound, a request is told when to come back', async () => {
    const { gateway, server } = await served(options);
    const holder = await connected(gateway);
    holder.write(`${HEAD}content-length: 990\r\n\r\n${'x'.repeat(980)}`);
    const { headers, text } = await answeredWith(gateway, 503);
    expect(headers).toMatchObject({ 'retry-after': '2' });
    expect(headers).not.toHaveProperty('x-should-retry');
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'overloaded', type: 'server_error' } });
    const sent = server.requests.length;
    holder.destroy();
    await answeredWith(gateway, 200);
    expect(server.requests.length).toBe(sent + 1);
  });

  it('bodies of calls under way count until their responses are complete', async () => {
    let isFirst = true;
    const { gateway, server } = await served(options, (request, response) => {
      if (!isFirst) says('Hi')(request, response);
      isFirst = false;
    });
    const caller = new AbortController();
    const body = chat({ filler: 'x'.repeat(900) });
    const first = send(gateway, { path: CHAT, body, signal: caller.signal });
    await until(() => server.requests.length === 1);
    expect((await ask(gateway, { path: CHAT, body: chat() })).status).toBe(503);
    caller.abort();
    await expect(first).rejects.toThrow('aborted');
    await answeredWith(gateway, 200);
  });

  it('what was refused is not held', async () => {
    const { gateway } = await served(options);
    const long = chat({ filler: 'x'.repeat(5000) });
    for (let count = 0; count < 5; count += 1) {
      expect((await ask(gateway, { path: CHAT, body: long })).status).toBe(413);
    }
    expect((await ask(gateway, { path: CHAT, body: chat({ filler: 'x'.repeat(900) }) })).status).toBe(200);
  });
});

describe('connections', () => {
  it('beyond the most, the longest idle one is closed', async () => {
    const { gateway } = await served({ maxConnections: 3 });
    const first = await connected(gateway);
    const sockets = [first, await connected(gateway), await connected(gateway)];
    const closed = once(first, 'close');
    expect((await ask(gateway, { path: '/health' })).status).toBe(200);
    await closed;
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  });

  it('one that carries a request is not closed', async () => {
    const { gateway, server } = await served({ maxConnections: 1 }, hangs);
    const busy = await connected(gateway);
    busy.write(`${HEAD}content-length: ${chat().length}\r\n\r\n${chat()}`);
    await until(() => server.requests.length === 1);
    const other = await connected(gateway);
    if (!other.closed) await once(other, 'close');
    expect(busy.closed).toBe(false);
  });

  it.each<readonly [string, GatewayOptions, string]>([
    ['without a request', { headersTimeoutMs: 20 }, ''],
    ['without the rest of the headers', { headersTimeoutMs: 20 }, `POST ${CHAT} HTTP/1.1\r\nhost:`],
    ['without the rest of the body', { requestTimeoutMs: 20 }, `${HEAD}content-length: 9\r\n\r\n{`],
    ['after a response', { idleTimeoutMs: 20 }, 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ])('%s, it is closed in time', async (_what, options, text) => {
    const { gateway } = await served(options);
    const socket = await connected(gateway);
    const closed = closing(socket);
    if (text !== '') socket.write(text);
    await closed;
    expect((await answered(gateway)).status).toBe(200);
  });

  it('a call may take longer than a connection may be idle', async () => {
    const { gateway, server } = await served({ idleTimeoutMs: 20 }, (request, response) => {
      setTimeout(() => {
        says('Hi')(request, response);
      }, 100);
    });
    expect((await ask(gateway, { path: CHAT, body: chat() })).status).toBe(200);
    expect(server.requests.length).toBe(1);
  });

  it('a client that reads nothing of its response is cut off', async () => {
    const { gateway } = await served({ idleTimeoutMs: 50 }, says('x'.repeat(16_000_000)));
    const socket = await connected(gateway);
    socket.write(`${HEAD}content-length: ${chat().length}\r\n\r\n${chat()}`);
    await once(socket, 'data');
    socket.pause();
    await once(await connected(gateway), 'close');
    await once(await connected(gateway), 'close');
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
    expect(bytes).toBeLessThan(16_000_000);
  });
});

describe('requests under way', () => {
  it('beyond the most of one address, a request is refused until another one ends', async () => {
    const { gateway, server } = await served({ maxClientRequests: 2 }, hangs);
    const callers = [new AbortController(), new AbortController()];
    const calls = callers.map(({ signal }) => send(gateway, { path: CHAT, body: chat(), signal }));
    await until(() => server.requests.length === 2);
    const refused = await ask(gateway, { path: '/health' });
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ 'retry-after': '1' });
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'too_many_requests' } });
    callers[0]?.abort();
    await expect(calls[0]).rejects.toThrow('aborted');
    for (;;) if ((await ask(gateway, { path: '/health' })).status === 200) break;
    callers[1]?.abort();
    await expect(calls[1]).rejects.toThrow('aborted');
  });
});
