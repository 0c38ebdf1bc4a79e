/** A counter of a provider, with full knowledge of its limits and downtimes. */

/** A limit that changes over time. Each value applies from its time on. */
export type Steps = readonly { readonly from: number; readonly limit: number }[];

/** A downtime: nothing is served from `from` (inclusive) to `until` (exclusive). */
export interface Gap {
  readonly from: number;
  readonly until: number;
}

export type Rule =
  /** No interval of `windowMs` holds more requests than the limit. */
  | { readonly kind: 'sliding-window'; readonly windowMs: number; readonly limit: Steps }
  /** None of the periods that begin at these times holds more than the limit. Sorted. */
  | { readonly kind: 'fixed-windows'; readonly begins: readonly number[]; readonly limit: Steps }
  /** A bucket that refills by one every windowMs / limit. The limit is constant. */
  | { readonly kind: 'token-bucket'; readonly windowMs: number; readonly limit: Steps };

/** A limit in tokens. Only plans respect it, the bound ignores it. */
export interface TokenRule {
  readonly kind: 'sliding-window' | 'token-bucket';
  readonly windowMs: number;
  readonly limit: number;
  /** The tokens of a call that count. */
  readonly counts: 'prompt' | 'all';
}

export interface Machine {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Sorted and disjoint. */
  readonly down: readonly Gap[];
  /** The times of other programs' requests in epoch ms, sorted. */
  readonly foreign: readonly number[];
  readonly tokens?: TokenRule | undefined;
}

const NEVER = Number.POSITIVE_INFINITY;

/** The index of the first of the sorted `values` that is greater than `value`. */
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

/** The time of the next change of a limit after `at`. */
function nextStep(steps: Steps, at: number): number {
  return steps.find(({ from }) => from > at)?.from ?? NEVER;
}

/** A machine with the calls that it has served so far. */
export class WorkingMachine {
  readonly #machine: Machine;
  readonly #served: number[] = [];
  /** The total of tokens up to and including each served call. */
  readonly #spent: number[] = [];
  #tokensFullAt = 0;
  /** The time at which the bucket of each rule is full again, by the index of the rule. */
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

  /** The first time from `at` on at which a call of `size` tokens is admitted. Infinity if never. */
  earliest(at: number, size = 0): number {
    const { rules } = this.#machine;
    let moment = this.#upAt(Math.max(at, this.#served.at(-1) ?? at));
    for (;;) {
      let next = size > 0 ? this.#admitsTokens(moment, size) : moment;
      for (const [index, rule] of rules.entries()) {
        if (next < NEVER) next = this.#admits(rule, index, next);
      }
      next = this.#upAt(next);
      if (next === moment || next === NEVER) return next;
      moment = next;
    }
  }

  /** Serves a call at a time that {@link earliest} returned. */
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

  #upAt(at: number): number {
    for (const { from, until } of this.#machine.down) {
      if (from > at) break;
      if (at < until) return until;
    }
    return at;
  }

  /** Returns `at` if the rule admits a call then, else a later time at which it may. */
  #admits(rule: Rule, index: number, at: number): number {
    const limit = limitAt(rule.limit, at);
    switch (rule.kind) {
      case 'sliding-window':
        return this.#admitsInWindow(rule, limit, at);
      case 'fixed-windows': {
        const period = after(rule.begins, at);
        // A tolerance that is smaller than the distance of any two times.
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
    // The last call that must leave the window first.
    const total = this.#spent.at(-1) ?? 0;
    const gone = after(this.#spent, total - room - 1);
    const last = this.#served[gone];
    return total <= room || last === undefined ? at : Math.max(at, last + tokens.windowMs);
  }

  #admitsInWindow(
    { windowMs, limit: steps }: Extract<Rule, { kind: 'sliding-window' }>,
    limit: number,
    at: number,
  ): number {
    const tooMany = this.#count(at - windowMs, at) - limit;
    if (tooMany < 0) return at;
    if (limit === 0) return nextStep(steps, at);
    // The request that must leave the window first.
    const begin = at - windowMs;
    const mine = after(this.#served, begin);
    const theirs = after(this.#machine.foreign, begin);
    const leaves = this.#nth(mine, theirs, tooMany);
    return Math.min(leaves + windowMs, nextStep(steps, at));
  }

  /** The n-th (from 0) time of served calls from index `mine` on and foreign requests from index `theirs` on. */
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

  /** The number of requests after `from`, up to and including `to`. */
  #count(from: number, to: number): number {
    const { foreign } = this.#machine;
    const mine = after(this.#served, to) - after(this.#served, from);
    return foreign.length === 0 ? mine : mine + after(foreign, to) - after(foreign, from);
  }
}
