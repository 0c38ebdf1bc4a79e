/**
 * Processes that contend for one key over a store on another machine, in virtual time: how many calls they make, how long the
 * slowest takes, and how many swaps a call needs. `npx tsx test/bench/hot-key.ts 40 1` (processes, callers in each).
 */

import { memoryStore } from '../../src/adapters/memory-store.ts';
import { FreeLLM, OpenAICompatible, type StateStore } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { completion } from '../support/server.ts';

const NOON = Date.UTC(2026, 0, 7, 12);
const SECOND = 1000;
const BODY = new TextEncoder().encode(JSON.stringify(completion('fine')));

interface Setting {
  readonly processes: number;
  readonly callers: number;
  /** How long the store takes to answer. */
  readonly roundTripMs: number;
  /** How long the provider takes to answer. */
  readonly latencyMs: number;
  readonly lastsMs: number;
}

interface Result {
  readonly perSecond: number;
  readonly slowestMs: number;
  readonly p99Ms: number;
  readonly swaps: number;
  readonly lost: number;
  readonly most: number;
  readonly least: number;
}

async function contend({ processes, callers, roundTripMs, latencyMs, lastsMs }: Setting): Promise<Result> {
  const clock = new VirtualClock(NOON);
  const shared = memoryStore();
  let swaps = 0;
  let lost = 0;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  async function travel<T>(work: () => T | Promise<T>): Promise<T> {
    await pause(roundTripMs / 2);
    const answer = await work();
    await pause(roundTripMs / 2);
    return answer;
  }
  const store: StateStore = {
    pollMs: 250,
    read: (ids) => travel(() => shared.read(ids)),
    swap: (id, version, next) =>
      travel(async () => {
        const done = await shared.swap(id, version, next);
        swaps += 1;
        if (!done) lost += 1;
        return done;
      }),
  };
  async function* body(): AsyncGenerator<Uint8Array> {
    await pause(latencyMs);
    yield BODY;
  }
  const transport = {
    send: () => Promise.resolve({ status: 200, headers: {}, body: body() }),
    close: () => Promise.resolve(),
  };
  const took: number[] = [];
  const made = Array.from({ length: processes }, () => 0);
  async function callAgainAndAgain(index: number, llm: FreeLLM): Promise<void> {
    while (clock.monotonicMs() < lastsMs) {
      const startedMs = clock.monotonicMs();
      await llm.text('Hello');
      took.push(clock.monotonicMs() - startedMs);
      made[index] = (made[index] ?? 0) + 1;
    }
  }
  const running = Array.from({ length: processes }, async (_, index) => {
    const mine = new OpenAICompatible('a-key', {
      name: 'mine',
      baseUrl: 'https://mine.test/v1',
      models: ['m'],
      rpm: 1_000_000,
    });
    const llm = new FreeLLM(
      { providers: [mine], store, timeoutMs: 600 * SECOND },
      { clock, transport, cache: memoryCache(), env: {} },
    );
    await Promise.all(Array.from({ length: callers }, () => callAgainAndAgain(index, llm)));
  });
  await clock.run(Promise.all(running));
  took.sort((a, b) => a - b);
  return {
    perSecond: took.length / (clock.monotonicMs() / SECOND),
    slowestMs: took.at(-1) ?? Number.NaN,
    p99Ms: took[Math.floor(took.length * 0.99)] ?? Number.NaN,
    swaps: swaps / took.length,
    lost,
    most: Math.max(...made),
    least: Math.min(...made),
  };
}

const [, , processes = '40', callers = '1'] = process.argv;
console.log(
  'store | provider | calls a second | p99 | slowest | swaps of a call | most and fewest calls of a process',
);
for (const [roundTripMs, latencyMs, lastsMs] of [
  [1, 0, 5 * SECOND],
  [1, 300, 10 * SECOND],
  [20, 0, 60 * SECOND],
  [20, 300, 60 * SECOND],
] as const) {
  const setting = { processes: Number(processes), callers: Number(callers), roundTripMs, latencyMs, lastsMs };
  const { perSecond, p99Ms, slowestMs, swaps, most, least } = await contend(setting);
  const seconds = (ms: number): string => `${(ms / SECOND).toFixed(2)} s`;
  console.log(
    [
      `${roundTripMs} ms`,
      `${latencyMs} ms`,
      perSecond.toFixed(0),
      seconds(p99Ms),
      seconds(slowestMs),
      swaps.toFixed(1),
      `${most}, ${least}`,
    ].join(' | '),
  );
}
