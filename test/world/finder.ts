/**
 * What somebody knows who must find an assumed limit out: the limit that the oracle may use. Nothing here is measured. Each
 * number follows from what the finder may do and from what it cannot know:
 *
 * - *It begins with the assumption.* A request shows that more passes only if all that is known to pass is in the window
 *   before it. So the first try begins with the first call beyond the assumption, and not with the day.
 * - *One request in two dozens asks for more.* That is the most that "one in some dozens" allows. So at least 24 / known
 *   minutes pass between two tries while calls take all that is known.
 * - *It goes a little beyond.* The first try asks for one request more, and each next one for twice as many while none is
 *   refused: one, two, four. No try risks more than a quarter of what is known to pass.
 * - *After a refusal it asks less often*, after three times as many requests each time, but at least every half hour. To ask costs:
 *   the provider may count a refused request, so one in 200 would cost half a per cent of all that can be served, for ever.
 * - *It does not know when a limit is raised.* It goes on asking in its own rhythm, and the first try after the raise shows
 *   it. Nothing is granted beyond the pause under way.
 * - *A cut is known at once.* The first refusal shows it, and the calls of the minute before fill the window anyway.
 *
 * From 30 to 90 it takes eight tries, 1, 2, 4, 8, 11, 14, 17 and the last 3, in 3.7 minutes. Not granted to the finder, although
 * it needs them: the time until an answer, a margin for the network, and the places that refused requests take.
 */

import { MINUTE } from '../support/simulated-pool.ts';
import { limitAt, type Steps } from './machine.ts';

const REQUESTS_PER_TRY = 24;
const PASSED_PER_STEP = 4;
const PAUSE_GROWTH = 3;
const LONGEST_PAUSE_MS = 30 * MINUTE;

/** The span from one try to the next, after so many refusals in a row. */
function pauseAfter(refused: number, known: number): number {
  const requests = REQUESTS_PER_TRY * PAUSE_GROWTH ** Math.max(0, refused - 1);
  return Math.min(LONGEST_PAUSE_MS, (requests / known) * MINUTE);
}

/** The known limit over time. `truth` is the true one, `assumed` what is known before the first try at `startAt`. */
export function foundSteps(truth: Steps, assumed: number, startAt: number, endAt: number): Steps {
  const steps: { from: number; limit: number }[] = [{ from: Number.NEGATIVE_INFINITY, limit: assumed }];
  let known = assumed;
  let admitted = 0;
  let refused = 0;
  let at = startAt;
  while (at < endAt) {
    const limit = limitAt(truth, at);
    const step = Math.max(1, Math.min(2 ** admitted, Math.floor(known / PASSED_PER_STEP)));
    [admitted, refused] = limit > known ? [admitted + 1, 0] : [0, refused + 1];
    known = Math.min(limit, known + step);
    steps.push({ from: at, limit: known });
    const next = at + pauseAfter(refused, known);
    const cut = truth.find((change) => change.from > at && change.from < next && change.limit < known);
    at = cut?.from ?? next;
  }
  return steps;
}
