/** Makes the arguments of a tool call fit the tool's schema, where it is certain what the model meant. */

import { isJsonObject, type JsonObject, jsonText, member, parseJson } from '../../core/json.ts';
import { argumentsOf } from './call-forms.ts';
import { looseJson, MOST_REPAIRED } from './loose-json.ts';

/** Where a value breaks a schema. */
export interface SchemaProblem {
  /** Names of members and indexes of elements, from the outside in. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Whether the schema does not allow a member of this name. */
  readonly isUnknown?: true;
}

/** Checks a value against one schema. */
export type SchemaCheck = (value: unknown) => readonly SchemaProblem[];

/** More repairs are no longer a certain reading. */
const MAX_REPAIRS = 16;

/** Stands for a member that is left out. */
const LEFT_OUT = Symbol('left out');

/** A copy with the value at a path replaced; `undefined` if there is no such place. */
function withValueAt(value: unknown, [step, ...rest]: readonly (string | number)[], next: unknown): unknown {
  if (step === undefined) return next;
  if (Array.isArray(value) && typeof step === 'number') {
    return value.map((one: unknown, index) => (index === step ? withValueAt(one, rest, next) : one));
  }
  if (!isJsonObject(value)) return undefined;
  const name = String(step);
  if (rest.length === 0 && next === LEFT_OUT)
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
  return { ...value, [name]: withValueAt(member(value, name), rest, next) };
}

export function valueAtPath(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, step) =>
      Array.isArray(found) && typeof step === 'number' ? found[step] : member(found, String(step)),
    value,
  );
}

/** What a model may have meant by a value of the wrong type. */
function readingsOf(value: unknown): readonly unknown[] {
  if (value === null) return [LEFT_OUT];
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value), [value]];
  if (typeof value !== 'string') return isJsonObject(value) ? [[value]] : [];
  const inner = looseJson(value.trim());
  if (inner === undefined || inner.missing !== 'nothing') return [[value]];
  return typeof inner.value === 'object' && inner.value !== null ? [inner.value] : [inner.value, [value]];
}

function isBelow(path: readonly (string | number)[], place: readonly (string | number)[]): boolean {
  return place.every((step, index) => path[index] === step);
}

/** The value with the first problem repaired; `undefined` if no reading, or more than one, repairs it. */
function repaired(value: unknown, { path, isUnknown }: SchemaProblem, check: SchemaCheck): unknown {
  const readings = isUnknown === true ? [LEFT_OUT] : readingsOf(valueAtPath(value, path));
  const found = readings
    .map((reading) => withValueAt(value, path, reading))
    .filter((next) => next !== undefined && !check(next).some((problem) => isBelow(problem.path, path)));
  return found.length === 1 ? found[0] : undefined;
}

/** A value that fits a schema, or what is wrong with it. */
export type SoundValue =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] };

function isEmpty(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** Whether only unknown members were given to a schema that has some: the model meant something else. */
function isOther(value: unknown, problems: readonly SchemaProblem[], schema: JsonObject): boolean {
  return (
    isEmpty(value) && !isEmpty(schema['properties'] ?? {}) && problems.some(({ isUnknown }) => isUnknown)
  );
}

/**
 * The value, repaired where it breaks the schema and one reading fits.
 * @param length - The length of the text that it was read from: a long one is not repaired.
 */
export function soundValue(
  given: unknown,
  schema: JsonObject,
  check: SchemaCheck | undefined,
  length: number,
): SoundValue {
  if (check === undefined) return { ok: true, value: given };
  const broken = check(given);
  let value = given;
  let problems = broken;
  const most = length > MOST_REPAIRED ? 0 : MAX_REPAIRS;
  for (let repairs = 0; repairs < most; repairs += 1) {
    const [first] = problems;
    if (first === undefined) break;
    const next = repaired(value, first, check);
    if (next === undefined) break;
    value = next;
    problems = check(value);
  }
  if (problems.length > 0) return { ok: false, problems };
  return isOther(value, broken, schema) ? { ok: false, problems: broken } : { ok: true, value };
}

/** The most problems that are named. */
const MAX_PROBLEMS = 8;

/**
 * Problems in words, for a model or in an error. A name that the schema does not have may be a part of the answer, and is left
 * out.
 */
export function problemsText(problems: readonly SchemaProblem[], schema: JsonObject): string {
  const known = jsonText(schema);
  const named = problems.slice(0, MAX_PROBLEMS).map(({ path, message, isUnknown }) => {
    if (isUnknown === true) return 'it has a member that the schema does not allow';
    const steps = path.map((step) =>
      typeof step === 'number' || known.includes(JSON.stringify(step)) ? step : '*',
    );
    return `${steps.length === 0 ? 'the value' : steps.join('.')}: ${message}`;
  });
  return named.join('; ');
}

/** The arguments as JSON text that fits the schema, or what is wrong with them. */
export type Arguments =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

/** Reads arguments as a model wrote them. A text that is right stays as it is. */
// spec 13.10
export function soundArguments(text: string, schema: JsonObject, check: SchemaCheck | undefined): Arguments {
  const strict = parseJson(text);
  const loose = (): JsonObject | undefined => (text.length > MOST_REPAIRED ? undefined : argumentsOf(text));
  const given: JsonObject | undefined = isJsonObject(strict) ? strict : loose();
  if (given === undefined) return { ok: false, message: 'the arguments are no JSON object' };
  const sound = soundValue(given, schema, check, text.length);
  if (sound.ok) return { ok: true, text: sound.value === strict ? text : jsonText(sound.value) };
  return { ok: false, message: problemsText(sound.problems.slice(0, 1), schema) };
}
