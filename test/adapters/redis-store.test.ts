import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/index.ts';
import { type IoredisScripts, type RedisScripts, redisStore } from '../../src/redis.ts';
import { VirtualClock } from '../../src/testing.ts';
import { stateStoreContract } from '../contracts/state-store.ts';
import { RedisServer, WITHOUT_REDIS } from '../support/redis-server.ts';

describe.skipIf(WITHOUT_REDIS !== undefined)('the Redis store', () => {
  let server: RedisServer;
  let ioredis: Redis;
  let nodeRedis: ReturnType<typeof createClient>;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
    ioredis = new Redis(server.port, '127.0.0.1');
    closing.push(() => {
      ioredis.disconnect();
    });
    nodeRedis = createClient({ url: server.url });
    await nodeRedis.connect();
    closing.push(() => {
      nodeRedis.destroy();
    });
  });

  afterAll(async () => {
    for (const close of closing) close();
    await server.stop();
  });

  const clients: readonly [string, () => RedisScripts | IoredisScripts][] = [
    ['ioredis', () => ioredis],
    ['redis', () => nodeRedis],
  ];

  describe.each(clients)('over a client of the package %s', (_name, client) => {
    stateStoreContract((space) => redisStore(client(), { prefix: `${space}:` }), { shared: true });

    it('stores one key for each record, which expires', async () => {
      const store = redisStore(client(), { prefix: `${_name}-expiry:`, ttlMs: 5000 });
      await store.swap('a', 0, { n: 1 });
      expect(await ioredis.get(`${_name}-expiry:a`)).toBe('1 {"n":1}');
      const left = await ioredis.pttl(`${_name}-expiry:a`);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(5000);
    });

    it('goes on when the server has forgotten its script', async () => {
      const store = redisStore(client(), { prefix: `${_name}-script:` });
      await store.swap('a', 0, 1);
      await ioredis.script('FLUSH');
      expect(await store.swap('a', 1, 2)).toBe(true);
      await ioredis.script('FLUSH');
      expect(await store.read(['a'])).toEqual([{ version: 2, value: 2 }]);
    });

    it.each(['', 'x', '7', '7{', '{"version":7}', '-1 {}', ' 1 {}'])(
      'reads a value %j that it did not write as nothing',
      async (value) => {
        const store = redisStore(client(), { prefix: `${_name}-foreign:` });
        await ioredis.set(`${_name}-foreign:a`, value);
        expect(await store.read(['a'])).toEqual([{ version: 0, value: undefined }]);
        expect(await store.swap('a', 0, { n: 1 })).toBe(true);
        expect(await store.read(['a'])).toEqual([{ version: 1, value: { n: 1 } }]);
      },
    );

    it('reads a truncated value as empty, at its version', async () => {
      const store = redisStore(client(), { prefix: `${_name}-truncated:` });
      await ioredis.set(`${_name}-truncated:a`, '7 {"n":');
      expect(await store.read(['a'])).toEqual([{ version: 7, value: undefined }]);
      expect(await store.swap('a', 7, { n: 1 })).toBe(true);
    });
  });

  it('keeps all keys in one slot of a cluster by default', async () => {
    await redisStore(ioredis).swap('a', 0, 1);
    expect(await ioredis.get('{freelm}:a')).toBe('1 1');
  });

  it.each([-5 * 60_000, 0, 5 * 60_000])(
    'knows how far the clock of Redis is ahead of a clock that is off by %i ms',
    async (offMs) => {
      const now = (): number => Date.now() + offMs;
      const clock = { now, monotonicMs: () => performance.now(), after: () => () => {} };
      const store = redisStore(nodeRedis, { clock });
      expect(store.clockOffsetMs).toBe(0);
      const before = performance.now();
      await store.read(['a']);
      const tookMs = performance.now() - before;
      expect(Math.abs((store.clockOffsetMs ?? 0) + offMs)).toBeLessThanOrEqual(tookMs + 2);
    },
  );
});

/** A client whose server answers with `answers`, one after the other. */
function clientOf(...answers: readonly unknown[]): RedisScripts {
  let next = 0;
  const answer = (): Promise<unknown> => {
    const value = answers[Math.min(next, answers.length - 1)];
    next += 1;
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  };
  return { evalSha: answer, eval: answer };
}

describe('the clock of the Redis store', () => {
  const STARTED = 1_790_000_000_000;

  /** The offset after answers with the times of Redis, each of which took `tookMs`. */
  async function offsetAfter(
    samples: readonly { readonly tookMs: number; readonly redisAheadMs: number }[],
  ): Promise<number | undefined> {
    const clock = new VirtualClock(STARTED);
    let sample = samples[0];
    const evalSha = (): Promise<unknown> =>
      new Promise((resolve) => {
        const { tookMs, redisAheadMs } = sample ?? { tookMs: 0, redisAheadMs: 0 };
        const time = clock.now() + tookMs / 2 + redisAheadMs;
        clock.after(tookMs, () => {
          resolve([time, null]);
        });
      });
    const store = redisStore({ evalSha, eval: evalSha }, { clock });
    for (const one of samples) {
      sample = one;
      await clock.run(Promise.resolve(store.read(['a'])));
    }
    return store.clockOffsetMs;
  }

  it.each([
    ['stays 0 while the answers do not prove otherwise', [{ tookMs: 40, redisAheadMs: 15 }], 0],
    ['becomes as large as an answer proves', [{ tookMs: 40, redisAheadMs: 1000 }], 980],
    ['becomes as small as an answer proves', [{ tookMs: 40, redisAheadMs: -1000 }], -979],
    [
      'becomes exact with a quick answer, and stays with a slow one',
      [
        { tookMs: 400, redisAheadMs: 1000 },
        { tookMs: 2, redisAheadMs: 1000 },
        { tookMs: 400, redisAheadMs: 1000 },
      ],
      999,
    ],
    [
      'follows a clock that is set',
      [
        { tookMs: 2, redisAheadMs: 1000 },
        { tookMs: 2, redisAheadMs: -3_600_000 },
      ],
      -3_599_998,
    ],
  ])('%s', async (_what, samples, expected) => {
    expect(await offsetAfter(samples)).toBe(expected);
  });
});

describe('a Redis client', () => {
  it.each([
    ['undefined', undefined],
    ['a URL', 'redis://localhost'],
    ['an object without the methods', { get: () => {} }],
  ])('that is %s is a ConfigError', (_what, client) => {
    const make = (): unknown => Reflect.apply(redisStore, undefined, [client]);
    expect(make).toThrow(ConfigError);
  });

  it.each([
    ['no list', { 0: 1 }],
    ['a list without a time', []],
    ['a time that is no number', ['soon', null]],
    ['an error', new Error('LOADING Redis is loading the dataset in memory')],
  ])('that answers with %s makes the operation reject', async (_what, answer) => {
    await expect(redisStore(clientOf(answer)).read(['a'])).rejects.toThrow(/./);
    await expect(redisStore(clientOf(answer)).swap('a', 0, 1)).rejects.toThrow(/./);
  });
});
