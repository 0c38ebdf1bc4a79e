/**
 * Attacks the library and the server with random hostile input: `npm run fuzz -- [--seconds 60] [--seed S] [--case N]`.
 * Prints each kind of fault with the first case that shows it, and exits with 1 if there is any. A seed and a number repeat
 * a case. The attacked processes are apart from this one, which plays both their clients and their providers.
 */

import { availableParallelism } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { type Case, caseOf, faultsOf } from './cases.ts';
import { startProvider } from './provider.ts';
import type { Subject } from './subject.ts';
import { startSubject } from './subject-process.ts';
import { leakFaults } from './verdict.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
});
const seconds = Number(values.seconds ?? 60);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const only = values.case === undefined ? undefined : Number(values.case);
if (!Number.isFinite(seconds + seed + (only ?? 0)))
  throw new Error('--seconds, --seed and --case take numbers.');

/** Most cases wait for timeouts, so several processes are attacked side by side. */
const LANES = only === undefined ? 2 * availableParallelism() : 1;
/** The bounds of one attacked process. */
const MAX_BLOCKED_MS = 1000;
const MAX_RSS_MB = 512;
/** A run that has found this many faulty cases stops. */
const MAX_FAULTY_CASES = 25;
const MAX_CASE_LENGTH = 1500;

const counts = { server: 0, client: 0, faulty: 0 };
const most = { rssMb: 0, blockedMs: 0 };
/** How many cases have shown each kind of fault. */
const kinds = new Map<string, number>();

/** A case in one line. */
function shown(one: Case): string {
  const text = inspect(one, {
    depth: Infinity,
    compact: Infinity,
    breakLength: Infinity,
    maxStringLength: 300,
    maxArrayLength: 60,
  });
  const line = text.replaceAll('[Object: null prototype] ', '');
  return line.length > MAX_CASE_LENGTH ? `${line.slice(0, MAX_CASE_LENGTH)}…` : line;
}

/** Faults of one kind differ in their numbers. */
function kindOf(fault: string): string {
  return fault.replace(/\d+/g, 'N').slice(0, 70);
}

function report(faults: readonly string[], where: () => string): void {
  for (const fault of faults) {
    const kind = kindOf(fault);
    const count = (kinds.get(kind) ?? 0) + 1;
    kinds.set(kind, count);
    if (count === 1) console.log(`\nFAULT ${fault.slice(0, 1500)}\n${where()}`);
  }
}

async function processFaults(subject: Subject): Promise<readonly string[]> {
  const { blockedMs, rssMb, strays } = await subject.figures();
  most.blockedMs = Math.max(most.blockedMs, blockedMs);
  most.rssMb = Math.max(most.rssMb, rssMb);
  const faults = [...strays];
  if (blockedMs > MAX_BLOCKED_MS) faults.push(`the event loop stood still for ${blockedMs.toFixed(0)} ms`);
  if (rssMb > MAX_RSS_MB) faults.push(`the process used ${rssMb.toFixed(0)} MB`);
  return faults;
}

const end = performance.now() + seconds * 1000;
const isOver = (): boolean =>
  performance.now() >= end || counts.faulty >= MAX_FAULTY_CASES || (only !== undefined && next > only);
let next = only ?? 0;

/** Attacks one process until the time is over or the process has ended. */
async function attack(): Promise<void> {
  const provider = await startProvider();
  const attacked = startSubject();
  const { subject } = attacked;
  await subject.figures();
  let hasEnded = false;
  let isUsedUp = false;
  while (!hasEnded && !isUsedUp && !isOver()) {
    const number = next;
    next += 1;
    const one = caseOf(seed, number);
    counts[one.attacks] += 1;
    const faults = [...(await faultsOf(subject, provider, one))];
    hasEnded = faults.some((fault) => fault.startsWith('the process ended'));
    if (!hasEnded) faults.push(...(await processFaults(subject)));
    // Memory that was used once is not given back soon, and is not to be blamed on the next case.
    isUsedUp = faults.some((fault) => fault.startsWith('the process used'));
    if (faults.length > 0) counts.faulty += 1;
    report(faults, () => `  again: npm run fuzz -- --seed ${seed} --case ${number}\n  ${shown(one)}`);
  }
  const output = await attacked.end();
  report(leakFaults('the output of the process', output), () => '');
  if (hasEnded) console.log(output.slice(-2000));
  await provider.close();
}

async function lane(): Promise<void> {
  await attack();
  while (!isOver()) await attack();
}

console.log(`seed ${seed}, ${only === undefined ? `${seconds} s, ${LANES} processes` : `case ${only}`}`);
await Promise.all(Array.from({ length: LANES }, lane));
console.log(
  `\n${counts.server} cases against the server, ${counts.client} against the client, ${counts.faulty} faulty`,
);
for (const [kind, count] of kinds) console.log(`  ${count} × ${kind}`);
console.log(
  `most: ${most.blockedMs.toFixed(0)} ms without a turn of the event loop, ${most.rssMb.toFixed(0)} MB`,
);
process.exitCode = kinds.size === 0 ? 0 : 1;
