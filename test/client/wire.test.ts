import { gzipSync } from 'node:zlib';
import { setImmediate } from 'node:timers/promises';
import { Agent } from 'undici';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type ChatOptions,
  GoogleAIStudio,
  NIM,
  NoProvidersAvailableError,
  VERSION,
} from '../../src/index.ts';
import { serveProxy } from '../support/proxy.ts';
import { errorOf } from '../support/rejection.ts';
import { completion, json, posted, says, serve, serveTcp, until } from '../support/server.ts';
import { endpoint, listWith, open, partly } from './support.ts';

describe('the body that is posted', () => {
  it('has the model and the messages, and asks for a whole answer by default', async () => {
    const server = await serve(says('fine'));
    await open({ providers: [endpoint(server)] }).text('Grüße, 你好 👋');
    expect(posted(server)).toEqual([
      { model: 'm', messages: [{ role: 'user', content: 'Grüße, 你好 👋' }], stream: false },
    ]);
  });

  it("has the model's fields under their own names, and nothing of ours", async () => {
    const server = await serve(says('fine'));
    const fields = {
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      min_p: 0.1,
      max_tokens: 100,
      max_completion_tokens: 100,
      stop: ['END'],
      seed: 7,
      n: 1,
      presence_penalty: -1,
      frequency_penalty: 1,
      logit_bias: { 50: -1 },
      logprobs: true,
      top_logprobs: 2,
      user: 'u',
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      tool_choice: 'auto',
      parallel_tool_calls: false,
      response_format: { type: 'json_object' },
      reasoning_effort: 'low',
      reasoning: { effort: 'low' },
    } satisfies ChatOptions;
    const ours = {
      model: ['auto'],
      signal: new AbortController().signal,
      timeoutMs: 5000,
      attemptTimeoutMs: 4000,
      firstPartTimeoutMs: 3000,
      idleTimeoutMs: 3000,
      maxAttempts: 3,
      wait: true,
      maxWaitMs: 100,
    } satisfies ChatOptions;
    const messages = [
      {
        role: 'user',
        content: [{ type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }],
        own: 1,
      },
    ] as const;
    await open({ providers: [endpoint(server)] }).chat(messages, {
      ...fields,
      ...ours,
      extraBody: { provider: { sort: 'price' } },
    });
    expect(posted(server)).toEqual([
      { model: 'm', messages, ...fields, provider: { sort: 'price' }, stream: false },
    ]);
  });

  it('lets no extraBody replace the model or the messages', async () => {
    const server = await serve(says('fine'));
    const extraBody = { model: 'other', messages: [], temperature: 2, seed: 1 };
    await open({ providers: [endpoint(server)] }).chat('Hello', {
      extraBody,
      temperature: 1,
      top_p: undefined,
    });
    const [body] = posted(server);
    expect(body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hello' }],
      temperature: 1,
      seed: 1,
      stream: false,
    });
  });

  it('lacks what the provider is known to refuse', async () => {
    const server = await serve(says('fine'));
    const provider = new NIM('a-key', { baseUrl: server.url, models: ['a/b'] });
    const extraBody = { prompt_cache_key: 'one' };
    await open({ providers: [provider] }).chat('Hello', {
      reasoning: { max_tokens: 9 },
      temperature: 1,
      extraBody,
    });
    expect(Object.keys(posted(server)[0] ?? {})).toEqual(['model', 'messages', 'temperature', 'stream']);
  });
});

describe('the headers that are sent', () => {
  it('are ours, and exactly one credential', async () => {
    const server = await serve(says('fine'));
    const provider = new GoogleAIStudio('AIzaSyA-0123456789', {
      baseUrl: server.url,
      headers: { 'X-Own': 'yes' },
    });
    await open({ providers: [provider] }).text('Hello');
    const names = server.requests[0]?.rawHeaders
      .filter((_, index) => index % 2 === 0)
      .map((name) => name.toLowerCase());
    expect(names?.toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'x-own',
    ]);
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': `freelm/${VERSION}`,
      authorization: 'Bearer AIzaSyA-0123456789',
      'content-type': 'application/json',
      accept: 'application/json',
      'x-own': 'yes',
    });
    expect(server.requests[0]?.url).not.toContain('key');
  });

  it('ask for no compression, and a compressed answer is read all the same', async () => {
    const server = await serve((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' });
      response.end(gzipSync(JSON.stringify(completion('fine'))));
    });
    expect(await open({ providers: [endpoint(server)], maxAttempts: 1 }).text('Hello')).toBe('fine');
  });
});

