import dialect from '../../../spec/dialect.json' with { type: 'json' };
import { elementsOf, isJsonObject, type JsonObject, jsonText, member } from '../../core/json.ts';
import type { ChatMessage } from './chat-request.ts';
import { mapSame, without } from './copy-on-change.ts';
import { toolIdsOf } from './tool-ids.ts';

type Messages = readonly ChatMessage[];

function withCalls(
  message: ChatMessage,
  change: (calls: readonly unknown[]) => readonly unknown[],
): ChatMessage {
  const { tool_calls: calls } = message;
  if (!Array.isArray(calls)) return message;
  const changed = change(calls);
  return changed === calls ? message : { ...message, tool_calls: changed };
}

const CALL_FIELDS: ReadonlySet<string> = new Set(['id', 'type', 'function']);
const FUNCTION_FIELDS: ReadonlySet<string> = new Set(['name', 'arguments']);

function plainFunction(value: JsonObject): JsonObject {
  const plain = without(value, (name) => !FUNCTION_FIELDS.has(name));
  return isJsonObject(plain['arguments']) ? { ...plain, arguments: jsonText(plain['arguments']) } : plain;
}

function plainCall(call: unknown): unknown {
  if (!isJsonObject(call)) return call;
  const plain = without(call, (name) => !CALL_FIELDS.has(name));
  const called = plain['function'];
  if (!isJsonObject(called)) return plain;
  const plainCalled = plainFunction(called);
  return plainCalled === called ? plain : { ...plain, function: plainCalled };
}

/** Keeps only OpenAI's fields of each call: a field that one provider adds is refused by another. */
export function plainToolCalls(messages: Messages): Messages {
  return mapSame(messages, (message) => withCalls(message, (calls) => mapSame(calls, plainCall)));
}

const SHORT_ID = /^[A-Za-z0-9]{9}$/;
const SHORT_ID_LENGTH = 9;

/** Numbers the long ids in the order of appearance, so that an id stays the same as the conversation grows. */
function shortIdsOf(ids: ReadonlySet<string>): ReadonlyMap<string, string> {
  const short = new Map<string, string>();
  let number = 0;
  for (const id of ids) {
    if (SHORT_ID.test(id)) continue;
    let next: string;
    do {
      number += 1;
      next = String(number).padStart(SHORT_ID_LENGTH, '0');
    } while (ids.has(next));
    short.set(id, next);
  }
  return short;
}

export function shortToolIds(messages: Messages): Messages {
  const short = shortIdsOf(toolIdsOf(messages));
  if (short.size === 0) return messages;
  const shortIdAt = (value: unknown, name: string): string | undefined => {
    const id = member(value, name);
    return typeof id === 'string' ? short.get(id) : undefined;
  };
  const withShortId = (call: unknown): unknown => {
    const id = shortIdAt(call, 'id');
    return id === undefined || !isJsonObject(call) ? call : { ...call, id };
  };
  return mapSame(messages, (message) => {
    const id = shortIdAt(message, 'tool_call_id');
    const renamed = id === undefined ? message : { ...message, tool_call_id: id };
    return withCalls(renamed, (calls) => mapSame(calls, withShortId));
  });
}

/** The tool results directly after a message, by call id. */
function resultsAfter(messages: Messages, index: number): ReadonlyMap<unknown, ChatMessage> {
  const results = new Map<unknown, ChatMessage>();
  for (let next = index + 1; next < messages.length; next += 1) {
    const message = messages[next];
    if (message?.role !== 'tool' || results.has(message.tool_call_id)) break;
    results.set(message.tool_call_id, message);
  }
  return results;
}

/** Parallel calls as sequential ones, each with its result; empty unless every call has exactly one result. */
function sequential(message: ChatMessage, results: ReadonlyMap<unknown, ChatMessage>): Messages {
  const calls = elementsOf(message.tool_calls);
  if (calls.length < 2 || results.size !== calls.length) return [];
  const turns: ChatMessage[] = [];
  const taken = new Set<ChatMessage>();
  for (const [place, call] of calls.entries()) {
    const result = results.get(member(call, 'id'));
    if (result === undefined || taken.has(result)) return [];
    taken.add(result);
    turns.push(
      place === 0
        ? { ...message, tool_calls: [call] }
        : { role: 'assistant', content: '', tool_calls: [call] },
      result,
    );
  }
  return turns;
}

/** Rewrites parallel calls as sequential ones, for models that support no others. */
export function singleToolCalls(messages: Messages): Messages {
  const changed: ChatMessage[] = [];
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) continue;
    const turns = message.role === 'assistant' ? sequential(message, resultsAfter(messages, index)) : [];
    changed.push(...(turns.length === 0 ? [message] : turns));
    // Skip the results: each now follows its call.
    index += turns.length / 2;
  }
  return changed.length === messages.length ? messages : changed;
}

/** Ends a tool turn: some models refuse a user message directly after a tool result. */
const CLOSING = 'Done.';

export function closeToolTurns(messages: Messages): Messages {
  const changed: ChatMessage[] = [];
  for (const message of messages) {
    if (message.role === 'user' && changed.at(-1)?.role === 'tool')
      changed.push({ role: 'assistant', content: CLOSING });
    changed.push(message);
  }
  return changed.length === messages.length ? messages : changed;
}

function withDefaults(value: JsonObject, defaults: JsonObject): JsonObject {
  const filled = Object.entries(defaults).map(([name, standard]) => {
    const given = member(value, name);
    const isDeep = isJsonObject(given) && isJsonObject(standard);
    return [name, isDeep ? withDefaults(given, standard) : (given ?? standard)] as const;
  });
  const isSame = filled.every(([name, next]) => next === member(value, name));
  return isSame ? value : { ...value, ...Object.fromEntries(filled) };
}

/**
 * Fills in missing members of the first tool call of each assistant message. A message that has one of these members
 * itself is left unchanged.
 */
function withFirstCall(messages: Messages, defaults: JsonObject): Messages {
  const names = Object.keys(defaults);
  return mapSame(messages, (message) => {
    if (message.role !== 'assistant' || names.some((name) => message[name] !== undefined)) return message;
    return withCalls(message, (calls) => {
      const [first, ...rest] = calls;
      if (!isJsonObject(first)) return calls;
      const filled = withDefaults(first, defaults);
      return filled === first ? calls : [filled, ...rest];
    });
  });
}

/** Some endpoints check a signature in the first tool call, which only their own model can have given. */
export function withThoughtSignature(messages: Messages): Messages {
  return withFirstCall(messages, dialect.firstToolCall.fields);
}
