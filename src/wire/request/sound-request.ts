/** Changes that every request gets. They keep its meaning and remove what strict providers refuse. */

import { isJsonObject, member } from '../../core/json.ts';
import type { ChatMessage, ChatRequest, RequestFields } from './chat-request.ts';
import { mapSame, without } from './copy-on-change.ts';
import { withSoundToolIds } from './tool-ids.ts';

type Messages = readonly ChatMessage[];

/** The escape of a surrogate in JSON text, without its backslash; and one of a pair. */
const SURROGATE = /^ud[89a-f][0-9a-f]{2}/i;
const PAIR = /^ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/i;
const PAIR_LENGTH = 11;

/** JSON text in which lone surrogates became U+FFFD. `JSON.stringify` writes them as escapes, which strict parsers refuse. */
export function wellFormedJson(json: string): string {
  // Much faster than the loop.
  if (!json.includes('\\ud') && !json.includes('\\uD')) return json;
  // A call for each escape would take half a minute for a text of them.
  const kept: string[] = [];
  let from = 0;
  let next = 2;
  for (let at = json.indexOf('\\'); at !== -1; at = json.indexOf('\\', at + next)) {
    next = 2;
    if (json[at + 1] !== 'u') continue;
    const escape = json.slice(at + 1, at + 1 + PAIR_LENGTH);
    if (PAIR.test(escape)) next = 1 + PAIR_LENGTH;
    else if (SURROGATE.test(escape)) {
      next = '\\udxxx'.length;
      if (from < at) kept.push(json.slice(from, at));
      kept.push('\ufffd');
      from = at + next;
    }
  }
  return from === 0 ? json : kept.join('') + json.slice(from);
}

const TOOL_FIELDS: ReadonlySet<string> = new Set(['tools', 'tool_choice', 'parallel_tool_calls']);

/** Whether a value says no more than its absence. */
function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function soundFields(fields: RequestFields): RequestFields {
  const hasNoTools = isNothing(fields['tools']);
  return without(fields, (name) => fields[name] === null || (hasNoTools && TOOL_FIELDS.has(name)));
}

/**
 * The arguments are JSON text themselves, which providers parse. Their value, which answers of freelm have beside the text,
 * is left out.
 */
function withSoundArguments(given: unknown): unknown {
  const call = isJsonObject(given) ? without(given, (name) => name === 'arguments') : given;
  const called = member(call, 'function');
  const text = member(called, 'arguments');
  if (!isJsonObject(call) || !isJsonObject(called) || typeof text !== 'string') return call;
  const sound = wellFormedJson(text);
  return sound === text ? call : { ...call, function: { ...called, arguments: sound } };
}

function soundMessage(given: ChatMessage): ChatMessage {
  const message = without(
    given,
    (name) =>
      (name !== 'content' && given[name] === null) || (name === 'tool_calls' && isNothing(given[name])),
  );
  const { tool_calls: calls } = message;
  if (!Array.isArray(calls)) return message;
  const sound = mapSame<unknown>(calls, withSoundArguments);
  return sound === calls ? message : { ...message, tool_calls: sound };
}

/** Fields that say nothing by themselves. */
const SILENT_FIELDS: ReadonlySet<string> = new Set([
  'role',
  'name',
  'content',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
]);

function isBlank(content: unknown): boolean {
  if (typeof content === 'string') return content.trim() === '';
  return isNothing(content) || (Array.isArray(content) && content.every(isBlankText));
}

function isBlankText(part: unknown): boolean {
  const text = member(part, 'text');
  return member(part, 'type') === 'text' && typeof text === 'string' && text.trim() === '';
}

/** Whether an assistant message has neither content nor calls. Many providers refuse it, for the rest of the conversation. */
function saysNothing(message: ChatMessage): boolean {
  if (message.role !== 'assistant' || !isBlank(message.content)) return false;
  return Object.keys(message).every((name) => SILENT_FIELDS.has(name) || isNothing(message[name]));
}

function soundMessages(given: Messages): Messages {
  const tidied = mapSame(given, soundMessage);
  const telling = tidied.some(saysNothing) ? tidied.filter((message) => !saysNothing(message)) : tidied;
  return withSoundToolIds(telling.length === 0 ? tidied : telling);
}

/** The request without what says nothing, and with tool calls that can be told apart; `request` if nothing changes. */
// spec 12.11
export function soundRequest(request: ChatRequest): ChatRequest {
  const messages = soundMessages(request.messages);
  const fields = soundFields(request.fields);
  return messages === request.messages && fields === request.fields ? request : { messages, fields };
}
