/**
 * How fast a limit takes requests after a hint that is shorter than its window: the window did not refuse, so its number
 * says nothing. The first request after the hint is a probe, and more follow while they are served. A refusal then shows
 * how many requests pass in what time. spec 5.14
 */

import { HOUR_MS, MINUTE_MS, nextOf, SECOND_MS } from '../time.ts';

export interface Pace {
  /** Epoch ms of the last refusal. */
  readonly at: number;
  /** Epoch ms at which the present span began: the end of a hint or pause, and then the first request after it. */
  readonly since: number;
  /** Requests that were sent in the present span. */
  readonly sent: number;
  /** Of those, the requests that were served. */
  readonly served: number;
  /** What a refusal has shown. */
  readonly shown?: ShownPace;
}

interface ShownPace {
  /** The number of requests that pass in a span. */
  readonly max: number;
  /** The length of a span in ms. */
  readonly spanMs: number;
  /** Spans in a row that were used up without a refusal. */
  readonly usedUp: number;
  /** Refusals in a row of the one request that is tried beyond `max`. */
  readonly refused?: number;
}

/** A refusal arrives within this time: a request that was not refused by then counts as served. */
const REFUSAL_MS = SECOND_MS;
/** Without a refusal for this long, there is nothing left to be careful about. */
const GROWN_MS = 10 * SECOND_MS;
/** What a refusal has shown is forgotten after this long without another one. */
const KEPT_MS = HOUR_MS;
/** After so many spans that were used up, one more request is tried; twice as many after each refusal. */
const SPANS_PER_PROBE = 10;
const MOST_SPANS_PER_PROBE = 160;

/** Whether the pace no longer counts. A refusal in the future shows that the clock was set back. */
function isOver({ at, since, sent, shown }: Pace, now: number): boolean {
  if (now < at) return true;
  if (shown !== undefined) return now - at > KEPT_MS;
  return sent > 0 ? now - since >= GROWN_MS : now - since > KEPT_MS;
}

/** Whether a hint fits what is known of the pace: then the window did not refuse, however much of it is spent. */
export function isPaceHint(pace: Pace | undefined, retryAt: number, now: number): boolean {
  return pace?.shown !== undefined && !isOver(pace, now) && retryAt - now <= 2 * pace.shown.spanMs;
}

/** The number of requests that the present span admits by `now`. Each one that passes makes room for two more. */
function allowedBy({ since, served, shown }: Pace, now: number): number {
  if (shown === undefined) {
    const steps = Math.max(0, Math.floor((now - since) / REFUSAL_MS));
    return Math.max(1 + 2 * served, 2 ** (steps + 1) - 1);
  }
  const { max, usedUp, refused = 0 } = shown;
  const needed = Math.min(MOST_SPANS_PER_PROBE, SPANS_PER_PROBE * 2 ** refused);
  return usedUp < needed ? max : max + 1 + 2 * Math.max(0, served - max);
}

/** Epoch ms from which a request is admitted; at most `now`: at once. */
export function paceReadyAt(pace: Pace | undefined, now: number): number {
  if (pace === undefined || isOver(pace, now)) return 0;
  const { since, sent, shown } = pace;
  if (since > now || sent < allowedBy(pace, now)) return since;
  return since + (shown === undefined ? Math.floor(Math.log2(sent + 1)) * REFUSAL_MS : shown.spanMs);
}

/** Epoch ms before which the pace's moment stays the same, unless the pace changes. At most `now`: not known. */
export function paceSteadyUntil({ at, since, shown }: Pace, now: number): number {
  if (now < at) return now;
  const steps = Math.max(0, Math.ceil((now - since) / REFUSAL_MS));
  const grows = shown === undefined ? since + steps * REFUSAL_MS : undefined;
  return nextOf(now, since, grows, since + GROWN_MS, since + KEPT_MS, at + KEPT_MS);
}

/** The pace after a request was sent; undefined if it no longer counts. */
export function withPacedRequest(pace: Pace, now: number): Pace | undefined {
  if (isOver(pace, now)) return undefined;
  const { at, since, sent, shown } = pace;
  if (now < since) return pace;
  if (shown === undefined && sent === 0) return { ...pace, since: now, sent: 1 };
  if (shown === undefined || now < since + shown.spanMs) return { ...pace, sent: sent + 1 };
  const usedUp = sent >= shown.max ? shown.usedUp + 1 : shown.usedUp;
  // More than the maximum was sent, and none of it was refused.
  if (sent > shown.max) {
    const { spanMs } = shown;
    return { at, since: now, sent: 1, served: 0, shown: { max: sent, spanMs, usedUp } };
  }
  return { at, since: now, sent: 1, served: 0, shown: { ...shown, usedUp } };
}

/** The pace after a request that was sent at `sentAt` was served. */
export function withPacedSuccess(pace: Pace, sentAt: number): Pace {
  return sentAt < pace.since ? pace : { ...pace, served: pace.served + 1 };
}

/** What a refusal shows of a span that began at `since`, of which the refused request was the last one. */
function shownBy({ since, sent, shown }: Pace, retryAt: number): ShownPace | undefined {
  const spanMs = retryAt - since;
  const passed = sent - 1;
  if (shown === undefined) return passed < 1 ? undefined : { max: passed, spanMs, usedUp: 0 };
  const { max } = shown;
  if (passed > max) return { max: passed, spanMs, usedUp: 0 };
  if (passed === max) {
    const refused = (shown.refused ?? 0) + 1;
    return { max, spanMs: Math.min(spanMs, shown.spanMs), usedUp: 0, refused };
  }
  if (passed > 0) return { max: passed, spanMs, usedUp: 0 };
  // Not even one passed: the spans are too short.
  return { max, spanMs: Math.min(MINUTE_MS, spanMs + shown.spanMs), usedUp: 0 };
}

/** The pace after a request that was sent at `sentAt` was refused with a hint. Requests that are refused together are one lesson. */
export function withPacedRefusal(
  known: Pace | undefined,
  sentAt: number,
  retryAt: number,
  now: number,
): Pace {
  const fresh = { at: now, since: retryAt, sent: 0, served: 0 };
  if (known === undefined || isOver(known, now)) return fresh;
  if (sentAt >= known.since) {
    const shown = shownBy(known, retryAt);
    return shown === undefined ? fresh : { ...fresh, shown };
  }
  // Another request of the span before: one less passed.
  const shown = known.shown && { ...known.shown, max: Math.max(1, known.shown.max - 1) };
  const later = retryAt > known.since ? fresh : { ...known, at: now };
  return shown === undefined ? later : { ...later, shown };
}

/** The pace after a request that was sent at `sentAt` was refused without a hint: what waits does not all come back at `until`. */
export function withSlowStart(known: Pace | undefined, sentAt: number, until: number, now: number): Pace {
  if (known !== undefined && !isOver(known, now) && (known.shown !== undefined || sentAt < known.since))
    return known;
  return { at: now, since: until, sent: 0, served: 0 };
}
