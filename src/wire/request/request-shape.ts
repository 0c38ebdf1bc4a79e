/** What a provider's data changes of a request before it is sent there. */

import { member } from '../../core/json.ts';
import { type ChatMessage, type ChatRequest, isOptionalField, type RequestFields } from './chat-request.ts';
import { mapSame, without } from './schema-keys.ts';
import {
  FIELD_TRANSFORMS,
  isFieldTransform,
  isMessageTransform,
  MESSAGE_TRANSFORMS,
  type MessageTransformName,
  type TransformName,
} from './transforms.ts';

/** What is changed of a request for one provider. What is absent changes nothing. */
export interface RequestShape {
  /** By dotted path: members of a field that are a field of their own here. */
  readonly extract?: Readonly<Record<string, string>>;
  /** By field: texts that are said in another way here. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Fields that have another name here. What the caller gave under the new name stays, here as in `extract`. */
  readonly rename?: Readonly<Record<string, string>>;
  /** The name under which a limit of the answer's tokens is sent. Default: as the caller wrote it, else `max_tokens`. */
  readonly maxTokensField?: MaxTokensField;
  /** The limit that is sent where the caller sets none: some cut an answer short without one, others reserve too much. */
  readonly maxTokensWhenUnset?: number;
  /** Named changes, in this order. */
  readonly transforms?: readonly TransformName[];
  /** Fields that are never sent, where they may be left out. */
  readonly drop?: readonly string[];
  /** Fields of a message that are sent; absent: all. */
  readonly messageFields?: readonly string[];
  /** Changes that only this provider needs; made last. */
  readonly quirk?: RequestQuirk;
}

/** A function returns its argument if nothing changes. */
export interface RequestQuirk {
  readonly messages?: (messages: readonly ChatMessage[]) => readonly ChatMessage[];
  readonly fields?: (fields: RequestFields) => RequestFields;
}

export type MaxTokensField = 'max_tokens' | 'max_completion_tokens';

const OTHER_NAME: Readonly<Record<MaxTokensField, MaxTokensField>> = {
  max_completion_tokens: 'max_tokens',
  max_tokens: 'max_completion_tokens',
};

function isMaxTokensField(name: string): name is MaxTokensField {
  return Object.hasOwn(OTHER_NAME, name);
}

/** The most tokens that the answer may have, as the caller says it; of two numbers the larger. */
export function maxTokensOf(fields: RequestFields): number | undefined {
  const limits = Object.keys(OTHER_NAME)
    .map((name) => fields[name])
    .filter((limit) => typeof limit === 'number');
  return limits.length === 0 ? undefined : Math.max(...limits);
}

/** The fields with some of them changed; the same fields when there are none. */
function withFields(
  fields: RequestFields,
  changes: readonly (readonly [name: string, value: unknown])[],
): RequestFields {
  return changes.length === 0 ? fields : { ...fields, ...Object.fromEntries(changes) };
}

function withValues(fields: RequestFields, values: RequestShape['values'] = {}): RequestFields {
  const said = Object.entries(values).flatMap(([name, sayings]) => {
    const given = fields[name];
    const saying = typeof given === 'string' ? member(sayings, given) : undefined;
    return saying === undefined ? [] : [[name, saying] as const];
  });
  return withFields(fields, said);
}

function extracted(fields: RequestFields, names: RequestShape['extract'] = {}): RequestFields {
  const found = Object.entries(names).flatMap(([path, name]) => {
    const value = path.split('.').reduce<unknown>(member, fields);
    return value === undefined || fields[name] !== undefined ? [] : [[name, value] as const];
  });
  return withFields(fields, found);
}

function renamed(fields: RequestFields, names: RequestShape['rename'] = {}): RequestFields {
  const given = Object.entries(names).filter(([old]) => fields[old] !== undefined);
  if (given.length === 0) return fields;
  const moved = given.filter(([, name]) => fields[name] === undefined);
  return withFields(
    without(fields, (name) => Object.hasOwn(names, name)),
    moved.map(([old, name]) => [name, fields[old]]),
  );
}

