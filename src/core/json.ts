/** Reads parsed JSON of unknown shape. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The most elements of a list that a path looks at. */
const ELEMENTS_READ = 100;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NONE: readonly unknown[] = [];

/** The elements of a list; none for any other value. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE;
}

/**
 * The entry `name` of a record; undefined if it has none. A name from outside, such as that of a model, may be
 * `constructor`, which every object inherits.
 */
export function entryOf<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  name: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The own member `name` of an object; `undefined` for any other value. */
export function member(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Gives an object a member of its own, also one named `__proto__`. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

/** Gives an object all members of another one. A copy for each of many pieces would cost their square. */
export function setMembers<T extends Record<string, unknown>>(object: T, members: JsonObject): T {
  for (const name of Object.keys(members)) setMember(object, name, members[name]);
  return object;
}

/** Parses JSON; `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** The JSON text of a value; an empty text if it has none, e.g. because it is nested too deeply. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/**
 * The values along a dotted path, in order. `*` stands for every element of a list (the first hundred). Missing
 * members, null and undefined are left out. spec 7.5
 */
export function valuesAt(json: unknown, path: string): readonly unknown[] {
  let found: readonly unknown[] = [json];
  for (const step of path.split('.')) {
    found = found.flatMap((value) =>
      step === '*' ? elementsOf(value).slice(0, ELEMENTS_READ) : [member(value, step)],
    );
  }
  return found.filter((value) => value !== undefined && value !== null);
}
