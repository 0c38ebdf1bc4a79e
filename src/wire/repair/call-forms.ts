/** Reads one tool call, in any of the forms in which models write them, at a place in a text. */

import { elementsOf, isJsonObject, type JsonObject, jsonText, member, parseJson } from '../../core/json.ts';
import type { DeclaredTools } from '../request/declared-tools.ts';
import { looseJson, LooseReader } from './loose-json.ts';

/** A tool call found in a text. */
export interface WrittenCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** Calls, and the index after them. */
export interface FoundCalls {
  readonly calls: readonly WrittenCall[];
  readonly end: number;
}

const NAME_KEYS: readonly string[] = ['name', 'tool', 'tool_name', 'function', 'function_name', 'action'];
const ARGUMENT_KEYS: readonly string[] = [
  'arguments',
  'parameters',
  'args',
  'input',
  'params',
  'tool_input',
  'action_input',
];
/** Members of a call written as an object. */
export const CALL_KEYS: readonly string[] = [...NAME_KEYS, ...ARGUMENT_KEYS, 'id', 'type', 'index'];
const OTHER_KEYS: ReadonlySet<string> = new Set(CALL_KEYS);

function firstMember(value: JsonObject, names: readonly string[]): unknown {
  return names.map((name) => member(value, name)).find((found) => found !== undefined);
}

/** The declared name that a model's spelling of it means. */
export function declaredName(given: unknown, tools: DeclaredTools): string | undefined {
  if (typeof given !== 'string') return undefined;
  const name = given.trim();
  if (tools.has(name)) return name;
  const bare = name.replace(/^(?:functions?|default_api|tools?)[.:]/, '').replace(/:\d+$/, '');
  return tools.has(bare) ? bare : undefined;
}

/** Arguments as an object. Some models write them as JSON text within JSON. */
export function argumentsOf(given: unknown): JsonObject | undefined {
  if (isJsonObject(given)) return given;
  if (given === undefined || given === null || given === '') return {};
  const inner = typeof given === 'string' ? looseJson(given) : undefined;
  if (inner === undefined || inner.missing === 'content') return undefined;
  const value = typeof inner.value === 'string' ? parseJson(inner.value) : inner.value;
  return isJsonObject(value) ? value : undefined;
}

function callOf(name: string | undefined, given: unknown): WrittenCall | undefined {
  const values = argumentsOf(given);
  return name === undefined || values === undefined ? undefined : { name, arguments: jsonText(values) };
}

/** What a model may leave out where a marker says that a call follows. */
interface FormOptions {
  /** Whether a marker sets the call apart. */
  readonly isMarked: boolean;
}

/** A call written as an object that names it; the only member of an object may be its name as well. */
function callIn(value: JsonObject, tools: DeclaredTools, { isMarked }: FormOptions): WrittenCall | undefined {
  const inner = firstMember(value, ['function', 'function_call', 'tool_call']);
  if (isJsonObject(inner)) return callIn(inner, tools, { isMarked });
  const keys = Object.keys(value);
  const [only = ''] = keys;
  if (keys.length === 1 && tools.has(only) && isJsonObject(value[only])) return callOf(only, value[only]);
  const name = declaredName(firstMember(value, NAME_KEYS), tools);
  const given = firstMember(value, ARGUMENT_KEYS);
  const others = keys.filter((key) => !OTHER_KEYS.has(key));
  if (given !== undefined) return isMarked || others.length === 0 ? callOf(name, given) : undefined;
  return isMarked ? callOf(name, Object.fromEntries(others.map((key) => [key, value[key]]))) : undefined;
}

/** The calls that a value describes: one, a list of them, or an object with such a list. */
function callsInValue(
  value: unknown,
  tools: DeclaredTools,
  options: FormOptions,
): readonly WrittenCall[] | undefined {
  const list = elementsOf(isJsonObject(value) ? member(value, 'tool_calls') : value);
  const single = isJsonObject(value) ? [value] : [];
  const calls = (list.length > 0 ? list : single).map((one) =>
    isJsonObject(one) ? callIn(one, tools, options) : undefined,
  );
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

/** A value written as text between tags, as the schema of its parameter takes it. */
function typedValue(text: string, schema: unknown): unknown {
  const type = member(schema, 'type');
  // A value on lines of its own.
  const plain = text.startsWith('\n') ? text.slice(1).replace(/\n$/, '') : text;
  if (type === 'string') return plain;
  const read = looseJson(plain);
  return read === undefined || read.missing !== 'nothing' ? plain : read.value;
}

function propertyOf(name: string, property: string, tools: DeclaredTools): unknown {
  return member(member(tools.get(name), 'properties'), property);
}

const PARAMETER =
  /\s*<(?:parameter(?:=|\s+name=)"?([^">]+)"?|arg_key>([^<]+)<\/arg_key)>(?:\s*<arg_value>)?([^]*?)(?:<\/(?:parameter|arg_value)>|(?=<parameter[= ]|<arg_key>|<\/function>|<\/tool_call>|<\/invoke>|$))/y;

/** Parameters between tags of their own. */
function taggedParameters(
  text: string,
  at: number,
  name: string,
  tools: DeclaredTools,
): FoundCalls | undefined {
  const values: [string, unknown][] = [];
  let end = at;
  for (;;) {
    PARAMETER.lastIndex = end;
    const found = PARAMETER.exec(text);
    if (found === null || found[0] === '') break;
    const [whole, byName, byKey, value = ''] = found;
    const property = (byName ?? byKey ?? '').trim();
    values.push([property, typedValue(value, propertyOf(name, property, tools))]);
    end += whole.length;
  }
  if (values.length === 0) return undefined;
  const call = callOf(name, Object.fromEntries(values));
  return call === undefined ? undefined : { calls: [call], end };
}

