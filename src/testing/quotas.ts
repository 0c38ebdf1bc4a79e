/** The quota of one provider: every account's windows, and which of them refuse a request. */

import type { Limits } from './options.ts';
import { openWindow, type Window, type WindowShape } from './window.ts';

/** One limit of a provider, as data. */
export interface QuotaRule {
  readonly id: string;
  /** Which number of {@link Limits} it is. */
  readonly limit: keyof Limits;
  readonly per: 'account' | 'account-model';
  readonly window: WindowShape;
  /** Where its number may be stated; the first that states one holds. */
  readonly statedBy: readonly ('model' | 'provider')[];
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
export interface Denial {
  readonly rule: QuotaRule;
  readonly limit: number;
  /** What is spent already, and what the request would spend. */
  readonly used: number;
  readonly requested: number;
  /** Epoch ms from which it would admit the request. */
  readonly resetsAt: number;
}

/** Where one of them stands. */
export interface Standing {
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
  readonly #windows = new Map<string, Window>();

  constructor(rules: readonly QuotaRule[]) {
    this.#rules = rules;
  }

  /**
   * Counts a request and says which limits refuse it; none means that it is admitted.
   * `limitOf` may answer `undefined`: no limit.
   */
  admit(spending: Spending, limitOf: (rule: QuotaRule) => number | undefined): Denial[] {
    const { now } = spending;
    const denials: Denial[] = [];
    const counted: { window: Window; limit: number; requested: number; countsRefused: boolean }[] = [];
    for (const rule of this.#rules) {
      const limit = limitOf(rule);
      if (limit === undefined) continue;
      const window = this.#window(rule, spending);
      const requested = amountOf(rule, spending);
      const moment = { now, limit };
      const used = window.used(moment);
      // What refills is a fraction, and fractions are not exact.
      if (used + requested > limit + 1e-6) {
        const resetsAt = window.resetsAt(moment, limit - requested);
        denials.push({ rule, limit, used, requested, resetsAt });
      }
      counted.push({ window, limit, requested, countsRefused: rule.countsRefused });
    }
    for (const { window, limit, requested, countsRefused } of counted) {
      if (denials.length === 0 || countsRefused) window.spend({ now, limit }, requested);
    }
    return denials;
  }

  /** Counts the tokens of an answer where they count. */
  answered(spending: Spending, tokens: number, limitOf: (rule: QuotaRule) => number | undefined): void {
    for (const rule of this.#rules) {
      const limit = rule.counts === 'total' ? limitOf(rule) : undefined;
      if (limit !== undefined) this.#window(rule, spending).spend({ now: spending.now, limit }, tokens);
    }
  }

  /** Where the first of these rules stands that has a limit. */
  standing(
    limited: keyof Limits,
    spending: Pick<Spending, 'account' | 'model' | 'now'>,
    limitOf: (rule: QuotaRule) => number | undefined,
  ): Standing | undefined {
    for (const rule of this.#rules) {
      const limit = rule.limit === limited ? limitOf(rule) : undefined;
      if (limit === undefined) continue;
      const window = this.#window(rule, spending);
      const moment = { now: spending.now, limit };
      return { limit, used: window.used(moment), resetsAt: window.resetsAt(moment, 0) };
    }
    return undefined;
  }

  reset(): void {
    this.#windows.clear();
  }

  #window(rule: QuotaRule, { account, model }: Pick<Spending, 'account' | 'model'>): Window {
    const id = JSON.stringify([rule.id, account, rule.per === 'account' ? '' : model]);
    let window = this.#windows.get(id);
    if (window === undefined) {
      window = openWindow(rule.window);
      this.#windows.set(id, window);
    }
    return window;
  }
}
