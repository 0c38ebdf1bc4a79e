/** The way of a call to its next route: it waits for a grant, and gives one back that came too late. */

import { unlessAborted } from '../abort.ts';
import type { Clock } from '../ports.ts';
import type { Call } from './call.ts';
import type { Ledger, ReservedAttempt } from './ledger.ts';
import type { Maybe } from './stored-records.ts';
import type { Served } from './wait-queue.ts';
import type { WaitQueues } from './wait-queues.ts';

/** Why a call ends without an answer. */
export type GiveUp =
  | Extract<Served, { kind: 'give-up' }>
  | { readonly kind: 'give-up'; readonly reason: 'deadline' };

/** Builds the error of a call that gets no grant. */
export interface GrantErrors {
  /** No route is left to try. */
  exhausted(call: Call<unknown>, giveUp: GiveUp): Error;
}

export interface GrantPorts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly queues: WaitQueues;
  readonly errors: GrantErrors;
}

/**
 * Waits for a grant. Rejects as soon as the caller aborts, even if the store is slow. A later reservation is refunded.
 */
async function unlessCallerLeft(
  engine: GrantPorts,
  { signal }: Call<unknown>,
  next: Promise<Served>,
): Promise<Served> {
  if (signal === undefined) return next;
  try {
    return await unlessAborted(next, signal);
  } catch (error) {
    if (signal.aborted) void next.then((grant) => refund(engine, grant)).catch(() => undefined);
    throw error;
  }
}

/** Refunds a grant that came too late to be used: nothing was sent. */
export async function refund(engine: GrantPorts, grant: Served): Promise<void> {
  if (grant.kind !== 'attempt') return;
  await engine.ledger.settle(grant.reservation, { kind: 'aborted', sent: false });
  engine.queues.wake();
}

/**
 * Waits for the next route and reserves it. A store in memory grants it at once.
 * @throws what the call ends with if there is no route, its deadline has passed, or its caller aborted.
 */
export function nextGrant(engine: GrantPorts, call: Call<unknown>): Maybe<ReservedAttempt> {
  call.signal?.throwIfAborted();
  if (engine.clock.monotonicMs() >= call.deadline) {
    throw engine.errors.exhausted(call, { kind: 'give-up', reason: 'deadline' });
  }
  const grant = engine.queues.next(call);
  if (grant instanceof Promise) return awaitedGrant(engine, call, grant);
  if (grant.kind === 'give-up') throw engine.errors.exhausted(call, grant);
  // A store on a slow disk may have blocked the process past the deadline.
  return engine.clock.monotonicMs() < call.deadline ? grant : retried(engine, call, grant);
}

/** Takes a grant back that came too late, and asks again. */
async function retried(
  engine: GrantPorts,
  call: Call<unknown>,
  grant: ReservedAttempt,
): Promise<ReservedAttempt> {
  await refund(engine, grant);
  return nextGrant(engine, call);
}

/** Waits for a grant. The deadline may pass meanwhile, or the caller abort. */
async function awaitedGrant(
  engine: GrantPorts,
  call: Call<unknown>,
  next: Promise<Served>,
): Promise<ReservedAttempt> {
  const grant = await unlessCallerLeft(engine, call, next);
  if (grant.kind === 'give-up') throw engine.errors.exhausted(call, grant);
  if (call.signal?.aborted !== true && engine.clock.monotonicMs() < call.deadline) return grant;
  return retried(engine, call, grant);
}
