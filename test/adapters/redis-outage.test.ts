/** A pool over a real Redis that crashes, freezes and comes back. */

import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { redisStore } from '../../src/redis.ts';
import { RedisServer, WITHOUT_REDIS } from '../support/redis-server.ts';

const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
});

interface Setup {
  readonly server: RedisServer;
  readonly llm: FreeLLM;
  readonly warnings: string[];
}

async function setUp(): Promise<Setup> {
  const server = await RedisServer.start();
  const redis = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 20 });
  // Without a listener, ioredis prints every failed attempt to connect.
  redis.on('error', () => {});
  const warnings: string[] = [];
  const llm = new FreeLLM({
    providers: [
      new OpenAICompatible('the-key', {
        name: 'mine',
        baseUrl: 'https://llm.example/v1',
        models: [{ id: 'm', tags: ['chat'] }],
        rpd: 3,
      }),
    ],
    store: redisStore(redis),
    fetch: () => Promise.resolve(new Response(ANSWER, { headers: { 'content-type': 'application/json' } })),
    onEvent: (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    },
  });
  onTestFinished(async () => {
    await llm.close();
    redis.disconnect();
    server.thaw();
    await server.stop();
  });
  await llm.text('Hello');
  return { server, llm, warnings };
}

describe.skipIf(WITHOUT_REDIS !== undefined)('a pool whose Redis', () => {
  it('crashes goes on in memory, with what it knew and one warning', async () => {
    const { server, llm, warnings } = await setUp();
    await server.stop();
    expect(await llm.text('Hello')).toBe('Yes.');
    expect(await llm.text('Hello')).toBe('Yes.');
    // The one request before the crash counts, too.
    await expect(llm.text('Hello')).rejects.toMatchObject({ code: 'no_providers_available' });
    expect(warnings).toHaveLength(1);
  });

  it('freezes in the middle of a call goes on in memory', async () => {
    const { server, llm, warnings } = await setUp();
    server.freeze();
    expect(await llm.text('Hello')).toBe('Yes.');
    expect(warnings).toEqual([expect.stringContaining('took longer than 1000 ms')]);
  });

  it('restarts empty goes on serving, and forgets nothing that was spent', async () => {
    const { server, llm, warnings } = await setUp();
    await llm.text('Hello');
    await server.restart();
    expect(await llm.text('Hello')).toBe('Yes.');
    await expect(llm.text('Hello')).rejects.toMatchObject({ code: 'no_providers_available' });
    expect(warnings).toHaveLength(1);
  });
});
