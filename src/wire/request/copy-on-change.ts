/** Copies with a change. An unchanged value is returned itself, so that callers can compare by identity. */

export function mapSame<T>(list: readonly T[], change: (item: T) => T): readonly T[] {
  let changed: T[] | undefined;
  let index = 0;
  for (const item of list) {
    const next = change(item);
    if (changed === undefined && next !== item) changed = list.slice(0, index);
    changed?.push(next);
    index += 1;
  }
  return changed ?? list;
}

/** The object without the members whose name passes the test. */
export function without<T extends object>(value: T, isDropped: (name: string) => boolean): T {
  if (!Object.keys(value).some(isDropped)) return value;
  const kept = { ...value };
  for (const name of Object.keys(kept)) if (isDropped(name)) Reflect.deleteProperty(kept, name);
  return kept;
}

/** The object with each member changed; a member that becomes undefined is dropped. */
export function mapMembers(
  value: Readonly<Record<string, unknown>>,
  change: (member: unknown, name: string) => unknown,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value);
  const changed = entries.map(([name, given]) => [name, change(given, name)] as const);
  const isSame = changed.every(([, next], index) => next === entries[index]?.[1]);
  return isSame ? value : Object.fromEntries(changed.filter(([, next]) => next !== undefined));
}
