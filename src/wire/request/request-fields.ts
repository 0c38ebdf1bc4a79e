import { elementsOf, isJsonObject, member } from '../../core/json.ts';
import { isOptionalField, type RequestFields } from './chat-request.ts';
import { mapSame, without } from './copy-on-change.ts';

/** Replaces the choice of one tool with a list of that tool alone, for providers that accept no tool name as a choice. */
export function namedToolOnly(fields: RequestFields): RequestFields {
  const name = member(member(fields['tool_choice'], 'function'), 'name');
  const tools = elementsOf(fields['tools']).filter(
    (tool) => name !== undefined && member(member(tool, 'function'), 'name') === name,
  );
  return tools.length === 0 ? fields : { ...fields, tools, tool_choice: 'required' };
}

/** Keywords that do not matter for an object without members. */
const NEUTRAL_KEYWORDS: ReadonlySet<string> = new Set(['$schema', 'properties', 'required', 'type']);

function hasNoParameters(parameters: unknown): boolean {
  if (!isJsonObject(parameters) || parameters['type'] !== 'object') return false;
  const { properties = {}, additionalProperties = false } = parameters;
  const others = Object.keys(parameters).filter((name) => !NEUTRAL_KEYWORDS.has(name));
  const isEmpty = isJsonObject(properties) && Object.keys(properties).length === 0;
  return isEmpty && additionalProperties === false && others.every((name) => name === 'additionalProperties');
}

function withoutEmptyParameters(tool: unknown): unknown {
  const called = member(tool, 'function');
  if (!isJsonObject(tool) || !isJsonObject(called) || !hasNoParameters(called['parameters'])) return tool;
  return { ...tool, function: without(called, (name) => name === 'parameters') };
}

/** Removes empty `parameters`: some providers refuse an object schema without members. */
export function omitEmptyParameters(fields: RequestFields): RequestFields {
  const given = fields['tools'];
  if (!Array.isArray(given)) return fields;
  const tools = mapSame<unknown>(given, withoutEmptyParameters);
  return tools === given ? fields : { ...fields, tools };
}

/** The most stop sequences that OpenAI and others take. */
const MAX_STOPS = 4;

export function fourStops(fields: RequestFields): RequestFields {
  const { stop } = fields;
  return Array.isArray(stop) && stop.length > MAX_STOPS
    ? { ...fields, stop: stop.slice(0, MAX_STOPS) }
    : fields;
}

/** The optional fields that nearly every server knows. */
const CORE_FIELDS: ReadonlySet<string> = new Set([
  'temperature',
  'top_p',
  'max_tokens',
  'stop',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'response_format',
]);

/** Drops the optional fields beyond a small core. The limit of the answer's tokens is `max_tokens`. */
export function coreFields(given: RequestFields): RequestFields {
  const { max_tokens: limit, max_completion_tokens: other } = given;
  const fields = limit === undefined && other !== undefined ? { ...given, max_tokens: other } : given;
  return without(fields, (name) => !CORE_FIELDS.has(name) && isOptionalField(name, fields[name]));
}
