/** What a call costs with its state in memory and in files, in CPU time: `npm run bench:state`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FreeLLM, type FreeLLMOptions, OpenAICompatible } from '../../src/index.ts';
import { completion } from '../support/server.ts';

const CALLS = 300;
const ROUNDS = 5;

const folder = mkdtempSync(join(tmpdir(), 'freelm-state-'));
const body = JSON.stringify(completion('fine'));
const fetch = (): Promise<Response> => Promise.resolve(new Response(body));

function poolWith(options: Partial<FreeLLMOptions>): FreeLLM {
  const mine = new OpenAICompatible('a-key', {
    name: 'mine',
    baseUrl: 'https://mine.test/v1',
    models: ['m'],
  });
  return new FreeLLM({ providers: [mine], fetch, cacheDir: folder, ...options });
}

function microseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function costOfCall(llm: FreeLLM): Promise<number> {
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS; call += 1) await llm.text('Hello');
  return microseconds(before) / CALLS;
}

/** A pool that is made, asks once and ends. */
async function costOfLife(options: Partial<FreeLLMOptions>): Promise<number> {
  const before = process.cpuUsage();
  for (let life = 0; life < CALLS / 10; life += 1) {
    const llm = poolWith(options);
    await llm.text('Hello');
    await llm.close();
  }
  return microseconds(before) / (CALLS / 10);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const STORES = { memory: { persist: false }, files: { persist: true } } as const;
const [memory, files] = [poolWith(STORES.memory), poolWith(STORES.files)];
const calls = { memory: [] as number[], files: [] as number[] };
const lives = { memory: [] as number[], files: [] as number[] };
for (let round = -1; round < ROUNDS; round += 1) {
  const costs = {
    memory: await costOfCall(memory),
    files: await costOfCall(files),
    memoryLife: await costOfLife(STORES.memory),
    filesLife: await costOfLife(STORES.files),
  };
  if (round < 0) continue;
  calls.memory.push(costs.memory);
  calls.files.push(costs.files);
  lives.memory.push(costs.memoryLife);
  lives.files.push(costs.filesLife);
}
const show = (what: string, { memory: a, files: b }: typeof calls): void => {
  const [inMemory, inFiles] = [median(a), median(b)];
  console.log(
    `${what}: memory ${inMemory.toFixed(0)} µs, files ${inFiles.toFixed(0)} µs (${(inFiles / inMemory).toFixed(2)} ×)`,
  );
};
show('a call', calls);
show('a pool that is made, calls once and ends', lives);
await memory.close();
await files.close();
rmSync(folder, { recursive: true, force: true });
