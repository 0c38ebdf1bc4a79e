/** Two machines whose clocks differ, over a real Redis. Waiting is tested in virtual time (test/engine/shared-store.test.ts). */

import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/adapters/system.ts';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { redisStore } from '../../src/redis.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { RedisServer, WITHOUT_REDIS } from '../support/redis-server.ts';
import { completion } from '../support/server.ts';
import { MINUTE, SECOND } from '../support/simulated-pool.ts';

const LIMIT = 20;

function machine({ port }: RedisServer, aheadMs: number): FreeLLM {
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const redis = new Redis(port, '127.0.0.1');
  const mine = new OpenAICompatible('the-key', {
    name: 'mine',
    baseUrl: 'https://llm.example/v1',
    models: ['m'],
    rpm: LIMIT,
  });
  const llm = new FreeLLM(
    {
      providers: [mine],
      store: redisStore(redis, { clock }),
      fetch: () => Promise.resolve(Response.json(completion('fine'))),
      onEvent: ({ type }) => {
        expect(type).not.toBe('warning');
      },
    },
    { clock, cache: memoryCache(), env: {} },
  );
  onTestFinished(async () => {
    await llm.close();
    redis.disconnect();
  });
  return llm;
}

it.skipIf(WITHOUT_REDIS !== undefined).each([
  ['by 5 minutes', [0, 5 * MINUTE]],
  ['by 10 minutes, both wrong', [-5 * MINUTE, 5 * MINUTE]],
])(
  'machines whose clocks differ %s spend a minute exactly, and agree about the next',
  async (_what, ahead) => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    const machines = ahead.map((aheadMs) => machine(server, aheadMs));
    // The first answer of Redis tells the time, as a pool learns it from its first call.
    for (const llm of machines) await llm.sync();
    const calls = machines.flatMap((llm) => Array.from({ length: LIMIT }, () => llm.text('Hello')));
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(LIMIT);
    for (const llm of machines) {
      await llm.sync();
      const { requestsNow, nextAt = Number.NaN } = llm.capacity();
      expect(requestsNow).toBe(0);
      // Moments are told in the time of Redis.
      expect(nextAt).toBeGreaterThan(Date.now());
      expect(nextAt).toBeLessThan(Date.now() + MINUTE + SECOND);
    }
  },
);
