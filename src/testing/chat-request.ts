/** Parses the fields of a chat request that the rules need. */

import { isJsonObject, type JsonObject } from './exchange.ts';
import type { Capability } from './model.ts';

export interface ChatRequest {
  readonly body: JsonObject;
  readonly messages: readonly JsonObject[];
  /** Estimated at four characters per token. */
  readonly promptTokens: number;
  /** `max_completion_tokens` or `max_tokens`. 0 if both are absent. */
  readonly maxTokens: number;
  /** The text of the last user message that is not an instruction to continue. */
  readonly lastUserText: string;
  /** The text of an unfinished answer that the model is asked to continue. */
  readonly continuing: string | undefined;
  readonly stream: boolean;
  /** Whether the stream must end with a usage chunk. */
  readonly includeUsage: boolean;
  /** The capabilities that the request needs. */
  readonly needs: readonly Capability[];
}

/** The reason why a body is not a valid chat request. */
export type ChatProblem =
  | { readonly kind: 'unreadable'; readonly detail: string }
  | { readonly kind: 'no-model' }
  | { readonly kind: 'invalid'; readonly detail: string };

export interface ReadBody {
  readonly model: string | undefined;
  readonly chat: ChatRequest | ChatProblem;
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const CHARACTERS_PER_TOKEN = 4;
const ASKS_TO_CONTINUE = /\b(continue|continuing|go on|carry on|resume|proceed)\b|\b(left|broke|cut) off\b/i;

export function countTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

export function isChatProblem(chat: ChatRequest | ChatProblem): chat is ChatProblem {
  return 'kind' in chat;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

function hasImage({ content }: JsonObject): boolean {
  return (
    Array.isArray(content) &&
    content.some((part: unknown) => isJsonObject(part) && part['type'] === 'image_url')
  );
}

function hasAtLeast(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length >= length;
}

function needsOf(body: JsonObject, messages: readonly JsonObject[]): Capability[] {
  const needs: [Capability, boolean][] = [
    ['tools', hasAtLeast(body['tools'], 1)],
    ['vision', messages.some(hasImage)],
    ['system', messages.some(({ role }) => role === 'system' || role === 'developer')],
    ['prefill', messages.at(-1)?.['role'] === 'assistant'],
    ['parallel-tools', messages.some((message) => hasAtLeast(message['tool_calls'], 2))],
  ];
  return needs.filter(([, needed]) => needed).map(([capability]) => capability);
}

function problemOf(body: JsonObject): string | undefined {
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0) return 'messages must be a non-empty array';
  for (const [index, message] of messages.entries()) {
    if (!isJsonObject(message)) return `messages[${index}] must be an object`;
    const { role } = message;
    if (typeof role !== 'string' || !ROLES.includes(role)) {
      return `messages[${index}].role must be one of ${ROLES.join(', ')}`;
    }
  }
  return undefined;
}

/** The last question of a conversation, and the unfinished answer to it, if any. */
function threadOf(messages: readonly JsonObject[]): Pick<ChatRequest, 'lastUserText' | 'continuing'> {
  const [before, last] = messages.slice(-2);
  const instructed =
    before?.['role'] === 'assistant' &&
    last?.['role'] === 'user' &&
    ASKS_TO_CONTINUE.test(textOf(last['content']));
  const thread = instructed ? messages.slice(0, -1) : messages;
  const answer = thread.at(-1);
  const unfinished = answer?.['role'] === 'assistant' ? textOf(answer['content']) : '';
  return {
    lastUserText: textOf(thread.findLast(({ role }) => role === 'user')?.['content']),
    continuing: unfinished === '' ? undefined : unfinished,
  };
}

function chatOf(body: JsonObject): ChatRequest {
  const all: unknown[] = Array.isArray(body['messages']) ? body['messages'] : [];
  const messages = all.filter(isJsonObject);
  const texts = messages.map(({ content }) => textOf(content)).join('');
  const tools = body['tools'] === undefined ? '' : JSON.stringify(body['tools']);
  const maxTokens = body['max_completion_tokens'] ?? body['max_tokens'];
  const streamOptions = body['stream_options'];
  return {
    body,
    messages,
    promptTokens: Math.max(1, countTokens(texts + tools)),
    maxTokens: typeof maxTokens === 'number' ? maxTokens : 0,
    ...threadOf(messages),
    stream: body['stream'] === true,
    includeUsage: isJsonObject(streamOptions) && streamOptions['include_usage'] === true,
    needs: needsOf(body, messages),
  };
}

/** Parses a body. Never throws: an invalid body yields a {@link ChatProblem}. */
export function readChatBody(text: string): ReadBody {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return { model: undefined, chat: { kind: 'unreadable', detail: String(error) } };
  }
  if (!isJsonObject(body)) {
    return { model: undefined, chat: { kind: 'invalid', detail: 'the body must be a JSON object' } };
  }
  const { model } = body;
  if (typeof model !== 'string' || model === '') return { model: undefined, chat: { kind: 'no-model' } };
  const detail = problemOf(body);
  return { model, chat: detail === undefined ? chatOf(body) : { kind: 'invalid', detail } };
}
