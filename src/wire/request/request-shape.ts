import dialect from '../../../spec/dialect.json' with { type: 'json' };
import { entryOf, isJsonObject, member } from '../../core/json.ts';
import { type ChatMessage, type ChatRequest, isOptionalField, type RequestFields } from './chat-request.ts';
import { mapSame, without } from './copy-on-change.ts';
import { withoutSchemaKeys, withSchemas } from './schema-keys.ts';
import type { SchemaDialect } from './schema-reduction.ts';
import { PLAIN, type TransformName, withParts, withTransforms } from './transforms.ts';

/** How a request is changed for one provider; applied in this order. An absent member changes nothing. */
// spec 12.8
export interface RequestShape {
  /** By dotted path: the field to which the value at the path is copied. The caller's own value of that field stays. */
  readonly extract?: Readonly<Record<string, string>>;
  /** By field: the value to send in place of a text. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By field: its name at this provider. The caller's own value under that name stays. */
  readonly rename?: Readonly<Record<string, string>>;
  /** The name of the limit on the answer's tokens. Default: as the caller wrote it, else `max_tokens`. */
  readonly maxTokensField?: MaxTokensField;
  /** The limit if the caller sets none: without one, some providers cut answers short and others reserve too much. */
  readonly maxTokensWhenUnset?: number;
  readonly transforms?: readonly TransformName[];
  /** What the provider takes of JSON schemas, in tools and formats. Default: all. */
  readonly schemas?: SchemaDialect;
  /** Fields to drop if they are optional. */
  readonly drop?: readonly string[];
  /** The fields of a message to send. Default: all. */
  readonly messageFields?: readonly string[];
  /** The private fields of messages and calls (`dialect.json`) that the provider gives and takes back. Default: all. */
  readonly privateFields?: readonly string[];
  /** False if the provider fetches no images: it gets the images themselves. Default true. */
  readonly fetchesImages?: boolean;
  /** Changes that only this provider needs. */
  readonly quirk?: RequestQuirk;
}

/** A function returns its argument if nothing changes. */
export interface RequestQuirk {
  readonly messages?: (messages: readonly ChatMessage[]) => readonly ChatMessage[];
  readonly fields?: (fields: RequestFields) => RequestFields;
}

export type MaxTokensField = 'max_tokens' | 'max_completion_tokens';

/** The fields of messages and tool calls in which a provider gives what only itself understands. */
export const PRIVATE_FIELDS: ReadonlySet<string> = new Set(dialect.privateFields.names);

const OTHER_NAME: Readonly<Record<MaxTokensField, MaxTokensField>> = {
  max_completion_tokens: 'max_tokens',
  max_tokens: 'max_completion_tokens',
};

function isMaxTokensField(name: string): name is MaxTokensField {
  return Object.hasOwn(OTHER_NAME, name);
}

/** The caller's limit on the answer's tokens; the larger one if both names are given. */
export function maxTokensOf(fields: RequestFields): number | undefined {
  const { max_tokens: limit, max_completion_tokens: other } = fields;
  if (typeof limit !== 'number') return typeof other === 'number' ? other : undefined;
  return typeof other === 'number' ? Math.max(limit, other) : limit;
}

function withFields(
  fields: RequestFields,
  changes: readonly (readonly [name: string, value: unknown])[],
): RequestFields {
  return changes.length === 0 ? fields : { ...fields, ...Object.fromEntries(changes) };
}

