import { type ServerResponse, Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { open, endpoint, providersOf, world } from '../client/support.ts';
import { hangs, says, serve, until } from '../support/server.ts';
import { ask, chat, CHAT, delta, gatewayOver, send, textIn } from './support.ts';

const TEXT = 'one two three four five six';

/** A provider whose streams the test writes itself. */
async function upstream(): Promise<{
  readonly streams: readonly ServerResponse[];
  readonly server: Awaited<ReturnType<typeof serve>>;
}> {
  const streams: ServerResponse[] = [];
  const server = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    streams.push(response);
  });
  return { streams, server };
}

describe('routes', () => {
  it.each([
    ['GET', '/', 200, 'text/html; charset=utf-8'],
    ['HEAD', '/', 200, 'text/html; charset=utf-8'],
    ['GET', '/status', 200, 'application/json'],
    ['GET', '/health', 200, 'application/json'],
    ['GET', '/v1/models', 200, 'application/json'],
    ['HEAD', '/v1/models', 200, 'application/json'],
    ['GET', '/v1/models/auto?x=1', 200, 'application/json'],
    ['POST', '/v1/chat/completions', 200, 'application/json'],
    ['POST', '/chat/completions', 200, 'application/json'],
    ['POST', '/v1/embeddings', 400, 'application/json'],
    ['POST', '/', 405, 'application/json'],
    ['DELETE', '/status', 405, 'application/json'],
    ['OPTIONS', '/v1/chat/completions', 405, 'application/json'],
    ['GET', '/v1/chat/completions', 405, 'application/json'],
    ['GET', '/favicon.ico', 404, 'application/json'],
    ['GET', '/toString', 404, 'application/json'],
  ])('%s %s: %i', async (method, path, status, type) => {
    const server = await serve(says('Hi'));
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    const received = await ask(gateway, { method, path, ...(method === 'POST' ? { body: chat() } : {}) });
    expect([received.status, received.headers['content-type']]).toEqual([status, type]);
    expect(received.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    if (method === 'HEAD') expect(received.text).toBe('');
    else if (status >= 400) expect(JSON.parse(received.text)).toMatchObject({ error: {} });
  });

  it('a request without a body gets a 400', async () => {
    const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }));
    const headers = { 'content-type': 'application/json' };
    const received = await ask(gateway, { method: 'POST', path: CHAT, headers });
    expect(received).toMatchObject({ status: 400, text: expect.stringMatching(/has no body/) as unknown });
  });

  it('/health reports every key', async () => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
    const { text } = await ask(await gatewayOver(llm), { path: '/health' });
    const [row] = llm.health();
    const { provider, key, ready, breaker } = row ?? {};
    expect(JSON.parse(text)).toMatchObject({ ok: true, keys: [{ provider, key, ready, breaker }] });
  });

  it('the page may run only its own script, and call only its own server', async () => {
    const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }));
    const { headers } = await ask(gateway, {});
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src '(?:none|sha256-)/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });
});

