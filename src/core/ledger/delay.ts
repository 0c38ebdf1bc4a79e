/**
 * What a slow store changes: a request is sent when its reservation is stored, and the provider counts it from then on. So
 * its charges are made for the moment at which it is sent at the latest. spec 5.16
 */

import { entryOf } from '../json.ts';
import { MAX_DELAY_MS } from '../limits/limit.ts';
import { postpone } from '../limits/window.ts';
import { isHeldWhileRunning, type Reserved, withEntry } from './reserve.ts';

/** The margins of the limits cover a delay of this length. */
const SMALL_DELAY_MS = 50;
/** How much longer than the last delay the next one may be. */
const SLACK = 1.5;
/** How much of the expected delay is left after a shorter one. */
const DECAY = 0.9;

/** The delay in ms to expect after one of `delayMs`. 0: it needs no attention. */
export function nextDelayMs(expectedMs: number, delayMs: number): number {
  const nextMs = Math.max(Math.ceil(delayMs * SLACK), Math.floor(expectedMs * DECAY));
  return delayMs <= SMALL_DELAY_MS && nextMs <= SLACK * SMALL_DELAY_MS ? 0 : Math.min(MAX_DELAY_MS, nextMs);
}

/** Whether a request would be sent too late for its charges. */
export function isTooLate(expectedMs: number, delayMs: number): boolean {
  return delayMs > Math.max(expectedMs, SMALL_DELAY_MS);
}

/** A reservation that was just made, for a request that is sent up to `delayMs` later. */
export function withDelay(reserved: Reserved, delayMs: number, now: number): Reserved {
  if (delayMs === 0) return reserved;
  const { reservation, account, provider } = reserved;
  let { limiters } = account;
  const charges = reservation.charges.map((charge) => {
    const limiter = entryOf(limiters, charge.limiter);
    if (limiter === undefined || isHeldWhileRunning(charge)) return charge;
    const moved = postpone(limiter, charge, delayMs, now);
    limiters = withEntry(limiters, charge.limiter, moved.limiter);
    return moved.charge;
  });
  return { provider, account: { ...account, limiters }, reservation: { ...reservation, charges } };
}
