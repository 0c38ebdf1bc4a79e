/** One limited way to serve calls, as somebody sees it who knows everything: from when does it take the next one? */

/** A limit that changes with time: each holds from its moment on. */
export type Steps = readonly { readonly from: number; readonly limit: number }[];

/** From `from` on, before `until`, nothing is served. */
export interface Gap {
  readonly from: number;
  readonly until: number;
}

/** How a limit counts. */
export type Rule =
  /** No span of `windowMs` holds more than the limit. */
  | { readonly kind: 'sliding'; readonly windowMs: number; readonly limit: Steps }
  /** Nor does any of the periods that begin at these moments, in order. */
  | { readonly kind: 'periods'; readonly begins: readonly number[]; readonly limit: Steps }
  /** A bucket of that size; one comes back every windowMs / limit. The limit does not change. */
  | { readonly kind: 'token-bucket'; readonly windowMs: number; readonly limit: Steps };

/** A limit in tokens, for plans alone: the bound does without. */
export interface TokenRule {
  readonly kind: 'sliding' | 'token-bucket';
  readonly windowMs: number;
  readonly limit: number;
  /** Which of a call's tokens count. */
  readonly counts: 'prompt' | 'all';
}

/** What can be served by one of the provider's counters. */
export interface Machine {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** In order, apart from each other. */
  readonly down: readonly Gap[];
  /** Epoch ms at which somebody else spends one, in order. Only where that counts whatever else is spent. */
  readonly foreign: readonly number[];
  readonly tokens?: TokenRule | undefined;
}

const NEVER = Number.POSITIVE_INFINITY;

/** The index of the first of sorted `values` that is more than `value`. */
export function after(values: readonly number[], value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? NEVER) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function limitAt(steps: Steps, at: number): number {
  let limit = 0;
  for (const step of steps) {
    if (step.from > at) break;
    limit = step.limit;
  }
  return limit;
}

/** The next moment after `at` at which a limit changes. */
function nextStep(steps: Steps, at: number): number {
  return steps.find(({ from }) => from > at)?.from ?? NEVER;
}

/** A machine at work, which serves one after the other. */
export class WorkingMachine {
  readonly #machine: Machine;
  readonly #served: number[] = [];
  /** How many tokens were spent up to each of them, itself included. */
  readonly #spent: number[] = [];
  #tokensFullAt = 0;
  /** Of rules that refill, by their place: when the bucket is full again. */
  readonly #fullAt: number[];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#fullAt = machine.rules.map(() => 0);
  }

  get name(): string {
    return this.#machine.name;
  }

  get served(): readonly number[] {
    return this.#served;
  }

  /** The first moment, not before `at`, at which one more of so many tokens is admitted; Infinity when never. */
  earliest(at: number, size = 0): number {
    const { rules } = this.#machine;
    let moment = this.#up(Math.max(at, this.#served.at(-1) ?? at));
    for (;;) {
      let next = size > 0 ? this.#admitsTokens(moment, size) : moment;
      for (const [index, rule] of rules.entries()) {
        if (next < NEVER) next = this.#admits(rule, index, next);
      }
      next = this.#up(next);
      if (next === moment || next === NEVER) return next;
      moment = next;
    }
  }

  /** Serves one at a moment that {@link earliest} named. */
  take(at: number, size = 0): void {
    this.#served.push(at);
    this.#spent.push((this.#spent.at(-1) ?? 0) + size);
    const { tokens } = this.#machine;
    if (tokens?.kind === 'token-bucket')
      this.#tokensFullAt = Math.max(at, this.#tokensFullAt) + (size * tokens.windowMs) / tokens.limit;
    for (const [index, rule] of this.#machine.rules.entries()) {
      if (rule.kind !== 'token-bucket') continue;
      const perOne = rule.windowMs / limitAt(rule.limit, at);
      this.#fullAt[index] = Math.max(at, this.#fullAt[index] ?? 0) + perOne;
    }
  }

  #up(at: number): number {
    for (const { from, until } of this.#machine.down) {
      if (from > at) break;
      if (at < until) return until;
    }
    return at;
  }

  /** `at` when the rule admits one more then, else a later moment at which it may. */
  #admits(rule: Rule, index: number, at: number): number {
    const limit = limitAt(rule.limit, at);
    switch (rule.kind) {
      case 'sliding':
        return this.#slides(rule, limit, at);
      case 'periods': {
        const period = after(rule.begins, at);
        // Moments are never as near to each other as this.
        const begin = (rule.begins[period - 1] ?? Number.NEGATIVE_INFINITY) - 0.01;
        const used = this.#count(begin, at);
        return used < limit ? at : Math.min(rule.begins[period] ?? NEVER, nextStep(rule.limit, at));
      }
      case 'token-bucket': {
        if (limit === 0) return nextStep(rule.limit, at);
        const drainedMs = Math.max(0, (this.#fullAt[index] ?? 0) - at);
        const roomMs = (rule.windowMs * (limit - 1)) / limit;
        return drainedMs <= roomMs + 0.01 ? at : at + drainedMs - roomMs;
      }
    }
  }

  #admitsTokens(at: number, size: number): number {
    const { tokens } = this.#machine;
    if (tokens === undefined) return at;
    const room = tokens.limit - size;
    if (room < 0) return NEVER;
    if (tokens.kind === 'token-bucket')
      return Math.max(at, this.#tokensFullAt - (room * tokens.windowMs) / tokens.limit);
    // The last of those that have to be gone before.
    const total = this.#spent.at(-1) ?? 0;
    const gone = after(this.#spent, total - room - 1);
    const last = this.#served[gone];
    return total <= room || last === undefined ? at : Math.max(at, last + tokens.windowMs);
  }

  #slides({ windowMs, limit: steps }: Extract<Rule, { kind: 'sliding' }>, limit: number, at: number): number {
    const tooMany = this.#count(at - windowMs, at) - limit;
    if (tooMany < 0) return at;
    if (limit === 0) return nextStep(steps, at);
    // The one that has to go before another one is admitted.
    const begin = at - windowMs;
    const mine = after(this.#served, begin);
    const theirs = after(this.#machine.foreign, begin);
    const leaves = this.#nth(mine, theirs, tooMany);
    return Math.min(leaves + windowMs, nextStep(steps, at));
  }

  /** The n-th, from 0, of what was served from `mine` on and what others spent from `theirs` on. */
  #nth(mine: number, theirs: number, n: number): number {
    const { foreign } = this.#machine;
    if (theirs >= foreign.length) return this.#served[mine + n] ?? NEVER;
    let [left, right, value] = [mine, theirs, NEVER];
    for (let index = 0; index <= n; index += 1) {
      const a = this.#served[left] ?? NEVER;
      const b = foreign[right] ?? NEVER;
      value = Math.min(a, b);
      if (a <= b) left += 1;
      else right += 1;
    }
    return value;
  }

  /** How many were spent after `from`, up to and at `to`. */
  #count(from: number, to: number): number {
    const { foreign } = this.#machine;
    const mine = after(this.#served, to) - after(this.#served, from);
    return foreign.length === 0 ? mine : mine + after(foreign, to) - after(foreign, from);
  }
}
