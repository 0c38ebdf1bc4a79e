import { elementsOf, member } from '../core/json.ts';
import type { ListCondition } from '../providers/spec.ts';

/** No list inside an entry is longer. */
const MOST_ELEMENTS = 200;
/** `[name=value]` selects the elements of a list with such a member. */
const SELECTOR = /^\[([^=\]]+)=([^\]]*)\]$/;

function step(value: unknown, name: string): readonly unknown[] {
  if (name === '*') return elementsOf(value).slice(0, MOST_ELEMENTS);
  const [, key, wanted] = SELECTOR.exec(name) ?? [];
  if (key === undefined) return [member(value, name)];
  return elementsOf(value)
    .slice(0, MOST_ELEMENTS)
    .filter((element) => String(member(element, key)) === wanted);
}

/** The values at a path of `ListCondition`, in order, without null and undefined. */
// spec 10.2
export function entryValues(entry: unknown, path: string): readonly unknown[] {
  let found: readonly unknown[] = [entry];
  for (const name of path.split('.')) found = found.flatMap((value) => step(value, name));
  return found.filter((value) => value !== undefined && value !== null);
}

function isAmong(values: ListCondition['is'], value: unknown): boolean {
  return values?.some((one) => one === value) === true;
}

/** Whether an entry fulfils a condition. */
export function holds(entry: unknown, { path, is, only, not, required }: ListCondition): boolean {
  const found = entryValues(entry, path);
  if (found.length === 0) return required !== true;
  return (
    (is === undefined || found.some((value) => isAmong(is, value))) &&
    (only === undefined || found.every((value) => isAmong(only, value))) &&
    !found.some((value) => isAmong(not, value))
  );
}
