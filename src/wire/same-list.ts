/** Changes of lists and objects that give back what they were given where nothing changes. */

/** The list with each item changed; the same list when none is. */
export function mapSame<T>(list: readonly T[], change: (item: T) => T): readonly T[] {
  let changed: T[] | undefined;
  for (const [index, item] of list.entries()) {
    const next = change(item);
    if (changed === undefined && next !== item) changed = list.slice(0, index);
    changed?.push(next);
  }
  return changed ?? list;
}

/** The object without the members for which `leaves` holds; the same object when there are none. */
export function without<T extends object>(value: T, leaves: (name: string) => boolean): T {
  if (!Object.keys(value).some(leaves)) return value;
  const kept = { ...value };
  for (const name of Object.keys(kept)) if (leaves(name)) Reflect.deleteProperty(kept, name);
  return kept;
}
