/**
 * What somebody knows who must find an assumed limit out: the limit that the oracle may use. It begins as the assumed one.
 * As long as calls need more, one request in 24 begins a try: one request more, twice as many with each try that is admitted,
 * at most a quarter of what is known. After a refusal the next try comes three times later each time, after half an hour at
 * most. A cut is known at once.
 */

import { MINUTE } from '../support/simulated-pool.ts';
import { limitAt, type Steps } from './machine.ts';

const REQUESTS_PER_TRY = 24;
const PASSED_PER_STEP = 4;
const PAUSE_GROWTH = 3;
const LONGEST_PAUSE_MS = 30 * MINUTE;

/** The known limit over time. `truth` is the true one, `assumed` what is known at `startAt`. */
export function foundSteps(truth: Steps, assumed: number, startAt: number, endAt: number): Steps {
  const changes = truth.map(({ from }) => from).filter((from) => from > startAt && from < endAt);
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
    const pauseMs = (REQUESTS_PER_TRY / known) * MINUTE * PAUSE_GROWTH ** Math.max(0, refused - 1);
    const next = at + Math.min(LONGEST_PAUSE_MS, pauseMs);
    const cut = changes.find((from) => from > at && from < next && limitAt(truth, from) < known);
    at = cut ?? next;
  }
  return steps;
}
