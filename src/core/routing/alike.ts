/** Models that the accounts of a provider treat alike: what is spent for one of them is spent for all of them. */

import type { Limit } from '../limits/limit.ts';
import type { Candidate } from '../pool.ts';

/** A group of models: for each account, the list of their limits, none of which counts by model. */
export type Alike = readonly (readonly Limit[])[];

const groups = new WeakMap<Candidate, readonly (Alike | undefined)[]>();

function groupModels({ provider: { accounts }, models }: Candidate): readonly (Alike | undefined)[] {
  const known: Alike[] = [];
  return models.map(({ id }) => {
    const lists = accounts.map((account) => account.limits(id));
    const group = known.find((one) => lists.every((limits, index) => limits === one[index]));
    if (group !== undefined) return group;
    if (lists.some((limits) => limits.some(({ per }) => per === 'account-model'))) return undefined;
    known.push(lists);
    return lists;
  });
}

/** The group of each model of a candidate; undefined if it is alone. */
export function alikeOf(candidate: Candidate): readonly (Alike | undefined)[] {
  let known = groups.get(candidate);
  if (known === undefined) {
    known = groupModels(candidate);
    groups.set(candidate, known);
  }
  return known;
}

/** What a provider's search has shown so far. With many spent keys, most models need no look at each account. */
export class Searched {
  readonly #candidate: Candidate;
  readonly #now: number;
  /** Epoch ms before which no account is ready for any model of a group. */
  #leastReadyAt: Map<Alike, number> | undefined;

  constructor(candidate: Candidate, now: number) {
    this.#candidate = candidate;
    this.#now = now;
  }

  note(index: number, leastReadyAt: number): void {
    if (leastReadyAt <= this.#now) return;
    const group = alikeOf(this.#candidate)[index];
    if (group === undefined) return;
    this.#leastReadyAt ??= new Map();
    this.#leastReadyAt.set(group, leastReadyAt);
  }

  /** Whether it is known that a model does not improve on `best`. */
  excludes(
    index: number,
    best: { readonly target: unknown; readonly readyAt: number },
    providerReadyAt: number,
  ): boolean {
    if (this.#leastReadyAt === undefined) return false;
    const group = alikeOf(this.#candidate)[index];
    const least = group && this.#leastReadyAt.get(group);
    if (least === undefined) return false;
    return best.target !== undefined || Math.max(least, providerReadyAt) >= best.readyAt;
  }
}
