/** Looking into parsed JSON whose shape nobody promised. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** However long a list is, no more of its elements than this are looked at. */
const ELEMENTS_READ = 100;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of a list; none for everything else. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The own member `name` of an object; `undefined` for everything else. */
export function member(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Parses JSON; `undefined` when the text is none. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** JSON text of a value; an empty text for what has none, e.g. a structure too deep to be written. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/**
 * What is found along a dotted path, in order. `*` stands for every element of a list (the first hundred).
 * A missing member, null and undefined are not found.
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
