/** Looking into the entries of a provider's list, where its data says. */

import { elementsOf, member } from '../core/json.ts';
import type { ListCondition } from '../providers/spec.ts';

/** No entry has more of anything. */
const MOST_ELEMENTS = 200;
/** `[name=value]`: those elements of a list of which a member is so. */
const CHOICE = /^\[([^=\]]+)=([^\]]*)\]$/;

function step(value: unknown, name: string): readonly unknown[] {
  if (name === '*') return elementsOf(value).slice(0, MOST_ELEMENTS);
  const [, key, wanted] = CHOICE.exec(name) ?? [];
  if (key === undefined) return [member(value, name)];
  return elementsOf(value)
    .slice(0, MOST_ELEMENTS)
    .filter((element) => String(member(element, key)) === wanted);
}

/** What is found along a path of `ListCondition`, in order; null and undefined are not found. */
export function entryValues(entry: unknown, path: string): readonly unknown[] {
  let found: readonly unknown[] = [entry];
  for (const name of path.split('.')) found = found.flatMap((value) => step(value, name));
  return found.filter((value) => value !== undefined && value !== null);
}

function isAmong(values: ListCondition['is'], value: unknown): boolean {
  return values?.some((one) => one === value) === true;
}

/** Whether a condition holds of an entry. */
export function holds(entry: unknown, { path, is, only, not, required }: ListCondition): boolean {
  const found = entryValues(entry, path);
  if (found.length === 0) return required !== true;
  return (
    (is === undefined || found.some((value) => isAmong(is, value))) &&
    (only === undefined || found.every((value) => isAmong(only, value))) &&
    !found.some((value) => isAmong(not, value))
  );
}
