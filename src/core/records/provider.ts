/** What is stored of one provider, whatever the account: is it up, and what are its models like. */

import { CLOSED, type CircuitBreaker } from '../circuit-breaker.ts';
import { isJsonObject } from '../json.ts';
import { DAY_MS } from '../time.ts';

/** What was learnt of one model. */
export interface ModelRecord {
  /** Busy, failing or gone. */
  readonly breaker: CircuitBreaker;
  /** Optional request fields that it refuses, e.g. `seed`: not sent to it again. */
  readonly refuses?: readonly string[];
  /** Capabilities that it turned out to lack, e.g. `tools`. */
  readonly lacks?: readonly string[];
  /** Length in characters of the shortest request that was too long for it. */
  readonly tooLong?: number;
  /** Its context length in tokens, where a refusal stated it. */
  readonly ctx?: number;
  /** Epoch ms at which the last of this was learnt. */
  readonly learntAt?: number;
}

/** What one key's refusal told: it had spent `used` of a `limit` when somebody had spent the rest. */
export interface Suspicion {
  readonly account: string;
  readonly used: number;
  readonly max: number;
  /** Epoch ms. */
  readonly at: number;
}

/** An account that turned out to be another one's, or, `into` itself, to be its own. */
export interface Merged {
  readonly into: string;
  /** Whether it was concluded from what was spent; else the provider said so. */
  readonly guessed?: true;
  /** Epoch ms. */
  readonly at: number;
}

/** Plain JSON; an unknown version reads as empty. */
export interface ProviderRecord {
  readonly v: 1;
  /** Outages: struck by failures of provider scope, so that one is found out once and not once a key. */
  readonly breaker: CircuitBreaker;
  /** By model id. */
  readonly models: Readonly<Record<string, ModelRecord>>;
  /** By account id: those that share the quotas of another one. */
  readonly merged?: Readonly<Record<string, Merged>>;
  /** By the hash of what the provider calls an account: the first of our accounts that was called so. */
  readonly identities?: Readonly<Record<string, string>>;
  /** By bucket name: keys that were refused with less spent than the limit. */
  readonly suspicions?: Readonly<Record<string, readonly Suspicion[]>>;
}

export const EMPTY_PROVIDER: ProviderRecord = { v: 1, breaker: CLOSED, models: {} };

const EMPTY_MODEL: ModelRecord = { breaker: CLOSED };

export function modelOf(record: ProviderRecord, model: string): ModelRecord {
  return record.models[model] ?? EMPTY_MODEL;
}

/** What is learnt of a model is believed for a week: models change behind their names. */
const BELIEVED_MS = 7 * DAY_MS;

/** What is still believed of a model. */
export function believed(model: ModelRecord, now: number): ModelRecord {
  const { learntAt } = model;
  if (learntAt === undefined || Math.abs(now - learntAt) <= BELIEVED_MS) return model;
  return { breaker: model.breaker };
}

/** A model with what is still believed of it. */
export function knownOf(record: ProviderRecord, model: string, now: number): ModelRecord {
  return believed(modelOf(record, model), now);
}

function isProviderRecord(value: unknown): value is ProviderRecord {
  return (
    isJsonObject(value) &&
    value['v'] === EMPTY_PROVIDER.v &&
    isJsonObject(value['breaker']) &&
    isJsonObject(value['models'])
  );
}

/** Reads a stored value; what is not a record of this version reads as empty. */
export function readProviderRecord(value: unknown): ProviderRecord {
  return isProviderRecord(value) ? value : EMPTY_PROVIDER;
}
