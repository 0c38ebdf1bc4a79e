/** The named transforms that a provider's file can switch on. A transform returns its argument if nothing changes. */

import type { ChatMessage, ChatRequest, RequestFields } from './chat-request.ts';
import { withLawfulNames } from './function-names.ts';
import {
  alternateRoles,
  continueByInstruction,
  coreMessageFields,
  developerToSystem,
  emptyContentToNull,
  flattenPlainText,
  flattenText,
  nullContentToEmpty,
  reasoningBack,
  singleSystemFirst,
  stripReasoning,
  systemToUser,
} from './message-content.ts';
import {
  closeToolTurns,
  omitEmptyToolCalls,
  plainToolCalls,
  shortToolIds,
  singleToolCalls,
  withThoughtSignature,
} from './message-tool-calls.ts';
import { coreFields, fourStops, namedToolOnly, omitEmptyParameters } from './request-fields.ts';
import { basicSchemaKeys, commonSchemaKeys } from './schema-keys.ts';

type MessageTransform = (messages: readonly ChatMessage[]) => readonly ChatMessage[];
type FieldTransform = (fields: RequestFields) => RequestFields;
type RequestTransform = (request: ChatRequest) => ChatRequest;

export type MessageTransformName =
  | 'alternate-roles'
  | 'close-tool-turns'
  | 'continue-by-instruction'
  | 'core-message-fields'
  | 'developer-to-system'
  | 'empty-content-to-null'
  | 'flatten-plain-text'
  | 'flatten-text-content'
  | 'null-content-to-empty'
  | 'omit-empty-tool-calls'
  | 'plain-tool-calls'
  | 'reasoning-back'
  | 'short-tool-ids'
  | 'single-system-first'
  | 'single-tool-calls'
  | 'strip-reasoning-content'
  | 'system-to-user'
  | 'thought-signature';
export type FieldTransformName =
  | 'basic-schema-keys'
  | 'common-schema-keys'
  | 'core-fields'
  | 'four-stops'
  | 'named-tool-only'
  | 'omit-empty-parameters';
export type RequestTransformName = 'lawful-function-names';
export type TransformName = MessageTransformName | FieldTransformName | RequestTransformName;

// spec 12.9
export const MESSAGE_TRANSFORMS: Readonly<Record<MessageTransformName, MessageTransform>> = {
  'alternate-roles': alternateRoles,
  'close-tool-turns': closeToolTurns,
  'continue-by-instruction': continueByInstruction,
  'core-message-fields': coreMessageFields,
  'developer-to-system': developerToSystem,
  'empty-content-to-null': emptyContentToNull,
  'flatten-plain-text': flattenPlainText,
  'flatten-text-content': flattenText,
  'null-content-to-empty': nullContentToEmpty,
  'omit-empty-tool-calls': omitEmptyToolCalls,
  'plain-tool-calls': plainToolCalls,
  'reasoning-back': reasoningBack,
  'short-tool-ids': shortToolIds,
  'single-system-first': singleSystemFirst,
  'single-tool-calls': singleToolCalls,
  'strip-reasoning-content': stripReasoning,
  'system-to-user': systemToUser,
  'thought-signature': withThoughtSignature,
};

export const FIELD_TRANSFORMS: Readonly<Record<FieldTransformName, FieldTransform>> = {
  'basic-schema-keys': basicSchemaKeys,
  'common-schema-keys': commonSchemaKeys,
  'core-fields': coreFields,
  'four-stops': fourStops,
  'named-tool-only': namedToolOnly,
  'omit-empty-parameters': omitEmptyParameters,
};

export function isMessageTransform(name: string): name is MessageTransformName {
  return Object.hasOwn(MESSAGE_TRANSFORMS, name);
}

export function isFieldTransform(name: string): name is FieldTransformName {
  return Object.hasOwn(FIELD_TRANSFORMS, name);
}

export const REQUEST_TRANSFORMS: Readonly<Record<RequestTransformName, RequestTransform>> = {
  'lawful-function-names': withLawfulNames,
};

/** The request with these messages and fields; `request` itself if they are its own. */
export function withParts(
  request: ChatRequest,
  messages: readonly ChatMessage[],
  fields: RequestFields,
): ChatRequest {
  return messages === request.messages && fields === request.fields ? request : { messages, fields };
}

function transformed(request: ChatRequest, name: TransformName): ChatRequest {
  const { messages, fields } = request;
  if (isMessageTransform(name)) return withParts(request, MESSAGE_TRANSFORMS[name](messages), fields);
  if (isFieldTransform(name)) return withParts(request, messages, FIELD_TRANSFORMS[name](fields));
  return REQUEST_TRANSFORMS[name](request);
}

/** Applies transforms in their order. */
export function withTransforms(request: ChatRequest, names: readonly TransformName[] = []): ChatRequest {
  return names.reduce(transformed, request);
}

/**
 * By capability: the transform that lets a model without it serve the request, in the order in which they apply. An
 * image's URL has none: a model without `image_url` gets no such request.
 */
// spec 12.13
export const WORKAROUNDS: ReadonlyMap<string, TransformName> = new Map<string, TransformName>([
  ['developer_role', 'developer-to-system'],
  ['content_list', 'flatten-text-content'],
  ['many_systems', 'single-system-first'],
  ['system', 'system-to-user'],
  ['parallel_calls', 'single-tool-calls'],
  ['thought_signature', 'thought-signature'],
  ['user_after_tool', 'close-tool-turns'],
  ['prefill', 'continue-by-instruction'],
  ['alternate_roles', 'alternate-roles'],
  ['null_content', 'null-content-to-empty'],
  ['empty_assistant', 'empty-content-to-null'],
  ['reasoning_fields', 'strip-reasoning-content'],
  ['reasoning_back', 'reasoning-back'],
  ['tool_ids', 'short-tool-ids'],
  ['tool_names', 'lawful-function-names'],
  ['schema_keywords', 'basic-schema-keys'],
  ['many_stops', 'four-stops'],
]);

/** The request in the form that most servers take, for a model that refused the usual form. */
// spec 12.12
export const PLAIN: readonly TransformName[] = [
  'core-fields',
  'four-stops',
  'basic-schema-keys',
  'core-message-fields',
  'developer-to-system',
  'flatten-text-content',
  'single-system-first',
  'plain-tool-calls',
  'close-tool-turns',
  'continue-by-instruction',
  'alternate-roles',
  'null-content-to-empty',
  'short-tool-ids',
  'lawful-function-names',
];
