import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  FreeLLM,
  type FreeLLMOptions,
  LMStudio,
  NoProvidersAvailableError,
  Ollama,
  OpenAICompatible,
} from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { errorOf } from '../support/rejection.ts';
import { completion, serve, type TestServer } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const TAGS = {
  models: [
    {
      name: 'qwen3.5:9b',
      details: { context_length: 262_144 },
      capabilities: ['completion', 'tools', 'vision'],
    },
    { name: 'nomic-embed-text:latest', capabilities: ['embedding'] },
    { name: 'gpt-oss:120b-cloud', capabilities: ['completion', 'tools'] },
  ],
};

/** A server on this machine that answers as Ollama does. */
function serveOllama(): Promise<TestServer> {
  return serve(({ url }, response) => {
    response.end(JSON.stringify(url === '/api/tags' ? TAGS : completion('from this machine')));
  });
}

function serveService(): Promise<TestServer> {
  return serve((_request, response) => response.end(JSON.stringify(completion('from afar'))));
}

/** What a server was asked for, lists aside. */
function chats({ requests }: TestServer): number {
  return requests.filter(({ method }) => method === 'POST').length;
}

/** A pool of a service that serves one request a minute, and of a server on this machine. */
async function pool(
  options: Partial<FreeLLMOptions> = {},
): Promise<{ llm: FreeLLM; far: TestServer; near: TestServer }> {
  const [far, near] = [await serveService(), await serveOllama()];
  const providers = [new Ollama({ baseUrl: `${near.url}/v1` }), endpoint(far, { rpm: 1 })];
  return { llm: open({ ...options, providers }), far, near };
}

/** An address at which nothing answers. */
async function nowhere(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (typeof address !== 'object' || address === null) throw new Error('the server says no port');
  return `http://127.0.0.1:${address.port}/v1`;
}

describe('a server on your own machine', () => {
  it.each(['quota_aware', 'priority', 'round_robin', 'latency'] as const)(
    'is asked only when nothing else is ready, under %s',
    async (strategy) => {
      const { llm, near } = await pool({ strategy });
      expect(await llm.text('Hello')).toBe('from afar');
      expect(chats(near)).toBe(0);
      expect(await llm.text('Hello')).toBe('from this machine');
      expect(await llm.text('Hello')).toBe('from this machine');
    },
  );

  it('is sent no authorization header, and the model that it listed', async () => {
    const { llm, near } = await pool();
    await llm.refreshModels();
    expect(
      llm
        .models()
        .flatMap(({ provider, id, kind }) => (provider === 'ollama' ? [`${id} ${kind ?? 'chat'}`] : [])),
    ).toEqual(['qwen3.5:9b chat', 'nomic-embed-text:latest embedding']);
    const { provider, model } = await llm.chat('Hello', { model: 'qwen3.5:9b' });
    expect([provider, model]).toEqual(['ollama', 'qwen3.5:9b']);
    for (const { headers } of near.requests) expect(headers).not.toHaveProperty('authorization');
  });

  it('comes after all stages of a chain', async () => {
    const { llm } = await pool();
    await llm.refreshModels();
    const order = llm.explain({ model: ['chat', 'm', 'auto'] }).map(({ provider }) => provider);
    expect(order.indexOf('ollama')).toBeGreaterThan(order.lastIndexOf('mine'));
  });

  it('is no last resort if the option says so, and any other provider may be one', async () => {
    const [far, near] = [await serveService(), await serveOllama()];
    const llm = open({
      providers: [
        endpoint(far, { lastResort: true }),
        new Ollama({ baseUrl: `${near.url}/v1`, lastResort: false }),
      ],
    });
    expect(await llm.text('Hello')).toBe('from this machine');
  });
});

describe('a server that is not running', () => {
  it('is skipped while other providers serve', async () => {
    const far = await serveService();
    const llm = open({ providers: [new LMStudio({ baseUrl: await nowhere() }), endpoint(far, { rpm: 1 })] });
    expect(await llm.text('Hello')).toBe('from afar');
    const error = await errorOf(llm.text('Hello'));
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
  });

  it('as the only provider ends in an error that names its address', async () => {
    const baseUrl = await nowhere();
    const llm = open({ providers: [new Ollama({ baseUrl })] });
    await expect(llm.text('Hello')).rejects.toThrow(
      `No models are known yet from Ollama at ${baseUrl}. Check that the server is running.`,
    );
  });

  it('is skipped for half a minute, and not longer each time', async () => {
    const clock = new VirtualClock(Date.UTC(2026, 10, 22));
    const refused = new TypeError('fetch failed', {
      cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    });
    const providers = [new Ollama({ models: ['qwen3.5:9b'] })];
    const llm = new FreeLLM(
      { providers, fetch: () => Promise.reject(refused) },
      { clock, cache: memoryCache() },
    );
    for (let round = 0; round < 3; round += 1) {
      const error = await clock.run(errorOf(llm.text('Hello')));
      expect(error).toMatchObject({ code: 'no_providers_available', readyAt: clock.now() + 30_000 });
      await clock.advance(30_000);
    }
    await llm.close();
  });
});

it('an endpoint of your own may be a last resort, too', () => {
  const mine = new OpenAICompatible('key', {
    name: 'mine',
    baseUrl: 'http://127.0.0.1:1/v1',
    lastResort: true,
  });
  expect(mine.lastResort).toBe(true);
});
