/** Finds what a request has that a model does not like. */

import type { ChatRequest } from '../chat-request.ts';
import { isJsonObject, type JsonObject } from '../exchange.ts';
import type { RequirementName } from './requirement.ts';

/** What a refusal can name: fields, ids, keywords or the position of a message. At least one. */
export type Offence = readonly string[];

function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function positionsOf(
  { messages }: ChatRequest,
  test: (message: JsonObject, index: number) => boolean,
): Offence {
  return messages.flatMap((message, index) => (test(message, index) ? [String(index)] : []));
}

function isText(content: unknown): boolean {
  return Array.isArray(content) && content.every((part) => isJsonObject(part) && part['type'] === 'text');
}

function isInstruction({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer';
}

function hasCalls({ tool_calls: calls }: JsonObject): boolean {
  return Array.isArray(calls) && calls.length > 0;
}

function hasContent({ content }: JsonObject): boolean {
  return Array.isArray(content) ? content.length > 0 : typeof content === 'string' && content !== '';
}

/** The positions of messages that break the alternation of user and assistant. */
function outOfTurn(chat: ChatRequest): Offence {
  let turns = 0;
  return positionsOf(chat, (message) => {
    const isTurn = message['role'] === 'user' || (message['role'] === 'assistant' && !hasCalls(message));
    if (!isTurn) return false;
    const expected = turns % 2 === 0 ? 'user' : 'assistant';
    turns += 1;
    return message['role'] !== expected;
  });
}

function callIdsOf({ messages }: ChatRequest): readonly string[] {
  return messages.flatMap(({ tool_calls: calls }) => objectsIn(calls).map(({ id }) => String(id)));
}

/** The positions of messages with an image that the provider would have to fetch. */
function remoteImagesOf(chat: ChatRequest): Offence {
  return positionsOf(chat, ({ content }) =>
    objectsIn(content).some(({ image_url: image }) => {
      const url = isJsonObject(image) ? image['url'] : image;
      return typeof url === 'string' && /^https?:/i.test(url);
    }),
  );
}

const SIGNATURE = /^(?:signature-\d+|skip_thought_signature_validator)$/;

function isSigned({ tool_calls: calls }: JsonObject): boolean {
  const extra = objectsIn(calls)[0]?.['extra_content'];
  const google = isJsonObject(extra) ? extra['google'] : undefined;
  const signature = isJsonObject(google) ? google['thought_signature'] : undefined;
  return typeof signature === 'string' && SIGNATURE.test(signature);
}

function repeated(values: readonly string[]): Offence {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

const REASONING = ['reasoning', 'reasoning_content', 'reasoning_details'];

function reasoningFieldsOf({ messages }: ChatRequest): Offence {
  return REASONING.filter((name) => messages.some((message) => message[name] !== undefined));
}

const USUAL_FIELDS = new Set([
  'frequency_penalty',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  'n',
  'presence_penalty',
  'response_format',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_p',
]);

function functionsOf({ body }: ChatRequest): readonly JsonObject[] {
  return objectsIn(body['tools'])
    .map(({ function: tool }) => tool)
    .filter(isJsonObject);
}

function calledNamesOf({ messages }: ChatRequest): readonly unknown[] {
  return messages
    .flatMap(({ tool_calls: calls }) => objectsIn(calls))
    .map(({ function: called }) => (isJsonObject(called) ? called['name'] : undefined));
}

function oddNamesOf(chat: ChatRequest): Offence {
  const names = [...functionsOf(chat).map(({ name }) => name), ...calledNamesOf(chat)];
  const odd = names.filter((name) => typeof name === 'string' && !/^[A-Za-z_][\w-]{0,63}$/.test(name));
  return [...new Set(odd.map(String))];
}

const RARE_KEYWORDS = new Set([
  '$schema',
  'additionalProperties',
  'const',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'patternProperties',
  'propertyNames',
]);

function rareKeywordsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(rareKeywordsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(RARE_KEYWORDS.has(name) ? [name] : []),
    ...rareKeywordsIn(inner),
  ]);
}

function loneSurrogatesIn(value: unknown, path: string): readonly string[] {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => loneSurrogatesIn(inner, `${path}.${name}`));
}

/** Returns what breaks the form, empty if nothing does. */
type Finder = (chat: ChatRequest) => Offence;

/** The finders of all forms. A form with nothing to name finds the field. */
export const OFFENCES: Readonly<Record<RequirementName, Finder>> = {
  'no-content-lists': (chat) => positionsOf(chat, ({ content }) => isText(content)),
  'no-developer-role': (chat) => positionsOf(chat, ({ role }) => role === 'developer'),
  'one-system-message': (chat) => positionsOf(chat, (message, index) => index > 0 && isInstruction(message)),
  'alternating-roles': outOfTurn,
  'no-empty-tools': ({ body: { tools } }) => (Array.isArray(tools) && tools.length === 0 ? ['tools'] : []),
  'no-tool-choice-alone': ({ body }) =>
    body['tool_choice'] !== undefined && objectsIn(body['tools']).length === 0 ? ['tool_choice'] : [],
  'no-empty-assistant': (chat) =>
    positionsOf(chat, (message) => {
      return message['role'] === 'assistant' && !hasContent(message) && !hasCalls(message);
    }),
  'well-formed-text': ({ body }) => loneSurrogatesIn(body, 'body'),
  'unique-tool-ids': (chat) => repeated(callIdsOf(chat)),
  'lawful-tool-ids': (chat) => callIdsOf(chat).filter((id) => !/^[\w-]{1,64}$/.test(id)),
  'short-tool-ids': (chat) => callIdsOf(chat).filter((id) => !/^[A-Za-z0-9]{9}$/.test(id)),
  'thought-signatures': (chat) => positionsOf(chat, (message) => hasCalls(message) && !isSigned(message)),
  'images-as-data': remoteImagesOf,
  'no-reasoning-fields': reasoningFieldsOf,
  'reasoning-content-back': (chat) =>
    positionsOf(chat, (message) => hasCalls(message) && typeof message['reasoning_content'] !== 'string'),
  'max-tokens-only': ({ body }) =>
    body['max_completion_tokens'] === undefined ? [] : ['max_completion_tokens'],
  'max-completion-tokens-only': ({ body }) => (body['max_tokens'] === undefined ? [] : ['max_tokens']),
  'no-unknown-fields': ({ body }) => Object.keys(body).filter((name) => !USUAL_FIELDS.has(name)),
  'plain-function-names': oddNamesOf,
  'plain-schemas': (chat) => [
    ...new Set(functionsOf(chat).flatMap(({ parameters }) => rareKeywordsIn(parameters))),
  ],
  'no-last-assistant': ({ messages }) =>
    messages.at(-1)?.['role'] === 'assistant' ? [String(messages.length - 1)] : [],
};
