import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { open, endpoint } from '../client/support.ts';
import { rejection } from '../support/rejection.ts';
import { completion, hangs, json, says, serve, until } from '../support/server.ts';
import { ask, chat, CHAT, delta, gatewayOver, send, textIn } from './support.ts';

/** An open connection without a request. */
async function connection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const HEALTH_REQUEST = 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n';

describe('close()', () => {
  it('closes idle connections after half a second, however long the grace period is', async () => {
    const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }), {
      graceMs: 3_600_000,
    });
    const socket = await connection(gateway.port);
    const ended = once(socket, 'close');
    socket.write(HEALTH_REQUEST);
    await once(socket, 'data');
    await gateway.close();
    await ended;
    expect(socket.destroyed).toBe(true);
  });

  it('closes a connection that has carried no request yet', async () => {
    const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }), {
      graceMs: 3_600_000,
    });
    const socket = await connection(gateway.port);
    const ended = once(socket, 'close');
    // The endpoint has answered a later connection, so it knows the first one, too.
    await ask(gateway, { path: '/health' });
    await gateway.close();
    await ended;
    expect(socket.destroyed).toBe(true);
  });

  it('lets running responses finish, and accepts no new requests', async () => {
    const held: ServerResponse[] = [];
    const server = await serve((request, response) => {
      if (request.body.includes('"stream":true')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(delta('one'));
      }
      held.push(response);
    });
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }), { graceMs: 3_600_000 });
    const plain = ask(gateway, { path: CHAT, body: chat() });
    await until(() => held.length === 1);
    const streamed = await send(gateway, { path: CHAT, body: chat({ stream: true }) });
    const events = text(streamed);
    const closed = gateway.close();
    await expect(ask(gateway, { path: '/health' })).rejects.toThrow(/ECONNREFUSED/);
    if (held[0] !== undefined) json(held[0], completion('Hi'));
    held[1]?.end(`${delta('two', 'stop')}data: [DONE]\n\n`);
    expect((await plain).status).toBe(200);
    expect(textIn(await events)).toBe('onetwo');
    await closed;
  });

  it('closes a keep-alive connection soon after its response has ended', async () => {
    const held: ServerResponse[] = [];
    const server = await serve((_request, response) => held.push(response));
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }), { graceMs: 3_600_000 });
    const socket = await connection(gateway.port);
    const all = text(socket);
    const body = chat({ stream: true });
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => held.length === 1);
    held[0]?.writeHead(200, { 'content-type': 'text/event-stream' });
    held[0]?.write(delta('one'));
    await once(socket, 'readable');
    const closed = gateway.close();
    held[0]?.end(`${delta('', 'stop')}data: [DONE]\n\n`);
    await closed;
    expect(await all).toMatch(/connection: keep-alive/i);
  });

  it('aborts responses after the grace period, and their requests to the provider', async () => {
    const server = await serve(hangs);
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }), { graceMs: 10 });
    const answer = rejection(ask(gateway, { path: CHAT, body: chat() }));
    await until(() => server.requests.length === 1);
    await gateway.close();
    expect(await answer).toMatchObject({ code: 'ECONNRESET' });
    await until(() => server.open === 0);
  });

  it('can be called twice, and leaves the pool open', async () => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
    const gateway = await gatewayOver(llm);
    await Promise.all([gateway.close(), gateway.close()]);
    expect(await llm.text('Hello')).toBe('Hi');
  });
});
