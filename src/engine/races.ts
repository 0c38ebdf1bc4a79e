/** The pause of a process that lost a race: another process changed the record first. spec 2.11 */

import { randomShare } from '../adapters/system.ts';

/** So many races may be lost by chance. After more, a random pause keeps one process from always winning. */
const RACES_BY_CHANCE = 3;
/** The longest such pause in ms. */
const MAX_PAUSE_MS = 20;

/** The pause in ms of a process that lost one more race after `races` others. 0: it tries again at once. */
export function racePauseMs(races: number): number {
  return races < RACES_BY_CHANCE ? 0 : Math.min(races, MAX_PAUSE_MS) * randomShare();
}
