/** The log of all requests that a world received. */

import type { FaultKind } from './faults/fault.ts';
import type { RefusalReason } from './dialect.ts';
import type { ProviderName } from './options.ts';

/** Faults that are no outcome: they cause another refusal, or leave the answer intact. */
type FaultWithoutOutcome =
  | 'bills'
  | 'slow'
  | 'limits'
  | 'unsupported'
  | 'slow-drip'
  | 'silent-comments'
  | 'no-done'
  | 'split'
  | 'odd'
  | 'endless';

/**
 * The outcome of a request: `served`, `abandoned` if the client left an intact stream before its end, `minute-limit` or
 * `day-limit` if a quota refused it, or else the reason of the refusal or the fault in the answer.
 */
export type Outcome =
  | 'served'
  | 'abandoned'
  | 'minute-limit'
  | 'day-limit'
  | Exclude<RefusalReason, 'rate-limited'>
  | Exclude<FaultKind, FaultWithoutOutcome>;

/** What a request is about. */
export type SimulatedRoute = 'chat' | 'embeddings' | 'models' | 'account' | 'unknown';

/** One request that reached a provider. */
export interface SimulatedCall {
  /** Epoch ms. */
  readonly at: number;
  readonly provider: ProviderName;
  readonly route: SimulatedRoute;
  /** Masked. `undefined` if the request had none. */
  readonly key: string | undefined;
  /** `undefined` if the provider does not know the key. */
  readonly account: string | undefined;
  /** As spelt in the request. Empty for routes without a model. */
  readonly model: string;
  /** 0 if no answer was sent. */
  readonly status: number;
  readonly outcome: Outcome;
  readonly refused: boolean;
  /** Whether the request cost money: a paid model served it, or its answer stated a price. */
  readonly paid: boolean;
}

/** Counts of chat requests. */
export interface CallCounts {
  readonly total: number;
  /** Includes abandoned requests. */
  readonly served: number;
  readonly refused: number;
  /** The number of each outcome but `served`. Outcomes that did not occur are absent. */
  readonly causes: Readonly<Partial<Record<Outcome, number>>>;
}

/** One log for all providers of a world, so that calls within one millisecond keep their order. */
export class CallLog {
  #calls: SimulatedCall[] = [];

  get all(): readonly SimulatedCall[] {
    return this.#calls;
  }

  of(provider: ProviderName): readonly SimulatedCall[] {
    return this.#calls.filter((call) => call.provider === provider);
  }

  write(call: SimulatedCall): void {
    this.#calls.push(call);
  }

  /** Changes the outcome of a call. Does nothing if the call was removed meanwhile. */
  amend(call: SimulatedCall, outcome: Outcome): void {
    const index = this.#calls.lastIndexOf(call);
    if (index !== -1) this.#calls[index] = { ...call, outcome };
  }

  forget(provider: ProviderName): void {
    this.#calls = this.#calls.filter((call) => call.provider !== provider);
  }
}

export function countCalls(calls: readonly SimulatedCall[]): CallCounts {
  const causes: Partial<Record<Outcome, number>> = {};
  let served = 0;
  let refused = 0;
  for (const call of calls) {
    if (call.route !== 'chat') continue;
    if (call.refused) refused += 1;
    else served += 1;
    if (call.outcome !== 'served') causes[call.outcome] = (causes[call.outcome] ?? 0) + 1;
  }
  return { total: served + refused, served, refused, causes };
}