describe('responses', () => {
  it('carry their length', async () => {
    const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hellö')))] }));
    const received = await ask(gateway, { path: CHAT, body: chat() });
    expect(received.headers['content-length']).toBe(String(Buffer.byteLength(received.text)));
    expect(JSON.parse(received.text)).toMatchObject({ choices: [{ message: { content: 'Hellö' } }] });
  });

  it('reuse a connection, and keep it open for longer than clients do', async () => {
    const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { request } = await import('node:http');
    const sockets = new Set<unknown>();
    for (let count = 0; count < 3; count += 1) {
      await new Promise((resolve, reject) => {
        const sent = request(`${gateway.url}/v1/models`, { agent }, (answer) => {
          sockets.add(answer.socket);
          expect(answer.headers['keep-alive']).toBe('timeout=75');
          answer.resume();
          answer.on('end', resolve);
        });
        sent.on('error', reject);
        sent.end();
      });
    }
    agent.destroy();
    expect(sockets.size).toBe(1);
  });

  it('stream token by token, each as soon as it arrives', async () => {
    const { server, streams } = await upstream();
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    const answer = send(gateway, { path: CHAT, body: chat({ stream: true }) });
    await until(() => streams.length === 1);
    streams[0]?.write(delta('one'));
    const message = await answer;
    let received = '';
    message.setEncoding('utf8');
    message.on('data', (piece: string) => {
      received += piece;
    });
    for (const token of ['two', 'three']) {
      await until(() => received.includes('"one"'));
      expect(received).not.toContain(token);
      streams[0]?.write(delta(token));
      await until(() => received.includes(`"${token}"`));
    }
    streams[0]?.end(`${delta('', 'stop')}data: [DONE]\n\n`);
    await until(() => message.complete);
    expect(textIn(received)).toBe('onetwothree');
    expect(received.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('hide a provider stream that breaks', async () => {
    const nim = { faults: [{ kind: 'cut', as: 'reset', times: 1 }] } as const;
    const simulated = await world({ reply: () => TEXT, nim });
    const providers = providersOf(simulated, { discover: false }).toReversed();
    const gateway = await gatewayOver(open({ providers, strategy: 'priority' }));
    const { text } = await ask(gateway, { path: CHAT, body: chat({ stream: true }) });
    expect(textIn(text)).toBe(TEXT);
    expect(simulated.counts).toMatchObject({ total: 2, causes: { cut: 1 } });
  });

  it('end a stream that cannot be continued with an error', async () => {
    const { server, streams } = await upstream();
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    const body = chat({ stream: true, freelm: { onCut: 'fail' } });
    const answer = ask(gateway, { path: CHAT, body });
    await until(() => streams.length === 1);
    streams[0]?.write(delta('one'), () => streams[0]?.destroy());
    const { text } = await answer;
    expect(text.split('\n\n').at(-2)).toMatch(/^data: \{"error":\{"message":"The stream broke/);
  });
});

describe('a client that disconnects', () => {
  it.each([
    ['before the response', {}],
    ['before the stream', { stream: true }],
  ])('%s: the request to the provider is aborted', async (_when, more) => {
    const server = await serve(hangs);
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    const controller = new AbortController();
    const answer = send(gateway, { path: CHAT, body: chat(more), signal: controller.signal });
    await until(() => server.requests.length === 1);
    controller.abort();
    await expect(answer).rejects.toThrow('aborted');
    await until(() => server.open === 0);
  });

  it('with pipelined requests: all requests to the provider are aborted', async () => {
    const server = await serve(hangs);
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    const socket = connect(gateway.port, '127.0.0.1');
    const body = chat();
    const head = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json`;
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(3));
    await until(() => server.requests.length === 3);
    socket.destroy();
    await until(() => server.open === 0);
    expect(server.requests).toHaveLength(3);
  });

  it('in the middle of a stream: the request to the provider is aborted', async () => {
    const { server, streams } = await upstream();
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    const answer = send(gateway, { path: CHAT, body: chat({ stream: true }) });
    await until(() => streams.length === 1);
    streams[0]?.write(delta('one'));
    (await answer).destroy();
    await until(() => server.open === 0);
    expect(server.requests).toHaveLength(1);
  });
});

it('a slow client slows down the provider, so memory stays bounded', async () => {
  const piece = delta('x'.repeat(64 * 1024));
  const total = 64 * 1024 * 1024;
  let sent = 0;
  let held = false;
  const server = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (): void => {
      while (sent < total) {
        sent += piece.length;
        if (!response.write(piece)) {
          held = true;
          response.once('drain', write);
          return;
        }
      }
    };
    write();
  });
  const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
  const message = await send(gateway, { path: CHAT, body: chat({ stream: true }) });
  // The provider stops sending once every buffer on the way is full.
  let before = -1;
  while (before !== sent) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(held).toBe(true);
  expect(sent).toBeLessThan(total / 2);
  message.destroy();
  await until(() => server.open === 0);
});
