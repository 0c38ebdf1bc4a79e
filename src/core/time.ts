/** Spans of time in milliseconds. */

export const SECOND_MS: number = 1000;
export const MINUTE_MS: number = 60 * SECOND_MS;
export const HOUR_MS: number = 60 * MINUTE_MS;
export const DAY_MS: number = 24 * HOUR_MS;

/** Clocks may disagree by this factor about how far off a moment is. */
const TOLERANCE = 1.25;

/**
 * Whether a moment that was stored at `since` lies ahead. One that is farther off than when it was stored shows that the
 * clock was set back, and counts as past. All arguments are epoch ms. spec 3.7
 */
export function liesAhead(moment: number, since: number, now: number): boolean {
  return moment > now && moment - now <= (moment - since) * TOLERANCE;
}

/** The earliest of some moments that is not past (epoch ms). Infinity if all are past, or undefined. */
export function nextOf(now: number, ...moments: readonly (number | undefined)[]): number {
  let next = Number.POSITIVE_INFINITY;
  for (const moment of moments) if (moment !== undefined && moment >= now && moment < next) next = moment;
  return next;
}
