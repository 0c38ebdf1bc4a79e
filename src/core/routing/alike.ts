/** Models that the accounts of a provider treat alike: what is spent for one of them is spent for all of them. */

import type { Candidate } from '../pool.ts';

const memory = new WeakMap<Candidate, readonly number[]>();

function groupModels({ provider: { accounts }, models }: Candidate): readonly number[] {
  const groups: { readonly first: number; readonly lists: readonly unknown[] }[] = [];
  return models.map(({ id }, index) => {
    const lists = accounts.map((account) => account.limits(id));
    const group = groups.find((one) => lists.every((limits, place) => limits === one.lists[place]));
    if (group !== undefined) return group.first;
    if (lists.some((limits) => limits.some(({ per }) => per === 'account-model'))) return index;
    groups.push({ first: index, lists });
    return index;
  });
}

/** For each model of a candidate, the index of the first model that all accounts treat like it: none of their limits counts by model. */
export function firstsOf(candidate: Candidate): readonly number[] {
  let known = memory.get(candidate);
  if (known === undefined) {
    known = groupModels(candidate);
    memory.set(candidate, known);
  }
  return known;
}
