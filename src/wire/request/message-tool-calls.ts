/** Changes of the tool calls that a conversation holds, and of their results. */

import { elementsOf, isJsonObject, type JsonObject, jsonText, member } from '../../core/json.ts';
import type { ChatMessage } from './chat-request.ts';
import { mapSame, without } from './schema-keys.ts';

function withCalls(
  message: ChatMessage,
  change: (calls: readonly unknown[]) => readonly unknown[],
): ChatMessage {
  const { tool_calls: calls } = message;
  if (!Array.isArray(calls)) return message;
  const changed = change(calls);
  return changed === calls ? message : { ...message, tool_calls: changed };
}

/** A list of calls that holds none is left out. */
export function omitEmptyToolCalls(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => {
    if (!Object.hasOwn(message, 'tool_calls')) return message;
    return elementsOf(message.tool_calls).length > 0
      ? message
      : without(message, (name) => name === 'tool_calls');
  });
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

/** Calls keep what OpenAI's dialect knows: what one provider has put beside it, another one refuses. */
export function plainToolCalls(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => withCalls(message, (calls) => mapSame(calls, plainCall)));
}

const SHORT_ID = /^[A-Za-z0-9]{9}$/;
const SHORT_ID_LENGTH = 9;

function idsIn(messages: readonly ChatMessage[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const message of messages) {
    const calls = elementsOf(message.tool_calls).map((call) => member(call, 'id'));
    for (const id of [...calls, message.tool_call_id]) if (typeof id === 'string') ids.add(id);
  }
  return ids;
}

/** By id as it was: numbers in the order of appearance, so that a conversation that grows keeps those it had. */
function shortIds(ids: ReadonlySet<string>): ReadonlyMap<string, string> {
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

/** Ids of calls, and of the results that belong to them, become nine letters or digits where they are not. */
export function shortToolIds(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const short = shortIds(idsIn(messages));
  if (short.size === 0) return messages;
  const shortened = (value: unknown, name: string): string | undefined => {
    const id = member(value, name);
    return typeof id === 'string' ? short.get(id) : undefined;
  };
  const shortCall = (call: unknown): unknown => {
    const id = shortened(call, 'id');
    return id === undefined || !isJsonObject(call) ? call : { ...call, id };
  };
  return mapSame(messages, (message) => {
    const id = shortened(message, 'tool_call_id');
    const renamed = id === undefined ? message : { ...message, tool_call_id: id };
    return withCalls(renamed, (calls) => mapSame(calls, shortCall));
  });
}

/** The results that follow an assistant's message at once, by the call that they belong to. */
function resultsAfter(messages: readonly ChatMessage[], index: number): ReadonlyMap<unknown, ChatMessage> {
  const results = new Map<unknown, ChatMessage>();
  for (let next = index + 1; next < messages.length; next += 1) {
    const message = messages[next];
    if (message?.role !== 'tool' || results.has(message.tool_call_id)) break;
    results.set(message.tool_call_id, message);
  }
  return results;
}

/** Several calls made at once, as if they had been made one after the other; undefined when it is not clear how. */
function oneByOne(message: ChatMessage, results: ReadonlyMap<unknown, ChatMessage>): readonly ChatMessage[] {
  const calls = elementsOf(message.tool_calls);
  if (calls.length < 2 || results.size !== calls.length) return [];
  const turns: ChatMessage[] = [];
  for (const [place, call] of calls.entries()) {
    const result = results.get(member(call, 'id'));
    if (result === undefined || turns.includes(result)) return [];
    turns.push(
      place === 0
        ? { ...message, tool_calls: [call] }
        : { role: 'assistant', content: '', tool_calls: [call] },
      result,
    );
  }
  return turns;
}

/** Calls made at once are told one after the other, each with its result: for models that know no other way. */
export function singleToolCalls(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const changed: ChatMessage[] = [];
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) continue;
    const turns = message.role === 'assistant' ? oneByOne(message, resultsAfter(messages, index)) : [];
    changed.push(...(turns.length === 0 ? [message] : turns));
    // The results stand behind their calls now.
    index += turns.length / 2;
  }
  return changed.length === messages.length ? messages : changed;
}

/** What the assistant is made to say between results and the user: some allow the user no word before it has spoken. */
const CLOSING = 'Done.';

/** The assistant speaks between the result of a tool and the user's next message. */
export function closeToolTurns(messages: readonly ChatMessage[]): readonly ChatMessage[] {
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
 * The first of the calls that an assistant made at once carries what the provider wants to find there; what it carries
 * already stays. A message that carries it itself, as some do, is left alone.
 */
export function withFirstCall(
  messages: readonly ChatMessage[],
  defaults: JsonObject,
): readonly ChatMessage[] {
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
