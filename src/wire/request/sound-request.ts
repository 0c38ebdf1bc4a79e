/** Changes that every request gets. They keep its meaning and remove what strict providers refuse. */

import { isJsonObject, member } from '../../core/json.ts';
import type { ChatMessage, ChatRequest, RequestFields } from './chat-request.ts';
import { mapSame, without } from './copy-on-change.ts';
import { withSoundToolIds } from './tool-ids.ts';

type Messages = readonly ChatMessage[];

/** The characters of an escape such as `\\ud83d`. */
const ESCAPE_LENGTH = 6;

/** The value of a hexadecimal digit by its character code; NaN for any other character. */
const HEX_DIGITS: readonly number[] = Array.from({ length: 0x67 }, (_, code) =>
  Number.parseInt(String.fromCharCode(code), 16),
);

function hexDigit(json: string, at: number): number {
  return HEX_DIGITS[json.charCodeAt(at)] ?? Number.NaN;
}

/** The surrogate that an escape at `at` means; 0 if there is no such escape. By codes, because a text may have millions. */
function surrogateAt(json: string, at: number): number {
  if (json[at] !== '\\' || json[at + 1] !== 'u' || hexDigit(json, at + 2) !== 0xd) return 0;
  const code =
    0xd000 + hexDigit(json, at + 3) * 0x100 + hexDigit(json, at + 4) * 0x10 + hexDigit(json, at + 5);
  return code >= 0xd800 ? code : 0;
}

/** JSON text in which lone surrogates became U+FFFD. `JSON.stringify` writes them as escapes, which strict parsers refuse. */
export function wellFormedJson(json: string): string {
  // Much faster than the loop.
  if (!json.includes('\\ud') && !json.includes('\\uD')) return json;
  const kept: string[] = [];
  let from = 0;
  let next = 2;
  for (let at = json.indexOf('\\'); at !== -1; at = json.indexOf('\\', at + next)) {
    next = 2;
    const surrogate = surrogateAt(json, at);
    if (surrogate === 0) continue;
    next = ESCAPE_LENGTH;
    if (surrogate < 0xdc00 && surrogateAt(json, at + ESCAPE_LENGTH) >= 0xdc00) {
      next = 2 * ESCAPE_LENGTH;
      continue;
    }
    if (from < at) kept.push(json.slice(from, at));
    kept.push('\ufffd');
    from = at + next;
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

/** A message whose text has no lone surrogates. Writing them as escapes, and reading these again, would take much longer. */
function withSoundText(message: ChatMessage): ChatMessage {
  const { content } = message;
  return typeof content !== 'string' || content.isWellFormed()
    ? message
    : { ...message, content: content.toWellFormed() };
}

function soundMessage(whole: ChatMessage): ChatMessage {
  const given = withSoundText(whole);
  // Usual: a role and a text.
  const isShort = Object.keys(given).length === 2 && Object.hasOwn(given, 'role');
  if (isShort && typeof given.content === 'string') return given;
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
