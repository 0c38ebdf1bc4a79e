/** The stored record of an account: its limits, breakers and keys. spec 2 */

import { CLOSED, type CircuitBreaker } from '../circuit-breaker.ts';
import type { Draft } from '../draft.ts';
import type { FailureKind } from '../failure.ts';
import { entryOf, isJsonObject } from '../json.ts';
import type { Limit } from '../limits/limit.ts';
import { maxInForce } from '../limits/in-force.ts';
import { EMPTY_LIMITER, fullUntil, type LimiterState } from '../limits/state.ts';
import { usedOf } from '../limits/window.ts';

/** The last failure of a key. */
export interface LastError {
  readonly kind: FailureKind;
  readonly message: string;
  /** Epoch ms. */
  readonly at: number;
  readonly model: string;
}

/** The sum of the prices that answers stated, in the provider's currency (US dollars so far). */
export interface Billed {
  readonly amount: number;
  /** How many answers stated a price. */
  readonly calls: number;
}

/** The stored record of a key. */
export interface KeyRecord {
  readonly breaker: CircuitBreaker;
  /** What its answers cost, as far as they stated a price. */
  readonly billed?: Billed;
  readonly lastError?: LastError;
  /** Exponentially weighted mean of the time to an answer, in ms. */
  readonly latencyMs?: number;
}

/** The unit of storage: plain JSON. An unknown version reads as empty. */
export interface AccountRecord {
  readonly v: 1;
  /** Epoch ms of its first request. */
  readonly since?: number;
  /** Open while the account as a whole is refused: no credits, forbidden. */
  readonly breaker: CircuitBreaker;
  /** By limit id, or `id model` for a limit per model. */
  readonly limiters: Readonly<Record<string, LimiterState>>;
  /** By model id: open while the account may not use the model. */
  readonly models: Readonly<Record<string, CircuitBreaker>>;
  /** By key id. */
  readonly keys: Readonly<Record<string, KeyRecord>>;
}

export const EMPTY_ACCOUNT: AccountRecord = { v: 1, breaker: CLOSED, limiters: {}, models: {}, keys: {} };

/** A copy of the record, to be changed. */
export function accountDraft({
  v,
  breaker,
  limiters,
  models,
  keys,
  since,
}: AccountRecord): Draft<AccountRecord> {
  const draft: Draft<AccountRecord> = { v, breaker, limiters, models, keys };
  if (since !== undefined) draft.since = since;
  return draft;
}

const EMPTY_KEY: KeyRecord = { breaker: CLOSED };

export function keyOf(record: AccountRecord, keyId: string): KeyRecord {
  return entryOf(record.keys, keyId) ?? EMPTY_KEY;
}

/** The breaker of this account's use of `model`. */
export function entitlementOf(record: AccountRecord, model: string): CircuitBreaker {
  return entryOf(record.models, model) ?? CLOSED;
}

/** The last name of each limit. A limit mostly serves one model, and a newly joined string is slow to look up. */
const names = new WeakMap<Limit, { readonly model: string; readonly name: string }>();

/** The name under which a limit's state for `model` is stored. spec 2.1 */
export function limiterName(limit: Limit, model: string): string {
  if (limit.per === 'account') return limit.id;
  let known = names.get(limit);
  if (known?.model !== model) {
    known = { model, name: `${limit.id} ${model}` };
    names.set(limit, known);
  }
  return known.name;
}

export function limiterOf(record: AccountRecord, limit: Limit, model: string): LimiterState {
  return entryOf(record.limiters, limiterName(limit, model)) ?? EMPTY_LIMITER;
}

/** How much of a limit is used. */
export interface LimitUse {
  readonly max: number;
  readonly used: number;
}

/** The use of a limit as it is shown. spec 3.10 */
export function limitUse(record: AccountRecord, limit: Limit, model: string, now: number): LimitUse {
  const limiter = limiterOf(record, limit, model);
  return useOf(limiter, limit, maxInForce(limiter, limit, now), now);
}

/** The use of a limit of which `max` is in force. */
export function useOf(limiter: LimiterState, limit: Limit, max: number, now: number): LimitUse {
  const isFull = fullUntil(limiter, now) > 0;
  return { max, used: isFull ? max : Math.min(max, Math.ceil(usedOf(limiter, limit, now))) };
}

function isAccountRecord(value: unknown): value is AccountRecord {
  return (
    isJsonObject(value) &&
    value['v'] === EMPTY_ACCOUNT.v &&
    isJsonObject(value['breaker']) &&
    isJsonObject(value['limiters']) &&
    isJsonObject(value['models']) &&
    isJsonObject(value['keys'])
  );
}

/** Reads a stored value. A value of another version or shape reads as the empty record. spec 2.2 */
export function readAccountRecord(value: unknown): AccountRecord {
  return isAccountRecord(value) ? value : EMPTY_ACCOUNT;
}
