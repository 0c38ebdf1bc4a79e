/** How long a request holds a slot among concurrent ones if its end is never reported. spec 5.2 */

import { entryOf } from '../json.ts';
import { refund, withCost } from '../limits/window.ts';
import { SECOND_MS } from '../time.ts';
import { isHeldWhileRunning, type Reserved, withEntry } from './reserve.ts';

/** The end of a request may be stored so much later. */
const SLACK_MS = SECOND_MS;

/** A reservation that was just made, for a request that takes at most `longestMs`: so a killed process holds no slot for longer. */
export function withSlots(reserved: Reserved, longestMs: number, now: number): Reserved {
  const { reservation, account, provider } = reserved;
  if (!reservation.charges.some(isHeldWhileRunning)) return reserved;
  const until = Math.ceil(now + longestMs + SLACK_MS);
  let { limiters } = account;
  const charges = reservation.charges.map((charge) => {
    const { limit, limiter: name, cost, returnsAt } = charge;
    const limiter = entryOf(limiters, name);
    if (limiter === undefined || !isHeldWhileRunning(charge) || returnsAt <= until) return charge;
    limiters = withEntry(limiters, name, withCost(refund(limiter, charge, now), limit, cost, until, now));
    return { ...charge, returnsAt: until };
  });
  if (limiters === account.limiters) return reserved;
  return { provider, account: { ...account, limiters }, reservation: { ...reservation, charges } };
}
