/** Spares: reservations made in advance for the next requests of a route. spec 2.11 */

import { entryOf } from '../json.ts';
import { maxInForce } from '../limits/in-force.ts';
import { refund, usedOf } from '../limits/window.ts';
import type { AccountRecord } from '../records/account.ts';
import { plan } from '../routing/plan.ts';
import type { Decision, Question, Records, RequestNeeds, Target } from '../routing/question.ts';
import { withDelay } from './delay.ts';
import {
  breakersOf,
  isHeldWhileRunning,
  refundAll,
  reserve,
  type Reservation,
  type Reserved,
  type RouteRecords,
} from './reserve.ts';

/** Spares take at most one in this many of the requests that a limit has left: other processes need them, too. */
const LEFT_PER_SPARE = 4;

/** How many spares the limits admit beside a reservation that was just made. */
function sparesLeft({ reservation, account, provider }: Reserved, now: number): number {
  const { target, charges, mayAdmitMore } = reservation;
  const breakers = Object.values(breakersOf({ provider, account }, target));
  // The outcome of a probe decides about the next request.
  if (mayAdmitMore || charges.length === 0 || breakers.some(({ state }) => state !== 'closed')) return 0;
  // An unused place among concurrent requests would hold up another process.
  if (charges.some(isHeldWhileRunning)) return 0;
  const left = charges.map(({ limit, limiter: name, cost }) => {
    const limiter = entryOf(account.limiters, name);
    if (limiter === undefined) return 0;
    return (maxInForce(limiter, limit, now) - usedOf(limiter, limit, now)) / cost;
  });
  return Math.max(0, Math.floor(Math.min(...left) / LEFT_PER_SPARE));
}

/**
 * Reserves up to `wanted` spares of a route whose reservation was just made, as far as its limits admit them now. They are
 * used up to `delayMs` later.
 */
export function withSpares(
  reserved: Reserved,
  needs: RequestNeeds,
  wanted: number,
  delayMs: number,
  now: number,
): Reserved & { readonly spares: readonly Reservation[] } {
  const { reservation } = reserved;
  const spares: Reservation[] = [];
  let records = reserved;
  for (let left = wanted === 0 ? 0 : Math.min(wanted, sparesLeft(reserved, now)); left > 0; left -= 1) {
    const made = reserve(records, reservation.target, needs, 0, now);
    if (made.reservation.mayAdmitMore) break;
    records = withDelay(made, delayMs, now);
    spares.push(records.reservation);
  }
  const { provider, account } = records;
  return { provider, account, reservation, spares };
}

/** The records as if some spares were given back. */
function withoutSpares(records: Records, spares: readonly Reservation[], now: number): Records {
  const accounts = new Map<string, AccountRecord>();
  return {
    provider: (provider) => records.provider(provider),
    account: (account) => {
      const known = accounts.get(account.recordId);
      if (known !== undefined) return known;
      const own = spares.filter(({ target }) => target.account.recordId === account.recordId);
      const charges = own.flatMap((spare) => spare.charges);
      const record = refundAll(records.account(account), charges, now);
      accounts.set(account.recordId, record);
      return record;
    },
  };
}

function isSameRoute({ route: a }: Target, { route: b }: Target): boolean {
  return a.provider === b.provider && a.account === b.account && a.keyId === b.keyId && a.model === b.model;
}

/**
 * The reservation of a request that uses `spare` instead of making the reservation `wanted`. Undefined if it costs more or
 * probes, or if the spare's charges are not stored any more, because the account was reset.
 */
function reservationFrom(
  spare: Reservation,
  wanted: Reservation,
  { limiters }: AccountRecord,
  now: number,
): Reservation | undefined {
  const isSame = isSameRoute(spare.target, wanted.target) && spare.charges.length === wanted.charges.length;
  if (!isSame || wanted.mayAdmitMore) return undefined;
  const charges = wanted.charges.flatMap((charge) => {
    const spared = spare.charges.find(({ limiter }) => limiter === charge.limiter);
    const limiter = entryOf(limiters, charge.limiter);
    if (spared === undefined || limiter === undefined || spared.cost < charge.cost) return [];
    const isStored = refund(limiter, spared, now) !== limiter;
    return isStored ? [{ ...charge, cost: spared.cost, returnsAt: spared.returnsAt }] : [];
  });
  return charges.length === wanted.charges.length ? { ...wanted, charges } : undefined;
}

/** A request that uses a spare. */
export interface UsedSpare {
  readonly spare: Reservation;
  readonly decision: Extract<Decision, { kind: 'attempt' }>;
  readonly reservation: Reservation;
  readonly records: RouteRecords;
}

/**
 * The spare that a request uses. The request is decided on as if the spares were given back, so it takes the same route as
 * without them. Undefined: no spare is of that route, or none suffices.
 */
export function useSpare(
  question: Question,
  spares: readonly Reservation[],
  probeMs: number,
): UsedSpare | undefined {
  const { now, needs } = question;
  const free = withoutSpares(question.records, spares, now);
  const decision = plan({ ...question, records: free });
  if (decision.kind !== 'attempt') return undefined;
  const { target } = decision;
  const provider = question.records.provider(target.provider);
  const account = question.records.account(target.account);
  const wanted = reserve({ provider, account: free.account(target.account) }, target, needs, probeMs, now);
  for (const spare of spares) {
    const reservation = reservationFrom(spare, wanted.reservation, account, now);
    if (reservation !== undefined) return { spare, decision, reservation, records: { provider, account } };
  }
  return undefined;
}