function withValues(fields: RequestFields, values: RequestShape['values']): RequestFields {
  if (values === undefined) return fields;
  const changes = Object.entries(values).flatMap(([name, valueOf]) => {
    const given = fields[name];
    const value = typeof given === 'string' ? member(valueOf, given) : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return withFields(fields, changes);
}

function withExtracted(fields: RequestFields, names: RequestShape['extract']): RequestFields {
  if (names === undefined) return fields;
  const changes = Object.entries(names).flatMap(([path, name]) => {
    const value = path.split('.').reduce<unknown>(member, fields);
    return value === undefined || fields[name] !== undefined ? [] : [[name, value] as const];
  });
  return withFields(fields, changes);
}

function withRenamed(fields: RequestFields, names: RequestShape['rename']): RequestFields {
  if (names === undefined) return fields;
  const given = Object.entries(names).filter(([old]) => fields[old] !== undefined);
  if (given.length === 0) return fields;
  const moved = given.filter(([, name]) => fields[name] === undefined);
  return withFields(
    without(fields, (name) => Object.hasOwn(names, name)),
    moved.map(([old, name]) => [name, fields[old]]),
  );
}

function withMaxTokens(
  fields: RequestFields,
  { maxTokensField, maxTokensWhenUnset }: RequestShape,
): RequestFields {
  const renamed =
    maxTokensField === undefined
      ? fields
      : withRenamed(fields, { [OTHER_NAME[maxTokensField]]: maxTokensField });
  return maxTokensWhenUnset === undefined || maxTokensOf(renamed) !== undefined
    ? renamed
    : { ...renamed, [maxTokensField ?? 'max_tokens']: maxTokensWhenUnset };
}

/** Drops the refused optional fields. A limit on the answer's tokens that is refused under one name is sent under the other. */
function withoutRefused(fields: RequestFields, refused: readonly string[]): RequestFields {
  const left = without(fields, (name) => refused.includes(name) && isOptionalField(name, fields[name]));
  if (left === fields) return fields;
  const limit = Object.keys(fields).find((name) => isMaxTokensField(name) && left[name] === undefined);
  if (limit === undefined || !isMaxTokensField(limit)) return left;
  const other = OTHER_NAME[limit];
  if (refused.includes(other) || left[other] !== undefined) return left;
  return { ...left, [other]: fields[limit] };
}

function withMessageFields(
  messages: readonly ChatMessage[],
  names: RequestShape['messageFields'],
): readonly ChatMessage[] {
  if (names === undefined) return messages;
  return mapSame(messages, (message) => without(message, (name) => !names.includes(name)));
}

/** Takes out of messages and their calls what other providers gave for themselves. */
function withoutForeign(
  messages: readonly ChatMessage[],
  own: RequestShape['privateFields'],
): readonly ChatMessage[] {
  if (own === undefined) return messages;
  const isForeign = (name: string): boolean => PRIVATE_FIELDS.has(name) && !own.includes(name);
  return mapSame(messages, (given) => {
    const message = without(given, isForeign);
    const { tool_calls: calls } = message;
    if (!Array.isArray(calls)) return message;
    const plain = mapSame<unknown>(calls, (call) => (isJsonObject(call) ? without(call, isForeign) : call));
    return plain === calls ? message : { ...message, tool_calls: plain };
  });
}

function withShape(request: ChatRequest, shape: RequestShape): ChatRequest {
  const renamed = withRenamed(
    withValues(withExtracted(request.fields, shape.extract), shape.values),
    shape.rename,
  );
  const given = withParts(request, request.messages, withMaxTokens(renamed, shape));
  const { messages, fields: transformed } = withTransforms(given, shape.transforms);
  const fields = shape.schemas === undefined ? transformed : withSchemas(transformed, shape.schemas);
  return withParts(
    request,
    withMessageFields(withoutForeign(messages, shape.privateFields), shape.messageFields),
    shape.drop === undefined ? fields : withoutRefused(fields, shape.drop),
  );
}

/** What a request is written for, besides the provider's shape. */
export interface FormOptions {
  /** Whether it takes the form that most servers accept. */
  readonly plain: boolean;
  /** Transforms for what the model lacks. */
  readonly workarounds: readonly TransformName[];
}

/** Shapes a request for one provider and what its model lacks; returns `request` if nothing changes. */
export function shapeRequest(
  request: ChatRequest,
  shape: RequestShape,
  { plain, workarounds }: FormOptions,
): ChatRequest {
  const given = withShape(plain ? withTransforms(request, PLAIN) : request, shape);
  const { messages, fields } = withTransforms(given, workarounds);
  const { quirk } = shape;
  return withParts(request, quirk?.messages?.(messages) ?? messages, quirk?.fields?.(fields) ?? fields);
}

/** How the request for one model differs from its provider's. */
export interface ModelAdjustments {
  /** The name of the limit if the caller has set none. */
  readonly maxTokensField: MaxTokensField;
  /** The tokens that the reservation grants the answer. */
  readonly maxTokens: number | undefined;
  /** The model's longest answer in tokens: some providers refuse a larger limit. */
  readonly maxOutput: number | undefined;
  /** Fields that the model refused. */
  readonly drop: readonly string[];
}

/** Adjusts a provider's fields to one of its models; returns `fields` if nothing changes. */
export function fieldsForModel(
  fields: RequestFields,
  { maxTokensField, maxTokens, maxOutput, drop }: ModelAdjustments,
): RequestFields {
  // Usual, and asked for every attempt.
  if (maxTokens === undefined && maxOutput === undefined && drop.length === 0) return fields;
  const limited =
    maxTokens !== undefined && maxTokensOf(fields) === undefined
      ? { ...fields, [maxTokensField]: maxTokens }
      : fields;
  const most = Math.min(maxTokens ?? Infinity, maxOutput ?? Infinity);
  const tooLarge = Object.keys(OTHER_NAME).filter((name) => {
    const limit = limited[name];
    return typeof limit === 'number' && limit > most;
  });
  const adjusted = withFields(
    limited,
    tooLarge.map((name) => [name, most]),
  );
  if (drop.length === 0) return adjusted;
  // A name that is no field is one that the provider met within a schema.
  const keywords = drop.filter((name) => entryOf(adjusted, name) === undefined);
  return withoutSchemaKeys(withoutRefused(adjusted, drop), keywords);
}
