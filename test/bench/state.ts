/** What a call costs with its state in memory, in files and in Redis, in CPU time: `npm run bench:state -- 3` (rounds). */

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { FreeLLM, type FreeLLMOptions, OpenAICompatible } from '../../src/index.ts';
import { redisStore } from '../../src/redis.ts';
import { RedisServer, WITHOUT_REDIS } from '../support/redis-server.ts';
import { completion } from '../support/server.ts';

const CALLS = 100;
const LIVES = 10;
const DEFAULT_ROUNDS = 3;

/** Where a worker keeps its state: nowhere, in a folder, or in the Redis of a port. */
type Place = 'memory' | `files ${string}` | `redis ${number}`;

/** In microseconds. */
interface Cost {
  /** CPU time of a call. */
  readonly call: number;
  /** How long a call takes. */
  readonly wait: number;
  /** CPU time of a pool that is made, calls once and ends. */
  readonly life: number;
}

const body = JSON.stringify(completion('fine'));
const fetch = (): Promise<Response> => Promise.resolve(new Response(body));

function poolWith(options: Partial<FreeLLMOptions>): FreeLLM {
  const mine = new OpenAICompatible('a-key', {
    name: 'mine',
    baseUrl: 'https://mine.test/v1',
    models: ['m'],
  });
  return new FreeLLM({ providers: [mine], fetch, ...options });
}

function microseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function measure(place: string): Promise<Cost> {
  const where = place.slice(place.indexOf(' ') + 1);
  const redis = place.startsWith('redis') ? new Redis(Number(where), '127.0.0.1') : undefined;
  const store = redis && redisStore(redis);
  const options = place.startsWith('files') ? { cacheDir: where, persist: true } : { persist: false, store };
  const llm = poolWith(options);
  for (let call = 0; call < CALLS; call += 1) await llm.text('Hello');
  const before = process.cpuUsage();
  const startedAt = performance.now();
  for (let call = 0; call < CALLS; call += 1) await llm.text('Hello');
  const call = microseconds(before) / CALLS;
  const wait = (1000 * (performance.now() - startedAt)) / CALLS;
  await llm.close();
  const beforeLives = process.cpuUsage();
  for (let life = 0; life < LIVES; life += 1) {
    const own = poolWith(options);
    await own.text('Hello');
    await own.close();
  }
  const life = microseconds(beforeLives) / LIVES;
  redis?.disconnect();
  return { call, wait, life };
}

function isCost(message: unknown): message is Cost {
  return typeof message === 'object' && message !== null && 'call' in message;
}

/** Runs a worker in so many processes at once, and returns the means. */
async function inProcesses(count: number, place: Place): Promise<Cost> {
  const costs = await Promise.all(
    Array.from({ length: count }, async () => {
      const child = fork(fileURLToPath(import.meta.url), ['--worker', place]);
      const message: unknown = await new Promise((resolve) => child.once('message', resolve));
      if (!isCost(message)) throw new Error('a worker failed');
      return message;
    }),
  );
  const mean = (name: keyof Cost): number => costs.reduce((sum, cost) => sum + cost[name], 0) / count;
  return { call: mean('call'), wait: mean('wait'), life: mean('life') };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'freelm-state-'));
  const server = WITHOUT_REDIS === undefined ? await RedisServer.start() : undefined;
  const rows: (readonly [what: string, processes: number, place: Place])[] = [
    ['memory', 1, 'memory'],
    ['files', 1, `files ${folder}`],
    ['files', 8, `files ${folder}`],
  ];
  if (server !== undefined)
    rows.push(['Redis', 1, `redis ${server.port}`], ['Redis', 8, `redis ${server.port}`]);
  const costs = rows.map((): Cost[] => []);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, [, count, place]] of rows.entries())
      costs[index]?.push(await inProcesses(count, place));
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
  const of = (index: number, name: keyof Cost): number =>
    median((costs[index] ?? []).map((cost) => cost[name]));
  const shown = (index: number, name: keyof Cost): string =>
    `${of(index, name).toFixed(0)} µs (${(of(index, name) / of(0, name)).toFixed(2)} ×)`;
  console.log('state | processes | CPU of a call | time of a call | CPU of a pool that calls once');
  for (const [index, [what, count]] of rows.entries())
    console.log([what, count, shown(index, 'call'), shown(index, 'wait'), shown(index, 'life')].join(' | '));
}

const [, , role, place = ''] = process.argv;
if (role === '--worker') {
  process.send?.(await measure(place));
  process.disconnect();
} else await main(Number(role ?? DEFAULT_ROUNDS));
