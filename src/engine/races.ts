/** What a process does whose change another process has forestalled. spec 2.11 */

import type { Decision } from '../core/routing/question.ts';
import { randomShare } from '../adapters/system.ts';
import type { Instant } from './instant.ts';

/** How often a reservation is retried if another process keeps changing the records first. */
export const MAX_RACES = 300;
/** So many races are lost by chance. After more, a process pauses for a random time: otherwise the same process might win each time. */
const RACES_BY_CHANCE = 3;
/** The longest such pause in ms. */
const MAX_PAUSE_MS = 20;

/** How long in ms a process pauses that lost one more race after `races` others. 0: it tries again at once. */
export function racePauseMs(races: number): number {
  return races < RACES_BY_CHANCE ? 0 : Math.min(races, MAX_PAUSE_MS) * randomShare();
}

/** What a call does after it lost every race: it tries again soon, if it may wait. */
export function lostRaces(
  { now, monotonicMs }: Instant,
  waitUntil: number,
): Exclude<Decision, { kind: 'attempt' }> {
  const until = now + 1;
  return monotonicMs < waitUntil
    ? { kind: 'wait', until }
    : { kind: 'give-up', reason: 'exhausted', readyAt: until };
}
