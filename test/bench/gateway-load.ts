/**
 * Loads the endpoint with 200 clients for a minute, over simulated providers with faults. Fails if an answer is wrong, if
 * anything leaks, or if the endpoint does not exit cleanly on SIGTERM. The endpoint is a process of its own. Run
 * `npm run bench:gateway -- [seconds] [clients]`.
 */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd, faultyWorld } from './crowd.ts';
import { type Figures, figuresOf, startEndpoint, tallied } from './endpoint.ts';

const SECONDS = Number(process.argv[2] ?? 60);
const CLIENTS = Number(process.argv[3] ?? 200);
/** More growth between two equal rounds of calls is a leak. */
const MAX_GROWTH_MB = 8;
/** Longer than connections stay idle. */
const SETTLE_MS = 6000;

/** Whether the second round of calls has left more behind than the first. */
function hasLeaked(before: Figures, after: Figures): boolean {
  return tallied(before.handles) !== tallied(after.handles) || after.heapMb - before.heapMb > MAX_GROWTH_MB;
}

const world = await faultyWorld();
const endpoint = await startEndpoint(world);
// Every second call is streamed, and every tenth of those is left in the middle.
const crowd = new Crowd(endpoint.url, (call) =>
  call % 20 === 0 ? 'leave' : call % 2 === 0 ? 'stream' : 'whole',
);
const round = async (seconds: number): Promise<Figures> => {
  await crowd.run(CLIENTS, seconds);
  await pause(SETTLE_MS);
  return figuresOf(endpoint);
};
const before = await round(Math.min(5, SECONDS / 4));
const between = await round(SECONDS / 2);
const after = await round(SECONDS / 2);
const { right, wrong, left, refused } = crowd;
console.log(
  `${right} right, ${wrong} wrong, ${left} cancelled; p50 ${crowd.latencyAt(0.5)} ms, p99 ${crowd.latencyAt(0.99)} ms`,
);
for (const [why, count] of refused) console.log(`  ${count} × ${why}`);
console.log(`upstream: ${JSON.stringify(world.counts)}`);
for (const { heapMb, rssMb, handles } of [before, between, after])
  console.log(`heap ${heapMb.toFixed(1)} MB, rss ${rssMb.toFixed(0)} MB, handles ${tallied(handles)}`);

const last = Promise.allSettled(Array.from({ length: 20 }, (_, name) => crowd.call(`last${name}`, 'stream')));
await pause(500);
const told = performance.now();
endpoint.child.kill('SIGTERM');
const exit: readonly unknown[] = await once(endpoint.child, 'exit');
const [code, signal] = exit;
const broken = (await last).filter(({ status }) => status === 'rejected').length;
const took = (performance.now() - told).toFixed(0);
console.log(
  `SIGTERM with streams under way: exit ${String(code ?? signal)} after ${took} ms, ${broken} broken off`,
);
await world.close();
const leaked = hasLeaked(between, after);
if (leaked) console.log('the endpoint leaks');
process.exitCode = wrong === 0 && !leaked && code === 0 ? 0 : 1;