/** The limit of the answer's length under the provider's name for it. */
function withMaxTokens(
  fields: RequestFields,
  { maxTokensField, maxTokensWhenUnset }: RequestShape,
): RequestFields {
  let changed = fields;
  if (maxTokensField !== undefined)
    changed = renamed(changed, { [OTHER_NAME[maxTokensField]]: maxTokensField });
  return maxTokensWhenUnset === undefined || maxTokensOf(changed) !== undefined
    ? changed
    : { ...changed, [maxTokensField ?? 'max_tokens']: maxTokensWhenUnset };
}

function bounded(fields: RequestFields, bounds: Readonly<Record<string, number>>): RequestFields {
  const larger = Object.entries(bounds).filter(([name, most]) => {
    const given = fields[name];
    return typeof given === 'number' && given > most;
  });
  return withFields(fields, larger);
}

/**
 * The fields without those that are refused and may be left out. A limit of the answer's length has two names: refused
 * under one, it is sent under the other.
 */
function withoutRefused(fields: RequestFields, refused: readonly string[]): RequestFields {
  const left = without(fields, (name) => refused.includes(name) && isOptionalField(name, fields[name]));
  if (left === fields) return fields;
  const limit = Object.keys(fields).find((name) => isMaxTokensField(name) && left[name] === undefined);
  if (limit === undefined || !isMaxTokensField(limit)) return left;
  const other = OTHER_NAME[limit];
  if (refused.includes(other) || left[other] !== undefined) return left;
  return { ...left, [other]: fields[limit] };
}

function shapedFields(given: RequestFields, shape: RequestShape): RequestFields {
  let fields = extracted(given, shape.extract);
  fields = renamed(withValues(fields, shape.values), shape.rename);
  fields = withMaxTokens(fields, shape);
  for (const name of shape.transforms ?? []) {
    if (isFieldTransform(name)) fields = FIELD_TRANSFORMS[name](fields);
  }
  if (shape.drop !== undefined) fields = withoutRefused(fields, shape.drop);
  return shape.quirk?.fields?.(fields) ?? fields;
}

function shapedMessages(given: readonly ChatMessage[], shape: RequestShape): readonly ChatMessage[] {
  let messages = given;
  for (const name of shape.transforms ?? []) {
    if (isMessageTransform(name)) messages = MESSAGE_TRANSFORMS[name](messages);
  }
  const { messageFields, quirk } = shape;
  if (messageFields !== undefined) {
    messages = mapSame(messages, (message) => without(message, (name) => !messageFields.includes(name)));
  }
  return quirk?.messages?.(messages) ?? messages;
}

/** The request for one provider, after `mends` by which a model can do without what it lacks; the same where nothing changes. */
export function shapeRequest(
  request: ChatRequest,
  shape: RequestShape,
  mends: readonly MessageTransformName[],
): ChatRequest {
  let mended = request.messages;
  for (const name of mends) mended = MESSAGE_TRANSFORMS[name](mended);
  const messages = shapedMessages(mended, shape);
  const fields = shapedFields(request.fields, shape);
  return messages === request.messages && fields === request.fields ? request : { messages, fields };
}

/** How one model's request differs from its provider's. */
export interface Refit {
  /** The name of a limit that the caller has not set. */
  readonly maxTokensField: MaxTokensField;
  /** No answer may have more tokens. */
  readonly maxTokens: number | undefined;
  /** The model gives no answer of more tokens, and some refuse a larger limit. */
  readonly maxOutput: number | undefined;
  /** Fields that the model refused. */
  readonly drop: readonly string[];
}

/** A provider's fields for one of its models; the same where nothing changes. */
export function refitFields(
  fields: RequestFields,
  { maxTokensField, maxTokens, maxOutput, drop }: Refit,
): RequestFields {
  const granted =
    maxTokens !== undefined && maxTokensOf(fields) === undefined
      ? { ...fields, [maxTokensField]: maxTokens }
      : fields;
  const most = Math.min(maxTokens ?? Infinity, maxOutput ?? Infinity);
  const changed =
    most === Infinity ? granted : bounded(granted, { max_tokens: most, max_completion_tokens: most });
  return drop.length === 0 ? changed : withoutRefused(changed, drop);
}
