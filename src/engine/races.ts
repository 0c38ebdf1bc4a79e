/** What a process does whose change another process has forestalled. spec 2.11 */

import { randomShare } from '../adapters/system.ts';

/** So many races are lost by chance. After more, a process pauses for a random time: otherwise the same process might win each time. */
const RACES_BY_CHANCE = 3;
/** The longest such pause in ms. */
const MAX_PAUSE_MS = 20;

/** How long in ms a process pauses that lost one more race after `races` others. 0: it tries again at once. */
export function racePauseMs(races: number): number {
  return races < RACES_BY_CHANCE ? 0 : Math.min(races, MAX_PAUSE_MS) * randomShare();
}
