/** The stored record of a provider: whether it is up, and what is known of its models. spec 2 */

import { CLOSED, type CircuitBreaker } from '../circuit-breaker.ts';
import { entryOf, isJsonObject } from '../json.ts';
import { DAY_MS } from '../time.ts';

/** Features of which a model rejects at least one, or all of them together. */
export interface Dislike {
  /** Sorted. Empty: a request without features was rejected. */
  readonly features: readonly string[];
  /** Epoch ms. */
  readonly at: number;
  /** Whether requests in their plain form were rejected. */
  readonly plain?: true;
}

/** What is known of one model. */
export interface ModelRecord {
  /** Open while the model is busy, failing or gone. */
  readonly breaker: CircuitBreaker;
  /** Optional request fields that the model refuses, e.g. `seed`. They are no longer sent to it. */
  readonly refuses?: readonly string[];
  /** Capabilities that the model turned out to lack, e.g. `tools`. */
  readonly lacks?: readonly string[];
  /** Length in characters of the shortest request that was too long. */
  readonly tooLong?: number;
  /** The context length in tokens that a refusal reported. */
  readonly ctx?: number;
  /** The largest answer in tokens that a refusal reported. */
  readonly maxOutput?: number;
  /** What the model rejected and another one served, newest first. */
  readonly dislikes?: readonly Dislike[];
  /** Epoch ms at which this was last updated. */
  readonly learntAt?: number;
  /** The first price that an answer or a list stated: 0, or the bill that closed the model. It is never forgotten. */
  readonly billed?: number;
}

/** A key was refused after it had used only `used` of `max`: another key may share its account. */
export interface Suspicion {
  readonly account: string;
  readonly used: number;
  readonly max: number;
  /** Epoch ms. */
  readonly at: number;
}

/** The account with which an account shares its quotas. Its own name: it shares them with none. */
export interface Merged {
  readonly into: string;
  /** Whether this was concluded from the used quota. Default: the provider reported it. */
  readonly guessed?: true;
  /** Epoch ms. */
  readonly at: number;
}

/** Plain JSON; an unknown version reads as empty. */
export interface ProviderRecord {
  readonly v: 1;
  /** How many models were billed in a row, without a free answer in between. Default: 0. */
  readonly bills?: number;
  /** Failures of provider scope strike it, so that one key finds an outage for all. */
  readonly breaker: CircuitBreaker;
  /** The ids of the keys that pools have used. Absent until the first request. */
  readonly keys?: readonly string[];
  /** By model id. */
  readonly models: Readonly<Record<string, ModelRecord>>;
  /** By account id: accounts that share the quotas of another one. */
  readonly merged?: Readonly<Record<string, Merged>>;
  /** By the hash of the provider's name for an account: the first of our accounts with that name. */
  readonly identities?: Readonly<Record<string, string>>;
  /** By the name of a limit's state: keys that were refused before they had used the limit. */
  readonly suspicions?: Readonly<Record<string, readonly Suspicion[]>>;
}

export const EMPTY_PROVIDER: ProviderRecord = { v: 1, breaker: CLOSED, models: {} };

const EMPTY_MODEL: ModelRecord = { breaker: CLOSED };

export function modelOf(record: ProviderRecord, model: string): ModelRecord {
  return entryOf(record.models, model) ?? EMPTY_MODEL;
}

/** What is known of a model is forgotten after this long, because models change behind their names. */
const TRUSTED_MS = 7 * DAY_MS;

/** A model's size is tried again after this long: the refusal that showed it may have had another reason. */
const SIZE_TRUSTED_MS = DAY_MS / 4;

/** The model without what was learnt too long ago. */
export function trusted(model: ModelRecord, now: number): ModelRecord {
  const { learntAt } = model;
  const ageMs = learntAt === undefined ? 0 : Math.abs(now - learntAt);
  if (ageMs <= SIZE_TRUSTED_MS) return model;
  if (ageMs <= TRUSTED_MS) {
    const { tooLong: _tooLong, ctx: _ctx, maxOutput: _maxOutput, ...rest } = model;
    return rest;
  }
  return model.billed === undefined
    ? { breaker: model.breaker }
    : { breaker: model.breaker, billed: model.billed };
}

/** The record after a price for `model` was stated. A first bill replaces earlier prices of 0, and stays. spec 5.11 */
export function withPrice(record: ProviderRecord, model: string, price: number): ProviderRecord {
  const known = modelOf(record, model);
  if (known.billed !== undefined && (known.billed > 0 || price === 0)) return record;
  return { ...record, models: { ...record.models, [model]: { ...known, billed: price } } };
}

/** After the bills of so many models in a row, the provider itself has begun to bill. */
const BILLS_OF_PROVIDER = 2;

/** Whether the provider bills, whatever the model. spec 5.11 */
export function billsAll({ bills = 0 }: ProviderRecord): boolean {
  return bills >= BILLS_OF_PROVIDER;
}

/** The record after an answer of `model` that stated a price, or was served without one. spec 5.11 */
export function withAnswer(record: ProviderRecord, model: string, price = 0): ProviderRecord {
  if (price > 0) {
    const isFirst = (modelOf(record, model).billed ?? 0) === 0;
    return isFirst ? { ...record, bills: (record.bills ?? 0) + 1 } : record;
  }
  if (record.bills === undefined || billsAll(record)) return record;
  const { bills: _, ...rest } = record;
  return rest;
}

/** The bill that was new to a record. */
export function newBill(before: ProviderRecord, after: ProviderRecord, model: string): number | undefined {
  const billed = modelOf(after, model).billed ?? 0;
  return billed > 0 && billed !== modelOf(before, model).billed ? billed : undefined;
}

/** What is known of a model at `now`. */
export function knownOf(record: ProviderRecord, model: string, now: number): ModelRecord {
  return trusted(modelOf(record, model), now);
}

/** The record with a change of what is known of `model`. `change` returns its argument if there is none. */
export function withModel(
  record: ProviderRecord,
  model: string,
  change: (known: ModelRecord) => ModelRecord,
  now: number,
): ProviderRecord {
  const known = knownOf(record, model, now);
  const changed = change(known);
  if (changed === known) return record;
  const { learntAt = now } = known;
  return { ...record, models: { ...record.models, [model]: { ...changed, learntAt } } };
}

function isProviderRecord(value: unknown): value is ProviderRecord {
  return (
    isJsonObject(value) &&
    value['v'] === EMPTY_PROVIDER.v &&
    isJsonObject(value['breaker']) &&
    isJsonObject(value['models'])
  );
}

/** Reads a stored value. A value of another version or shape reads as the empty record. spec 2.2 */
export function readProviderRecord(value: unknown): ProviderRecord {
  return isProviderRecord(value) ? value : EMPTY_PROVIDER;
}
