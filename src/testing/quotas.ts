/** The quota of one provider: every account's windows, and which of them refuse a request. */

import type { Limits } from './options.ts';
import { openWindow } from './window.ts';
import type { Window, WindowShape } from './window.ts';

/** One limit of a provider, as data. */
export interface QuotaRule {
  readonly id: string;
  /** Which number of {@link Limits} it is. */
  readonly limit: keyof Limits;
  readonly per: 'account' | 'account-model';
  readonly window: WindowShape;
  /** Where its number may be stated; the first that states one holds. */
  readonly statedBy: readonly ('model' | 'provider')[];
  /** Whether a refused request counts, too. */
  readonly countsRefused: boolean;
}

/** Who spends, on what and how much. */
export interface Spending {
  readonly account: string;
  /** The model whose limits are spent: an alias is resolved. */
  readonly model: string;
  readonly promptTokens: number;
  readonly now: number;
}

/** A limit that refuses a request. */
export interface Denial {
  readonly rule: QuotaRule;
  readonly limit: number;
  /** Epoch ms from which it would admit the request. */
  readonly resetsAt: number;
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
    const counted: { window: Window; amount: number; countsRefused: boolean }[] = [];
    for (const rule of this.#rules) {
      const limit = limitOf(rule);
      if (limit === undefined) continue;
      const window = this.#window(rule, spending);
      const amount = rule.limit === 'tpm' ? spending.promptTokens : 1;
      if (window.used(now) + amount > limit) {
        denials.push({ rule, limit, resetsAt: window.resetsAt(now, limit - amount) });
      }
      counted.push({ window, amount, countsRefused: rule.countsRefused });
    }
    for (const { window, amount, countsRefused } of counted) {
      if (denials.length === 0 || countsRefused) window.spend(now, amount);
    }
    return denials;
  }

  /** What is spent of a rule; `undefined` where the rule does not exist. */
  used(ruleId: string, spending: Omit<Spending, 'promptTokens'>): number | undefined {
    const rule = this.#rules.find(({ id }) => id === ruleId);
    return rule && this.#window(rule, spending).used(spending.now);
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
