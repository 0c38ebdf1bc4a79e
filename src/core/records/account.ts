/** What is stored of one account: its meters, its breakers, its keys. It only composes. */

import { CLOSED, type CircuitBreaker } from '../circuit-breaker.ts';
import type { FailureKind } from '../failure.ts';
import { isJsonObject } from '../json.ts';
import type { Limit } from '../limits/limit.ts';
import { maxInForce, usedOf, EMPTY_LIMITER, fullUntil, type LimiterState } from '../limits/window.ts';

/** The last failure of a key, for people to read. */
export interface LastError {
  readonly kind: FailureKind;
  readonly message: string;
  /** Epoch ms. */
  readonly at: number;
  readonly model: string;
}

/** What is stored of one key. */
export interface KeyRecord {
  readonly breaker: CircuitBreaker;
  readonly lastError?: LastError;
  /** Exponentially weighted mean of the time that an answer takes. */
  readonly latencyMs?: number;
}

/** The unit of storage. Plain JSON; an unknown version reads as empty. */
export interface AccountRecord {
  readonly v: 1;
  /** Epoch ms since which its requests are counted. */
  readonly since?: number;
  /** The account as a whole: out of credits, forbidden. */
  readonly breaker: CircuitBreaker;
  /** By meter id, or `id model` where the provider counts per model. */
  readonly limiters: Readonly<Record<string, LimiterState>>;
  /** This account's use of one model: not entitled, refused without a reason. By model id. */
  readonly models: Readonly<Record<string, CircuitBreaker>>;
  /** By key id. */
  readonly keys: Readonly<Record<string, KeyRecord>>;
}

export const EMPTY_ACCOUNT: AccountRecord = { v: 1, breaker: CLOSED, limiters: {}, models: {}, keys: {} };

const EMPTY_KEY: KeyRecord = { breaker: CLOSED };

export function keyOf(record: AccountRecord, keyId: string): KeyRecord {
  return record.keys[keyId] ?? EMPTY_KEY;
}

/** The breaker of this account's use of `model`. */
export function entitlementOf(record: AccountRecord, model: string): CircuitBreaker {
  return record.models[model] ?? CLOSED;
}

/** By meter, the last name asked for: a meter is mostly of one model, and a name put together anew is slow to look up. */
const names = new WeakMap<Limit, { readonly model: string; readonly name: string }>();

/** The name under which a meter's bucket for `model` is stored. */
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
  return record.limiters[limiterName(limit, model)] ?? EMPTY_LIMITER;
}

/** What is left of a meter at `now`. */
export interface LimitUse {
  readonly max: number;
  readonly used: number;
}

export function limitUse(record: AccountRecord, limit: Limit, model: string, now: number): LimitUse {
  const limiter = limiterOf(record, limit, model);
  const max = maxInForce(limiter, limit, now);
  return {
    max,
    used: fullUntil(limiter, now) > 0 ? max : Math.min(max, Math.ceil(usedOf(limiter, limit, now))),
  };
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

/** Reads a stored value; what is not a record of this version reads as empty. */
export function readAccountRecord(value: unknown): AccountRecord {
  return isAccountRecord(value) ? value : EMPTY_ACCOUNT;
}
