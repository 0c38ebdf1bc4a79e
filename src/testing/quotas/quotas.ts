/** The quota of one provider: every account's windows, and which of them refuse a request. */

import type { Limits } from '../options.ts';
import { createCounter, type LimitCounter, type CounterKind } from './counter.ts';

/** One limit of a provider, as data. */
export interface QuotaRule {
  readonly id: string;
  /** Which number of {@link Limits} it is. */
  readonly limit: keyof Limits;
  readonly per: 'account' | 'account-model';
  readonly counter: CounterKind;
  /** Where its number may be stated; the first that states one holds. */
  readonly setBy: readonly ('model' | 'provider')[];
  /** Of a limit in tokens: which of them count. Default `input`. */
  readonly counts?: 'input' | 'total' | 'reserved';
  /** Whether a refused request counts, too. */
  readonly countsRefused: boolean;
}

/** Who spends, on what and how much. */
export interface Spending {
  readonly account: string;
  /** The model whose limits are spent: an alias is resolved. */
  readonly model: string;
  readonly promptTokens: number;
  /** The longest answer that the request allows; 0 when it does not say. */
  readonly maxTokens: number;
  readonly now: number;
}

/** A limit that refuses a request. */
export interface ExceededLimit {
  readonly rule: QuotaRule;
  readonly limit: number;
  /** What is spent already, and what the request would spend. */
  readonly used: number;
  readonly requested: number;
  /** Epoch ms from which it would admit the request. */
  readonly resetsAt: number;
}

/** Where one of them stands. */
export interface QuotaStatus {
  readonly limit: number;
  readonly used: number;
  /** Epoch ms from which nothing is spent. */
  readonly resetsAt: number;
}

/** The longest answer that is taken for one that is not bounded. */
const UNBOUNDED_ANSWER = 2048;

function amountOf({ limit, counts }: QuotaRule, { promptTokens, maxTokens }: Spending): number {
  if (limit !== 'tpm') return 1;
  return counts === 'reserved' ? promptTokens + (maxTokens || UNBOUNDED_ANSWER) : promptTokens;
}

/** All windows of one provider. */
export class Quotas {
  readonly #rules: readonly QuotaRule[];
  readonly #counters = new Map<string, LimitCounter>();

  constructor(rules: readonly QuotaRule[]) {
    this.#rules = rules;
  }

  /**
   * Counts a request and says which limits refuse it; none means that it is admitted.
   * `limitOf` may answer `undefined`: no limit.
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
      // What refills is a fraction, and fractions are not exact.
      if (used + requested > limit + 1e-6) {
        const resetsAt = counter.resetsAt(moment, limit - requested);
        exceeded.push({ rule, limit, used, requested, resetsAt });
      }
      counted.push({ counter, limit, requested, countsRefused: rule.countsRefused });
    }
    for (const { counter, limit, requested, countsRefused } of counted) {
      if (exceeded.length === 0 || countsRefused) counter.spend({ now, limit }, requested);
    }
    return exceeded;
  }

  /** Counts the tokens of an answer where they count. */
  answered(spending: Spending, tokens: number, limitOf: (rule: QuotaRule) => number | undefined): void {
    for (const rule of this.#rules) {
      const limit = rule.counts === 'total' ? limitOf(rule) : undefined;
      if (limit !== undefined) this.#counter(rule, spending).spend({ now: spending.now, limit }, tokens);
    }
  }

  /** Where the first of these rules stands that has a limit. */
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