/** Where a value that lacks brackets ends: before the next tag or marker. */
const VALUE_END = /<\/|<[|｜]|```/g;

/** A JSON value at a place. Missing brackets are added, a text that breaks off is none. */
function valueAt(text: string, at: number): { readonly value: unknown; readonly end: number } | undefined {
  const reader = new LooseReader(text, at);
  const read = reader.attempt(() => ({ value: reader.value() }));
  if (read !== undefined && reader.missing === 'nothing') return { ...read, end: reader.at };
  VALUE_END.lastIndex = at;
  const end = VALUE_END.exec(text)?.index ?? text.length;
  const short = looseJson(text.slice(at, end).trimEnd());
  return short === undefined || short.missing === 'content' ? undefined : { value: short.value, end };
}

/** The name of a tool's only parameter, or of the only one that it requires. */
function onlyParameter(schema: JsonObject | undefined): string | undefined {
  const properties = Object.keys(member(schema, 'properties') ?? {});
  const required = elementsOf(member(schema, 'required'));
  const [only, another] = required.length > 0 ? required : properties;
  return typeof only === 'string' && another === undefined ? only : undefined;
}

/** Named arguments in brackets, or the only one without its name. */
function bracketedArguments(
  text: string,
  at: number,
  name: string,
  tools: DeclaredTools,
): FoundCalls | undefined {
  const named = new LooseReader(text, at);
  const values = named.attempt(() => named.members('=', ')'));
  const byName = values === undefined || named.missing !== 'nothing' ? undefined : callOf(name, values);
  if (byName !== undefined) return { calls: [byName], end: named.at };
  const single = new LooseReader(text, at);
  const value = single.attempt(() => {
    const read = single.value();
    single.expect(')');
    return read;
  });
  if (value === undefined) return undefined;
  const only = onlyParameter(tools.get(name));
  const given = isJsonObject(value) || only === undefined ? value : { [only]: value };
  const call = isJsonObject(given) ? callOf(name, given) : undefined;
  return call === undefined ? undefined : { calls: [call], end: single.at };
}

const NAMED = /\s*(?:functions?\.|default_api\.|tools?\.)?([\w.-]+)(?::\d+)?\s*/y;
const BEFORE_ARGUMENTS =
  /(?:\[ARGS\]|<[|｜][^<>|｜]{1,40}[|｜]>|```(?:json)?|Action Input:|(?:json|code|commentary)(?=\s*(?:[<{]|json))|[:=]|\s)*/iy;

/** A name followed by its arguments. */
export function namedCallAt(text: string, at: number, tools: DeclaredTools): FoundCalls | undefined {
  NAMED.lastIndex = at;
  const found = NAMED.exec(text);
  const name = declaredName(found?.[1], tools);
  if (found === null || name === undefined) return undefined;
  const after = at + found[0].length;
  if (text[after] === '(') return bracketedArguments(text, after + 1, name, tools);
  const tagged = taggedParameters(text, after, name, tools);
  if (tagged !== undefined) return tagged;
  BEFORE_ARGUMENTS.lastIndex = after;
  const start = after + (BEFORE_ARGUMENTS.exec(text)?.[0].length ?? 0);
  return start > after || text[after] === '{' ? argumentsAt(text, start, name) : undefined;
}

function argumentsAt(text: string, at: number, name: string): FoundCalls | undefined {
  const read = text[at] === '{' || text[at] === '"' ? valueAt(text, at) : undefined;
  const call = read === undefined ? undefined : callOf(name, read.value);
  return read === undefined || call === undefined ? undefined : { calls: [call], end: read.end };
}

const OPENING_TAG = /\s*<(?:function(?:=|\s+name=)|invoke\s+name=)?"?([\w.:-]+)"?\s*>\s*/y;
const CHILD = /\s*<([\w.-]+)>([^]*?)<\/\1>/y;

/** A call within a tag that names it. */
export function taggedCallAt(text: string, at: number, tools: DeclaredTools): FoundCalls | undefined {
  OPENING_TAG.lastIndex = at;
  const found = OPENING_TAG.exec(text);
  const name = declaredName(found?.[1], tools);
  if (found === null || name === undefined) return undefined;
  const start = at + found[0].length;
  const tagged = taggedParameters(text, start, name, tools) ?? argumentsAt(text, start, name);
  if (tagged !== undefined) return tagged;
  const values: [string, unknown][] = [];
  let end = start;
  for (;;) {
    CHILD.lastIndex = end;
    const child = CHILD.exec(text);
    if (child === null) break;
    const [whole, property = '', value = ''] = child;
    values.push([property, typedValue(value, propertyOf(name, property, tools))]);
    end += whole.length;
  }
  const isClosed = /^\s*<\//.test(text.slice(end, end + 20));
  const call = isClosed ? callOf(name, Object.fromEntries(values)) : undefined;
  return call === undefined ? undefined : { calls: [call], end };
}

/** Calls written as JSON. */
export function jsonCallsAt(
  text: string,
  at: number,
  tools: DeclaredTools,
  options: FormOptions,
): FoundCalls | undefined {
  const read = valueAt(text, at);
  const calls = read === undefined ? undefined : callsInValue(read.value, tools, options);
  return read === undefined || calls === undefined ? undefined : { calls, end: read.end };
}
