/**
 * Runs the benchmarks of the library's own cost several times, each in a process of its own, and prints the median of each
 * figure with its spread, which is the noise of this machine: `npm run build && npm run bench [-- --json file] [--runs 3]`.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { type Figure, median } from './figures.ts';

const SCRIPTS = ['cpu.ts', 'streams.ts', 'protocols.ts', 'line.ts'] as const;
const figureSchema = z.object({ name: z.string(), value: z.number(), unit: z.string() });

const { values } = parseArgs({ options: { json: { type: 'string' }, runs: { type: 'string' } } });
const runs = Number(values.runs ?? 3);
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a number of runs.');

async function figuresOf(script: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const child = fork(new URL(script, import.meta.url), {
    execArgv: ['--expose-gc', '--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('message', (message) => figures.push(figureSchema.parse(message)));
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`${script} ended with ${String(child.exitCode)}`);
  return figures;
}

const all: Figure[] = [];
for (let run = 0; run < runs; run += 1) {
  for (const script of SCRIPTS) all.push(...(await figuresOf(script)));
}
const names = [...new Set(all.map(({ name }) => name))];
const table = names.map((name) => {
  const figures = all.filter((figure) => figure.name === name);
  const found = figures.map(({ value }) => value);
  const spread = { median: median(found), lowest: Math.min(...found), highest: Math.max(...found) };
  return { name, unit: figures[0]?.unit ?? '', ...spread, runs: found };
});
for (const { name, unit, median: middle, lowest, highest } of table)
  console.log(`${name}: ${middle.toFixed(2)} ${unit} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, figures: table }, null, 2)}\n`);
