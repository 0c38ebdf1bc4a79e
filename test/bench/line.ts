/**
 * Measures the CPU time of a call that is refused because nothing can serve it, of a call that is served while half of the
 * routes are spent, and of a call that waits in line. Run `npm run build && npx tsx test/bench/line.ts`.
 */

import type { FreeLLM, FreeLLMOptions } from '../../src/index.ts';
import { builtLibrary, median, report } from './figures.ts';

const { FreeLLM: Pool, GoogleAIStudio, OpenAICompatible } = await builtLibrary();

const MODELS = Array.from({ length: 20 }, (_, index) => `gemini-${index}`);
const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
});
const CALLS = 50;
/** Rounds of calls: those until the code is compiled, as it is in a process that runs for a while, and those measured. */
const REFUSAL_ROUNDS = { warmUp: 20, measured: 21 };
/** Served calls spend what they are measured with: these rounds spend two fifths of what is left. */
const SERVED_ROUNDS = { warmUp: 7, measured: 9 };

/** What the limits count: an account over all models, or an account's use of each model. */
type Counted = 'account' | 'model';

interface BenchPool {
  readonly keys: number;
  readonly counted: Counted;
  /** Requests a day. */
  readonly rpd: number;
}

async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function poolOf({ keys, counted, rpd }: BenchPool, options: Partial<FreeLLMOptions>): FreeLLM {
  const names = Array.from({ length: keys }, (_, index) => `key-${index}-${'x'.repeat(20)}`);
  const limits = { models: MODELS, rpd, rpm: 1_000_000 };
  const provider =
    counted === 'account'
      ? new OpenAICompatible(names, { name: 'bench', baseUrl: 'http://127.0.0.1:9/v1', ...limits })
      : new GoogleAIStudio(names, limits);
  return new Pool({
    providers: [provider],
    persist: false,
    fetch: () => Promise.resolve(new Response(ANSWER, { headers: { 'content-type': 'application/json' } })),
    ...options,
  });
}

/** Spends a part of all requests of a day. */
async function spend(llm: FreeLLM, { keys, counted, rpd }: BenchPool, part: number): Promise<void> {
  const routes = counted === 'account' ? keys : keys * MODELS.length;
  for (let count = 0; count < routes * rpd * part; count += 1) await llm.chat('Hello', { wait: false });
}

/** A pool whose keys have spent their day. */
async function spentPool(
  keys: number,
  counted: Counted,
  options: Partial<FreeLLMOptions> = {},
): Promise<FreeLLM> {
  const pool = { keys, counted, rpd: 1 };
  // The first route in order is found sooner than the cheapest one.
  const llm = poolOf(pool, { strategy: 'priority', ...options });
  await spend(llm, pool, 1);
  return llm;
}

/** The median cost of a call. */
async function callMs(
  call: () => Promise<unknown>,
  { warmUp, measured }: typeof REFUSAL_ROUNDS,
): Promise<number> {
  const round = async (): Promise<void> => {
    for (let count = 0; count < CALLS; count += 1) await call();
  };
  for (let count = 0; count < warmUp; count += 1) await round();
  const costs: number[] = [];
  for (let count = 0; count < measured; count += 1) costs.push((await cpuMs(round)) / CALLS);
  return median(costs);
}

async function refusalMs(keys: number, counted: Counted): Promise<number> {
  const llm = await spentPool(keys, counted);
  const cost = await callMs(() => llm.chat('Hello').catch(() => undefined), REFUSAL_ROUNDS);
  await llm.close();
  return cost;
}

/** The cost of a served call while a part of the routes is spent. */
async function servedMs(pool: BenchPool, part: number): Promise<number> {
  const llm = poolOf(pool, {});
  await spend(llm, pool, part);
  const cost = await callMs(() => llm.chat('Hello', { wait: false }), SERVED_ROUNDS);
  await llm.close();
  return cost;
}

/** The cost of each of many calls that come to a line, wait and are given up. */
async function waitingMs(calls: number, counted: Counted): Promise<number> {
  const llm = await spentPool(2, counted, { wait: true, maxWaitMs: 100_000_000, timeoutMs: 200_000_000 });
  const cost = await cpuMs(async () => {
    const leaving = new AbortController();
    const waiting = Array.from({ length: calls }, () => llm.chat('Hello', { signal: leaving.signal }));
    const left = Promise.allSettled(waiting);
    await new Promise((resolve) => setTimeout(resolve, 100));
    leaving.abort();
    await left;
  });
  await llm.close();
  return cost / calls;
}

/**
 * The cost of each of many calls at once that are served four at a time.
 * @param fails - Whether another provider fails each of them before.
 */
async function drainedMs(calls: number, fails: boolean): Promise<number> {
  const served = { baseUrl: 'http://127.0.0.1:9/v1', models: ['m'], concurrency: 4 };
  const failing = { baseUrl: 'http://127.0.0.1:8/v1', models: ['m'] };
  const providers = [new OpenAICompatible('key', { ...served, name: 'served' })];
  if (fails) providers.unshift(new OpenAICompatible('key', { ...failing, name: 'failing' }));
  const llm = new Pool({
    providers,
    persist: false,
    strategy: 'priority',
    wait: true,
    maxWaitMs: 100_000_000,
    timeoutMs: 200_000_000,
    fetch: async (url) => {
      await new Promise(setImmediate);
      const answer = url.includes(':8/') ? ANSWER.replace('"stop"', '"content_filter"') : ANSWER;
      return new Response(answer, { headers: { 'content-type': 'application/json' } });
    },
  });
  const cost = await cpuMs(() =>
    Promise.all(Array.from({ length: calls }, (_, call) => llm.chat('x'.repeat(1 + ((call * 7919) % 997))))),
  );
  await llm.close();
  return cost / calls;
}

const NAMES: Readonly<Record<Counted, string>> = { account: '', model: ', limits by model' };
const COUNTED = ['account', 'model'] as const;

for (const counted of COUNTED) {
  for (const keys of [50, 100, 200])
    report({
      name: `a refusal with ${keys} keys × 20 models${NAMES[counted]}`,
      value: await refusalMs(keys, counted),
      unit: 'ms of CPU',
    });
}
for (const counted of COUNTED) {
  const single = await servedMs({ keys: 1, counted, rpd: 1_000_000 }, 0);
  const rpd = counted === 'account' ? MODELS.length : 1;
  const half = await servedMs({ keys: 200, counted, rpd }, 0.5);
  report(
    {
      name: `a served call with 200 keys × 20 models${NAMES[counted]}, half of it spent`,
      value: half / single,
      unit: '× one with 1 key',
    },
    `${half.toFixed(3)} ms`,
  );
}
/** Compares the cost of a call in a long line with that in a short one. */
async function compareLines(name: string, costMs: (calls: number) => Promise<number>): Promise<void> {
  await costMs(1000);
  const short = median([await costMs(1000), await costMs(1000), await costMs(1000)]);
  const long = await costMs(10_000);
  report({ name, value: long / short, unit: '× one in a line of 1,000' }, `${long.toFixed(3)} ms`);
}

for (const counted of COUNTED)
  await compareLines(`a call in a line of 10,000${NAMES[counted]}`, (calls) => waitingMs(calls, counted));
for (const fails of [false, true]) {
  const after = fails ? ', after another provider failed it' : '';
  await compareLines(`a call served from a line of 10,000${after}`, (calls) => drainedMs(calls, fails));
}