describe('connections', () => {
  it('are kept between calls', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server)] });
    for (let call = 0; call < 5; call += 1) {
      await llm.text('Hello');
      await setImmediate();
    }
    expect([server.requests.length, server.connections]).toEqual([5, 1]);
  });

  it("use the user's dispatcher, which is not closed with the pool", async () => {
    const server = await serve(says('fine'));
    const dispatcher = new Agent();
    onTestFinished(() => dispatcher.destroy());
    for (let pools = 0; pools < 2; pools += 1) {
      const llm = open({ providers: [endpoint(server)], dispatcher });
      expect(await llm.text('Hello')).toBe('fine');
      await setImmediate();
      await llm.close();
    }
    expect([dispatcher.destroyed, server.connections]).toEqual([false, 1]);
  });

  it("use the user's fetch", async () => {
    const seen: string[] = [];
    const llm = open({
      providers: [endpoint({ url: 'https://api.example.test' })],
      fetch: (url, { method }) => {
        seen.push(`${method} ${url}`);
        return Promise.resolve(Response.json(completion('fetched')));
      },
    });
    expect(await llm.text('Hello')).toBe('fetched');
    expect(seen).toEqual(['POST https://api.example.test/v1/chat/completions']);
  });

  it('to this machine bypass the proxy', async () => {
    const server = await serve(says('direct'));
    const proxy = await serveProxy(server);
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, proxy.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const llm = open({ providers: [endpoint(server)] });
    expect(await llm.text('Hello')).toBe('direct');
    expect(proxy.connections).toBe(0);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])(
    'with status %i is a failure, and nobody gets the key',
    async (status) => {
      const target = await serve(says('give me the key'));
      const server = await serve((_request, response) => {
        response.writeHead(status, { location: `${target.url}/v1/chat/completions` }).end();
      });
      const error = await errorOf(open({ providers: [endpoint(server)] }).text('Hello'));
      expect(error).toBeInstanceOf(NoProvidersAvailableError);
      expect(error).toMatchObject({ attempts: [{ outcome: 'forbidden', status }] });
      expect(error.message).toContain(`a redirect (HTTP ${status}) was refused`);
      expect(target.connections).toBe(0);
    },
  );

  it('of a list of models is not followed either', async () => {
    const target = await serve((_request, response) => json(response, { data: [{ id: 'evil' }] }));
    const server = await serve((_request, response) => {
      response.writeHead(302, { location: `${target.url}/models` }).end();
    });
    const llm = open({ providers: [new NIM('a-key', { baseUrl: server.url, discover: true })] });
    expect((await llm.refreshModels()).map(({ id }) => id)).not.toContain('evil');
    expect(target.connections).toBe(0);
  });
});

describe('an answer without end', () => {
  const piece = Buffer.alloc(1024 * 1024, 'x');

  it.each([
    [200, '{"choices":[{"message":{"content":"', 32, 'broken_stream'],
    [500, '{"error":{"message":"', 1, 'server_error'],
  ])(
    'with status %i is read to a bound, and its connection closed',
    async (status, beginning, bound, outcome) => {
      const pieces: number[] = [];
      const server = await serve((_request, response) => {
        let sent = 0;
        response.on('close', () => pieces.push(sent));
        response.writeHead(status, { 'content-type': 'application/json' });
        response.write(beginning);
        const pump = (): void => {
          do sent += 1;
          while (!response.destroyed && response.write(piece));
        };
        response.on('drain', pump);
        pump();
      });
      const error = await errorOf(open({ providers: [endpoint(server)] }).text('Hello'));
      expect(error).toMatchObject({ attempts: listWith(partly({ outcome })) });
      await until(() => server.open === 0);
      expect(Math.min(...pieces)).toBeGreaterThanOrEqual(bound);
      expect(Math.max(...pieces)).toBeLessThan(bound + 24);
    },
  );

  it('in its headers is aborted', async () => {
    const server = await serveTcp((socket) => {
      const pump = (): void => {
        while (!socket.destroyed && socket.write(`X-Header-${socket.bytesWritten}: ${'x'.repeat(1000)}\r\n`));
      };
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n');
        socket.on('drain', pump);
        pump();
      });
    });
    const error = await errorOf(open({ providers: [endpoint(server)] }).text('Hello'));
    expect(error).toMatchObject({ attempts: listWith(partly({ outcome: 'network' })) });
    await until(() => server.open === 0);
  });
});

it('an answer is read correctly if its pieces split characters', async () => {
  const server = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const whole = Buffer.from(JSON.stringify(completion('Grüße 你好 👋')));
    for (const byte of whole) response.write(Buffer.of(byte));
    response.end();
  });
  expect(await open({ providers: [endpoint(server)] }).text('Hello')).toBe('Grüße 你好 👋');
});
