/** The named transforms that a provider's file can switch on. A transform returns its argument if nothing changes. */

import type { ChatMessage, ChatRequest, RequestFields } from './chat-request.ts';
import { withLawfulNames } from './function-names.ts';
import {
  alternateRoles,
  continueByInstruction,
  coreMessageFields,
  developerToSystem,
  emptyContentToNull,
  fillEmptyContent,
  flattenPlainText,
  flattenText,
  nameJson,
  nullContentToEmpty,
  reasoningBack,
  singleSystemFirst,
  stripReasoning,
  systemToUser,
} from './message-content.ts';
import {
  closeToolTurns,
  plainToolCalls,
  shortToolIds,
  singleToolCalls,
  withThoughtSignature,
} from './message-tool-calls.ts';
import { coreFields, fourStops, namedToolOnly, omitEmptyParameters } from './request-fields.ts';
import { basicSchemaKeys } from './schema-keys.ts';

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
  | 'fill-empty-content'
  | 'flatten-plain-text'
  | 'flatten-text-content'
  | 'null-content-to-empty'
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
  | 'core-fields'
  | 'four-stops'
  | 'named-tool-only'
  | 'omit-empty-parameters';
export type RequestTransformName = 'lawful-function-names' | 'name-json';
export type TransformName = MessageTransformName | FieldTransformName | RequestTransformName;

// spec 12.9
export const MESSAGE_TRANSFORMS: Readonly<Record<MessageTransformName, MessageTransform>> = {
  'alternate-roles': alternateRoles,
  'close-tool-turns': closeToolTurns,
  'continue-by-instruction': continueByInstruction,
  'core-message-fields': coreMessageFields,
  'developer-to-system': developerToSystem,
  'empty-content-to-null': emptyContentToNull,
  'fill-empty-content': fillEmptyContent,
  'flatten-plain-text': flattenPlainText,
  'flatten-text-content': flattenText,
  'null-content-to-empty': nullContentToEmpty,
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
  'name-json': nameJson,
};

export function isRequestTransform(name: string): name is RequestTransformName {
  return Object.hasOwn(REQUEST_TRANSFORMS, name);
}

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

/** The transform for models that lack all of some capabilities. */
interface Workaround {
  readonly lacks: readonly string[];
  readonly transform: TransformName;
}

/**
 * The transforms that let a model serve the request although it lacks something, in the order in which they apply. A model
 * without `image_url` gets the images themselves: spec 12.16.
 */
// spec 12.13
const WORKAROUNDS: readonly Workaround[] = [
  { lacks: ['developer_role'], transform: 'developer-to-system' },
  { lacks: ['content_list'], transform: 'flatten-text-content' },
  { lacks: ['json_unnamed'], transform: 'name-json' },
  { lacks: ['many_systems'], transform: 'single-system-first' },
  { lacks: ['system'], transform: 'system-to-user' },
  { lacks: ['parallel_calls'], transform: 'single-tool-calls' },
  { lacks: ['thought_signature'], transform: 'thought-signature' },
  { lacks: ['user_after_tool'], transform: 'close-tool-turns' },
  { lacks: ['prefill'], transform: 'continue-by-instruction' },
  // Such models count neither calls nor results as turns: what the user says after a result is the second turn in a row.
  { lacks: ['alternate_roles'], transform: 'close-tool-turns' },
  { lacks: ['alternate_roles'], transform: 'alternate-roles' },
  // Leaves nothing to the next two, which undo each other.
  { lacks: ['empty_assistant', 'null_content'], transform: 'fill-empty-content' },
  { lacks: ['null_content'], transform: 'null-content-to-empty' },
  { lacks: ['empty_assistant'], transform: 'empty-content-to-null' },
  { lacks: ['reasoning_fields'], transform: 'strip-reasoning-content' },
  { lacks: ['reasoning_back'], transform: 'reasoning-back' },
  { lacks: ['tool_ids'], transform: 'short-tool-ids' },
  { lacks: ['tool_names'], transform: 'lawful-function-names' },
  { lacks: ['schema_keywords'], transform: 'basic-schema-keys' },
  { lacks: ['many_stops'], transform: 'four-stops' },
];

/** The transforms for a model that lacks these capabilities. */
export function workaroundsFor(lacking: readonly string[]): readonly TransformName[] {
  return WORKAROUNDS.filter(({ lacks }) => lacks.every((capability) => lacking.includes(capability))).map(
    ({ transform }) => transform,
  );
}

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
