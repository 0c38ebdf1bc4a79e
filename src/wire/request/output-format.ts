/** How a request asks for JSON: in the way in which the model takes it. */

import { isJsonObject, type JsonObject, jsonText, member } from '../../core/json.ts';
import type { ChatMessage, ChatRequest } from './chat-request.ts';

/** The JSON that an answer is to have. */
export interface OutputFormat {
  /** Letters, digits, `_` and `-`. */
  readonly name: string;
  readonly schema: JsonObject;
}

/** The ways, from the surest one: the schema as a field, JSON as a field with the schema in the text, the text alone. */
export type FormatLevel = 'schema' | 'json' | 'text';

/** The refused types of `response_format`, as refusals name them. */
export const SCHEMA_FIELD = 'response_format:json_schema';
const JSON_FIELD = 'response_format:json_object';

/** The surest way that a model takes, by the fields that it refused. */
export function formatLevel(refuses: readonly string[]): FormatLevel {
  if (refuses.includes('response_format') || refuses.includes(JSON_FIELD)) return 'text';
  return refuses.includes(SCHEMA_FIELD) ? 'json' : 'schema';
}

/** Whether a schema may be enforced to the letter: every object names all its members as required and allows no other. */
function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  if (!isJsonObject(schema)) return true;
  const properties = member(schema, 'properties');
  if (isJsonObject(properties)) {
    const required = member(schema, 'required');
    const names = Object.keys(properties);
    if (member(schema, 'additionalProperties') !== false || !Array.isArray(required)) return false;
    if (!names.every((name) => required.includes(name))) return false;
  }
  return Object.entries(schema).every(
    ([name, value]) => name === 'enum' || name === 'const' || isStrict(value),
  );
}

/** What the model is told. */
export function formatInstruction({ schema }: OutputFormat): string {
  return `Answer with one JSON value that fits this JSON schema, and with nothing else:\n${jsonText(schema)}`;
}

function withInstruction(messages: readonly ChatMessage[], format: OutputFormat): readonly ChatMessage[] {
  const [first, ...rest] = messages;
  const instruction = formatInstruction(format);
  return first?.role === 'system' && typeof first.content === 'string'
    ? [{ ...first, content: `${first.content}\n\n${instruction}` }, ...rest]
    : [{ role: 'system', content: instruction }, ...messages];
}

/** The request that asks for a format in one of the ways. */
// spec 12.14
export function withFormat(
  { messages, fields }: ChatRequest,
  format: OutputFormat,
  level: FormatLevel,
): ChatRequest {
  if (level === 'schema') {
    const strict = isStrict(format.schema) ? { strict: true } : {};
    const schema = { name: format.name, schema: format.schema, ...strict };
    return { messages, fields: { ...fields, response_format: { type: 'json_schema', json_schema: schema } } };
  }
  const asked = withInstruction(messages, format);
  if (level === 'text') return { messages: asked, fields };
  return { messages: asked, fields: { ...fields, response_format: { type: 'json_object' } } };
}
