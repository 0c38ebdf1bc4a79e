/**
 * Lets 100 clients call, abort and abandon streams over `serve` and failing providers for minutes, and prints what each
 * interval has left behind. Fails if an answer is wrong, or if heap, handles or memory grow. Run
 * `npm run bench:soak -- [--minutes 3]`.
 */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Crowd, faultyWorld, type Manner } from './crowd.ts';
import { type Figures, figuresOf, startEndpoint, tallied } from './endpoint.ts';

const args = parseArgs({ options: { minutes: { type: 'string', default: '3' } } });
const minutes = Number(args.values.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number greater than 0.');

const CLIENTS = 100;
/** The first interval also warms caches up, so it is not judged. */
const INTERVALS = 7;
/** Longer than connections stay idle, and than abandoned streams last. */
const SETTLE_MS = 5000;
const intervalMs = (minutes * 60_000) / INTERVALS;
const calledMs = Math.max(1000, intervalMs - SETTLE_MS);

/** A heap that grows by more per minute of calls is a leak, if it is more than what differs by chance. */
const MAX_HEAP_SLOPE_MB = 1;
const CHANCE_MB = 2;
const MAX_RSS_MB = 512;
const MAX_BLOCKED_MS = 1000;

/** Of twenty calls, three are aborted before an answer, two are left and one is abandoned. */
const MANNERS: Readonly<Record<number, Manner>> = {
  3: 'abort',
  9: 'abort',
  15: 'abort',
  4: 'leave',
  14: 'leave',
  10: 'abandon',
};
function mannerOf(call: number): Manner {
  return MANNERS[call % 20] ?? (call % 2 === 0 ? 'stream' : 'whole');
}

/** The slope of the line with the least squares, in units per step. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const products = values.reduce((sum, value, step) => sum + (step - middle) * (value - mean), 0);
  return products / values.reduce((sum, _value, step) => sum + (step - middle) ** 2, 0);
}

function problemsOf(figures: readonly Figures[], wrong: number): readonly string[] {
  const grownMb = slopeOf(figures.map(({ heapMb }) => heapMb)) * (figures.length - 1);
  const slopeMb = grownMb / ((figures.length - 1) * (calledMs / 60_000));
  const [first, last] = [figures.at(0), figures.at(-1)].map((each) => tallied(each?.handles ?? []));
  const most = (name: 'rssMb' | 'blockedMs'): number => Math.max(...figures.map((each) => each[name]));
  console.log(`the heap grows by ${slopeMb.toFixed(2)} MB per minute of calls`);
  return [
    ...(wrong > 0 ? [`${wrong} answers are wrong`] : []),
    ...(slopeMb > MAX_HEAP_SLOPE_MB && grownMb > CHANCE_MB
      ? [`the heap has grown by ${grownMb.toFixed(1)} MB`]
      : []),
    ...(first === last ? [] : [`handles were ${first} and are ${last}`]),
    ...(most('rssMb') > MAX_RSS_MB ? [`more than ${MAX_RSS_MB} MB were used`] : []),
    ...(most('blockedMs') > MAX_BLOCKED_MS
      ? [`the event loop stood still for more than ${MAX_BLOCKED_MS} ms`]
      : []),
    ...figures.flatMap(({ strays }) => strays),
  ];
}

const world = await faultyWorld();
const endpoint = await startEndpoint(world);
const crowd = new Crowd(endpoint.url, mannerOf);
const figures: Figures[] = [];
for (let interval = 1; interval <= INTERVALS; interval += 1) {
  const { right: rightBefore, left: leftBefore } = crowd;
  crowd.latencies = [];
  await crowd.run(CLIENTS, calledMs / 1000);
  await pause(SETTLE_MS);
  const now = await figuresOf(endpoint);
  figures.push(now);
  const refused = [...crowd.refused.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    [
      `${interval}/${INTERVALS}: ${crowd.right - rightBefore} right, ${crowd.wrong} wrong, ${crowd.left - leftBefore} left`,
      `${refused} refused so far, p99 ${crowd.latencyAt(0.99)} ms`,
      `heap ${now.heapMb.toFixed(1)} MB, rss ${now.rssMb.toFixed(0)} MB, loop ${now.blockedMs.toFixed(0)} ms`,
      `handles ${tallied(now.handles)}`,
    ].join('; '),
  );
}
for (const [why, count] of crowd.refused) console.log(`  ${count} × ${why}`);
endpoint.child.kill('SIGTERM');
const exit: readonly unknown[] = await once(endpoint.child, 'exit');
await world.close();
const problems = [
  ...problemsOf(figures.slice(1), crowd.wrong),
  ...(exit[0] === 0 ? [] : [`the endpoint ended with ${String(exit[0] ?? exit[1])}`]),
];
for (const problem of problems) console.log(`PROBLEM ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
