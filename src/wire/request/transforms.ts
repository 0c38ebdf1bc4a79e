/** The named transforms that a provider's file can switch on. A transform returns its argument if nothing changes. */

import { elementsOf, isJsonObject, member } from '../../core/json.ts';
import type { ChatMessage, RequestFields } from './chat-request.ts';
import {
  developerToSystem,
  flattenPlainText,
  flattenText,
  nullContentToEmpty,
  singleSystemFirst,
  systemToUser,
} from './message-content.ts';
import {
  closeToolTurns,
  omitEmptyToolCalls,
  plainToolCalls,
  shortToolIds,
  singleToolCalls,
} from './message-tool-calls.ts';
import { mapSame, without } from './copy-on-change.ts';

type MessageTransform = (messages: readonly ChatMessage[]) => readonly ChatMessage[];
type FieldTransform = (fields: RequestFields) => RequestFields;

export type MessageTransformName =
  | 'close-tool-turns'
  | 'developer-to-system'
  | 'flatten-plain-text'
  | 'flatten-text-content'
  | 'null-content-to-empty'
  | 'omit-empty-tool-calls'
  | 'plain-tool-calls'
  | 'short-tool-ids'
  | 'single-system-first'
  | 'single-tool-calls'
  | 'strip-reasoning-content'
  | 'system-to-user';
export type FieldTransformName = 'named-tool-only' | 'omit-empty-parameters';
export type TransformName = MessageTransformName | FieldTransformName;

const REASONING: ReadonlySet<string> = new Set(['reasoning', 'reasoning_content', 'reasoning_details']);

function stripReasoning(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => without(message, (name) => REASONING.has(name)));
}

// spec 12.9
export const MESSAGE_TRANSFORMS: Readonly<Record<MessageTransformName, MessageTransform>> = {
  'close-tool-turns': closeToolTurns,
  'developer-to-system': developerToSystem,
  'flatten-plain-text': flattenPlainText,
  'flatten-text-content': flattenText,
  'null-content-to-empty': nullContentToEmpty,
  'omit-empty-tool-calls': omitEmptyToolCalls,
  'plain-tool-calls': plainToolCalls,
  'short-tool-ids': shortToolIds,
  'single-system-first': singleSystemFirst,
  'single-tool-calls': singleToolCalls,
  'strip-reasoning-content': stripReasoning,
  'system-to-user': systemToUser,
};

/** Replaces the choice of one tool with a list of that tool alone, for providers that accept no tool name as a choice. */
function namedToolOnly(fields: RequestFields): RequestFields {
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
function omitEmptyParameters(fields: RequestFields): RequestFields {
  const given = fields['tools'];
  if (!Array.isArray(given)) return fields;
  const tools = mapSame<unknown>(given, withoutEmptyParameters);
  return tools === given ? fields : { ...fields, tools };
}

export const FIELD_TRANSFORMS: Readonly<Record<FieldTransformName, FieldTransform>> = {
  'named-tool-only': namedToolOnly,
  'omit-empty-parameters': omitEmptyParameters,
};

export function isMessageTransform(name: string): name is MessageTransformName {
  return Object.hasOwn(MESSAGE_TRANSFORMS, name);
}

export function isFieldTransform(name: string): name is FieldTransformName {
  return Object.hasOwn(FIELD_TRANSFORMS, name);
}

/** By capability: the transform that lets a model without it serve the request. */
// spec 12.8
export const WORKAROUNDS: ReadonlyMap<string, MessageTransformName> = new Map([
  ['system', 'system-to-user'],
  ['parallel_calls', 'single-tool-calls'],
  ['user_after_tool', 'close-tool-turns'],
]);
