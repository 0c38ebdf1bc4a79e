/** What is stored of one provider, whatever the account: is it up, and what are its models like. */

import { CLOSED, type CircuitBreaker } from './circuit-breaker.ts';

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
}

/** Plain JSON; an unknown version reads as empty. */
export interface ProviderRecord {
  readonly v: 1;
  /** Outages: struck by failures of provider scope, so that one is found out once and not once a key. */
  readonly breaker: CircuitBreaker;
  /** By model id. */
  readonly models: Readonly<Record<string, ModelRecord>>;
}

export const EMPTY_PROVIDER: ProviderRecord = { v: 1, breaker: CLOSED, models: {} };

const EMPTY_MODEL: ModelRecord = { breaker: CLOSED };

export function modelOf(record: ProviderRecord, model: string): ModelRecord {
  return record.models[model] ?? EMPTY_MODEL;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProviderRecord(value: unknown): value is ProviderRecord {
  return (
    isObject(value) &&
    'v' in value &&
    value.v === EMPTY_PROVIDER.v &&
    'breaker' in value &&
    isObject(value.breaker) &&
    'models' in value &&
    isObject(value.models)
  );
}

/** Reads a stored value; what is not a record of this version reads as empty. */
export function readProviderRecord(value: unknown): ProviderRecord {
  return isProviderRecord(value) ? value : EMPTY_PROVIDER;
}
