/**
 * Measures the CPU time of a call that is refused because nothing can serve it, by the number of keys, and of a call that
 * waits in line, by the length of the line. Run `npx tsx test/bench/line.ts`.
 */

import { FreeLLM, type FreeLLMOptions, OpenAICompatible } from '../../src/index.ts';
import { median, report } from './figures.ts';

const MODELS = Array.from({ length: 20 }, (_, index) => `model-${index}`);
const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
});
const ROUNDS = 7;
const REFUSALS = 100;

async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** A pool whose keys have spent their minute. */
async function spentPool(keys: number, options: Partial<FreeLLMOptions> = {}): Promise<FreeLLM> {
  const names = Array.from({ length: keys }, (_, index) => `key-${index}-${'x'.repeat(20)}`);
  const provider = new OpenAICompatible(names, {
    name: 'bench',
    baseUrl: 'http://127.0.0.1:9/v1',
    models: MODELS,
    rpm: 1,
  });
  const llm = new FreeLLM({
    providers: [provider],
    persist: false,
    fetch: () => Promise.resolve(new Response(ANSWER, { headers: { 'content-type': 'application/json' } })),
    ...options,
  });
  for (let count = 0; count < keys; count += 1) await llm.chat('Hello', { wait: false });
  return llm;
}

async function refusalMs(keys: number): Promise<number> {
  const llm = await spentPool(keys);
  const refuse = async (): Promise<void> => {
    for (let count = 0; count < REFUSALS; count += 1) await llm.chat('Hello').catch(() => undefined);
  };
  await refuse();
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) costs.push((await cpuMs(refuse)) / REFUSALS);
  await llm.close();
  return median(costs);
}

/** The cost of each of many calls that come to a line, wait and are given up. */
async function waitingMs(calls: number): Promise<number> {
  const llm = await spentPool(2, { wait: true, maxWaitMs: 600_000 });
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

for (const keys of [50, 100, 200])
  report({
    name: `a refusal with ${keys} keys × 20 models`,
    value: await refusalMs(keys),
    unit: 'ms of CPU',
  });
await waitingMs(1000);
const short = median([await waitingMs(1000), await waitingMs(1000), await waitingMs(1000)]);
const long = await waitingMs(10_000);
report(
  { name: 'a call in a line of 10,000', value: long / short, unit: '× one in a line of 1,000' },
  `${long.toFixed(3)} ms`,
);
