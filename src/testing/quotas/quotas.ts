/** The quotas of one provider, and their use by each account. */

import type { Limits } from '../options.ts';
import { createCounter, type LimitCounter, type CounterKind } from './counter.ts';

/** One limit of a provider. */
export interface QuotaRule {
  readonly id: string;
  /** The field of {@link Limits} with its value. */
  readonly limit: keyof Limits;
  readonly per: 'account' | 'account-model';
  readonly counter: CounterKind;
  /** The places that can set its value, in order of precedence. */
  readonly setBy: readonly ('model' | 'provider')[];
  /** The tokens that count, for a limit in tokens. Default `input`. */
  readonly counts?: 'input' | 'total' | 'reserved';
  /** Whether refused requests count. */
  readonly countsRefused: boolean;
  /** Whether each text of a batch counts as a request. Default false. */
  readonly countsInputs?: boolean;
}

/** The use of quota by one request. */
export interface Spending {
  readonly account: string;
  /** The model whose limits apply. Aliases are resolved. */
  readonly model: string;
  readonly promptTokens: number;
  /** The `max_tokens` of the request. 0 if absent. */
  readonly maxTokens: number;
  /** How many texts it has. @defaultValue 1 */
  readonly inputs?: number | undefined;
  readonly now: number;
}

/** A limit that refuses a request. */
export interface ExceededLimit {
  readonly rule: QuotaRule;
  readonly limit: number;
  /** The amount used before, and the amount that the request needs. */
  readonly used: number;
  readonly requested: number;
  /** The time in epoch ms from which it would admit the request. */
  readonly resetsAt: number;
}

/** The use of one limit. */
export interface QuotaStatus {
  readonly limit: number;
  readonly used: number;
  /** The time in epoch ms from which the limit is unused. */
  readonly resetsAt: number;
}

/** The tokens that `reserved` counts for an answer without `max_tokens`. */
const DEFAULT_MAX_TOKENS = 2048;

function amountOf(
  { limit, counts, countsInputs }: QuotaRule,
  { promptTokens, maxTokens, inputs = 1 }: Spending,
): number {
  if (limit !== 'tpm') return countsInputs === true ? inputs : 1;
  return counts === 'reserved' ? promptTokens + (maxTokens || DEFAULT_MAX_TOKENS) : promptTokens;
}

export class Quotas {
  readonly #rules: readonly QuotaRule[];
  readonly #counters = new Map<string, LimitCounter>();

  constructor(rules: readonly QuotaRule[]) {
    this.#rules = rules;
  }

  /**
   * Counts a request, and returns the limits that it exceeds. If there are none, the request is admitted.
   * @param limitOf - Returns `undefined` for a rule without a limit.
   */
  admit(spending: Spending, limitOf: (rule: QuotaRule) => number | undefined): ExceededLimit[] {
    const { now } = spending;
    const exceeded: ExceededLimit[] = [];
    const counted: { counter: LimitCounter; limit: number; requested: number; countsRefused: boolean }[] = [];
    for (const rule of this.#rules) {
      const limit = limitOf(rule);
      if (limit === undefined) continue;
      const counter = this.#counter(rule, spending);
      const requested = amountOf(rule, spending);
      const moment = { now, limit };
      const used = counter.used(moment);
      // The use of a token bucket is a fraction, so it needs a tolerance.
      if (used + requested > limit + 1e-6) {
        const resetsAt = counter.resetsAt(moment, limit - requested);
        exceeded.push({ rule, limit, used, requested, resetsAt });
      }
      counted.push({ counter, limit, requested, countsRefused: rule.countsRefused });
    }
    for (const { counter, limit, requested, countsRefused } of counted) {
      if (exceeded.length === 0 || countsRefused) counter.add({ now, limit }, requested);
    }
    return exceeded;
  }

  /** Counts the tokens of an answer against the limits that include them. */
  addAnswer(spending: Spending, tokens: number, limitOf: (rule: QuotaRule) => number | undefined): void {
    for (const rule of this.#rules) {
      const limit = rule.counts === 'total' ? limitOf(rule) : undefined;
      if (limit !== undefined) this.#counter(rule, spending).add({ now: spending.now, limit }, tokens);
    }
  }

  /** The use of the first rule for the limit `limited` that has a value. */
  status(
    limited: keyof Limits,
    spending: Pick<Spending, 'account' | 'model' | 'now'>,
    limitOf: (rule: QuotaRule) => number | undefined,
  ): QuotaStatus | undefined {
    for (const rule of this.#rules) {
      const limit = rule.limit === limited ? limitOf(rule) : undefined;
      if (limit === undefined) continue;
      const counter = this.#counter(rule, spending);
      const moment = { now: spending.now, limit };
      return { limit, used: counter.used(moment), resetsAt: counter.resetsAt(moment, 0) };
    }
    return undefined;
  }

  reset(): void {
    this.#counters.clear();
  }

  #counter(rule: QuotaRule, { account, model }: Pick<Spending, 'account' | 'model'>): LimitCounter {
    const id = JSON.stringify([rule.id, account, rule.per === 'account' ? '' : model]);
    let counter = this.#counters.get(id);
    if (counter === undefined) {
      counter = createCounter(rule.counter);
      this.#counters.set(id, counter);
    }
    return counter;
  }
}
