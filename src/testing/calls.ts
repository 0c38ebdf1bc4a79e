/** The log of every request that a world received, and what became of it. */

import type { FaultKind } from './faults/fault.ts';
import type { RefusalReason } from './dialect.ts';
import type { ProviderName } from './options.ts';

/** Faults that are no outcome: they show as another refusal, or leave the answer sound. */
type FaultBehind =
  | 'slow'
  | 'limits'
  | 'unsupported'
  | 'slow-drip'
  | 'silent-comments'
  | 'no-done'
  | 'split'
  | 'endless';

/**
 * What became of a request: `served`, or the cause of its refusal. A limit refuses as `minute-limit` or `day-limit`;
 * an answer with status 200 that is spoilt by a fault has that fault as its outcome; a sound stream whose reader went
 * away before its end is `abandoned`.
 */
export type Outcome =
  | 'served'
  | 'abandoned'
  | 'minute-limit'
  | 'day-limit'
  | Exclude<RefusalReason, 'rate-limited'>
  | Exclude<FaultKind, FaultBehind>;

/** One request that reached a provider. */
export interface SimulatedCall {
  /** Epoch ms. */
  readonly at: number;
  readonly provider: ProviderName;
  readonly route: 'chat' | 'models' | 'account' | 'unknown';
  /** Masked; `undefined` when there was none. */
  readonly key: string | undefined;
  /** `undefined` for a key that the provider does not know. */
  readonly account: string | undefined;
  /** As the request names it; empty on routes without a model. */
  readonly model: string;
  /** 0 when no answer was sent. */
  readonly status: number;
  readonly outcome: Outcome;
  readonly refused: boolean;
  /** Whether the request cost money: a paid model that was served. */
  readonly paid: boolean;
}

/** How many requests came, were served, and were refused for which cause. Only chat requests count. */
export interface CallCounts {
  readonly total: number;
  /** With the abandoned ones: the provider did its part. */
  readonly served: number;
  readonly refused: number;
  /** By outcome, of all that did not simply go well; one that did not occur is absent. */
  readonly causes: Readonly<Partial<Record<Outcome, number>>>;
}

/** The log that the providers of a world write in, so that calls of one millisecond keep their order. */
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

  /** Corrects the outcome of a call; one that was forgotten meanwhile stays so. */
  amend(call: SimulatedCall, outcome: Outcome): void {
    const index = this.#calls.lastIndexOf(call);
    if (index !== -1) this.#calls[index] = { ...call, outcome };
  }

  forget(provider: ProviderName): void {
    this.#calls = this.#calls.filter((call) => call.provider !== provider);
  }
}

/** Counts the chat requests of a list of calls. */
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
