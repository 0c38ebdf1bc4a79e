/** Judges the answers of the server, and texts that a user or an operator may see. */

import { isJsonObject, member, parseJson } from '../../src/core/json.ts';
import { leaksIn } from '../client/canaries.ts';
import type { Answer, Outcome } from './exchange.ts';
import type { HostileRequest } from './requests.ts';

/** What JavaScript says of a fault in a program. No message to a user may repeat it. */
const INTERNAL =
  /Unexpected: |Cannot (?:read|set|convert|destructure)|is not (?:a function|iterable|a constructor)|Maximum call stack|Invalid (?:array|string) length|URI malformed|Assertion|\.ts:\d+:\d+|node:internal/;

const MAX_MESSAGE_LENGTH = 20_000;

/** The faults of a message of an error. */
export function messageFaults(message: string): readonly string[] {
  const internal = INTERNAL.exec(message);
  const faults =
    internal === null
      ? []
      : [`an internal message: ${message.slice(Math.max(0, internal.index - 40), internal.index + 200)}`];
  if (message.length > MAX_MESSAGE_LENGTH)
    faults.push(`a message of ${message.length} characters: ${message.slice(0, 100)}`);
  return faults;
}

/** The keys that a text gives away. */
export function leakFaults(where: string, text: string): readonly string[] {
  return leaksIn(text).map((leak) => `a key in ${where}: ${leak}`);
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

/** The codes of what Node's parser refuses. No path is known then, so the words are OpenAI's. */
const UNREADABLE: ReadonlySet<unknown> = new Set([
  'bad_http',
  'headers_too_large',
  'request_too_large',
  'request_timeout',
]);

/** An error, in the words of the path's protocol. */
function errorFaults(body: unknown, path: string): readonly string[] {
  const error = member(body, 'error');
  const isUnreadable = UNREADABLE.has(member(error, 'code'));
  if (path.startsWith('/api/') && !isUnreadable)
    return typeof error === 'string' ? messageFaults(error) : ['an error that is not of Ollama\u2019s form'];
  const message = member(error, 'message');
  if (typeof message !== 'string' || typeof member(error, 'type') !== 'string')
    return ['an error that is not of OpenAI\u2019s form'];
  if (path.startsWith('/v1/messages') && !isUnreadable && member(body, 'type') !== 'error')
    return ['an error that is not of the Messages API\u2019s form'];
  return messageFaults(message);
}

/** Events with data only, the last of which is no JSON. */
function chunkFaults(events: readonly string[], path: string): readonly string[] {
  const last = events.at(-1) ?? '';
  const faults: string[] = [];
  for (const event of events) {
    if (event === 'data: [DONE]') continue;
    const value = event.startsWith('data: ') ? parseJson(event.slice(6)) : undefined;
    if (member(value, 'error') !== undefined) faults.push(...errorFaults(value, path));
    else if (!isList(member(value, 'choices')))
      faults.push(`an event that is no chunk: ${event.slice(0, 200)}`);
  }
  if (last !== 'data: [DONE]' && !last.startsWith('data: {"error":')) faults.push('events without an end');
  return faults;
}

/** The types of the last event, by path. */
const LAST_TYPES: ReadonlyMap<string, ReadonlySet<unknown>> = new Map([
  ['/v1/messages', new Set<unknown>(['message_stop', 'error'])],
  ['/v1/responses', new Set<unknown>(['response.completed', 'response.incomplete', 'response.failed'])],
]);

/** Events with a name, which is the type in their data. */
function namedFaults(
  events: readonly string[],
  path: string,
  lastTypes: ReadonlySet<unknown>,
): readonly string[] {
  const values = events.map((event) => {
    const [, name = '', data = ''] = /^event: ([^\n]*)\ndata: ([^\n]*)$/.exec(event) ?? [];
    const value = parseJson(data);
    return member(value, 'type') === name ? value : undefined;
  });
  const faults = values.flatMap((value, index) => {
    if (value === undefined) return [`an event without its type: ${(events[index] ?? '').slice(0, 200)}`];
    return member(value, 'type') === 'error' && path === '/v1/messages' ? errorFaults(value, path) : [];
  });
  const numbers = values.map((value) => member(value, 'sequence_number'));
  if (path === '/v1/responses' && numbers.some((number, index) => number !== index))
    faults.push(`events out of order: ${numbers.join(' ')}`);
  return lastTypes.has(member(values.at(-1), 'type')) ? faults : [...faults, 'events without an end'];
}

function eventFaults(body: string, path: string): readonly string[] {
  if (!body.endsWith('\n\n')) return ['events that do not end'];
  const events = body.slice(0, -2).split('\n\n');
  const lastTypes = LAST_TYPES.get(path);
  return lastTypes === undefined ? chunkFaults(events, path) : namedFaults(events, path, lastTypes);
}

function lineFaults(body: string, path: string): readonly string[] {
  if (!body.endsWith('\n')) return ['lines that do not end'];
  const lines = body.slice(0, -1).split('\n');
  return lines.flatMap((line, index) => {
    const value = parseJson(line);
    const isLast = index === lines.length - 1;
    if (member(value, 'error') !== undefined)
      return isLast ? errorFaults(value, path) : ['an error in the middle'];
    return member(value, 'done') === isLast
      ? []
      : [`a line that is not "done" where it ends: ${line.slice(0, 200)}`];
  });
}

/** By path: what an answer must have. */
const ANSWERS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['/v1/chat/completions', (value: unknown) => isList(member(value, 'choices'))],
  ['/v1/completions', (value: unknown) => isList(member(value, 'choices'))],
  [
    '/v1/messages',
    (value: unknown) => member(value, 'type') === 'message' && isList(member(value, 'content')),
  ],
  ['/v1/messages/count_tokens', (value: unknown) => typeof member(value, 'input_tokens') === 'number'],
  [
    '/v1/responses',
    (value: unknown) => member(value, 'object') === 'response' && isList(member(value, 'output')),
  ],
  ['/api/chat', (value: unknown) => member(value, 'done') === true && isJsonObject(member(value, 'message'))],
  [
    '/api/generate',
    (value: unknown) => member(value, 'done') === true && typeof member(value, 'response') === 'string',
  ],
  ['/api/show', (value: unknown) => isList(member(value, 'capabilities'))],
  ['/api/tags', (value: unknown) => isList(member(value, 'models'))],
  ['/api/version', (value: unknown) => typeof member(value, 'version') === 'string'],
]);

function jsonFaults({ status, body }: Answer, path: string): readonly string[] {
  const value = parseJson(body);
  if (!isJsonObject(value)) return ['JSON that is none'];
  // A server that cannot serve says so with the state of its keys.
  if (path === '/health' && status === 503) return value['ok'] === false ? [] : ['a status of 503'];
  if (status >= 400) return errorFaults(value, path);
  return ANSWERS.get(path)?.(value) === false ? ['an answer of another form'] : [];
}

/** The refusals of Node's own parser, which have no body. */
const PARSER_STATUSES: ReadonlySet<number> = new Set([400, 408, 413, 417, 431]);

/** By the beginning of the type of an answer. */
const JUDGES: readonly (readonly [
  type: string,
  faultsOf: (answer: Answer, path: string) => readonly string[],
])[] = [
  ['text/event-stream', ({ body }, path) => eventFaults(body, path)],
  ['application/x-ndjson', ({ body }, path) => lineFaults(body, path)],
  ['application/json', jsonFaults],
];

function formFaults(request: HostileRequest, answer: Answer): readonly string[] {
  const { status, headers, body } = answer;
  const type = headers.get('content-type') ?? '';
  if (status === 500) return ['a status of 500'];
  if (status < 200 || status > 599) return [`a status of ${status}`];
  if (request.method === 'HEAD') return [];
  const [, judge] = JUDGES.find(([name]) => type.startsWith(name)) ?? [];
  if (judge !== undefined) return judge(answer, request.path);
  if (type.startsWith('text/plain; version=')) return status === 200 ? [] : ['metrics as an error'];
  if (type.startsWith('text/html')) return status === 200 ? [] : ['a page as an error'];
  if (body === '' && (status === 204 || PARSER_STATUSES.has(status))) return [];
  return [`an answer of type "${type}"`];
}

/**
 * Whether a server may close the connection without an answer. The bytes of a body that no header announces are not read;
 * closing such a connection resets it, and the answer can be lost on its way.
 */
function mayBeSilent({ framing, headers, method }: HostileRequest): boolean {
  const isUnannounced = framing === 'none' || framing === 'short';
  return isUnannounced || headers.length > 1 || method === 'CONNECT' || method === 'PRI';
}

/** What is wrong with an outcome. */
export function outcomeFaults(request: HostileRequest, outcome: Outcome): readonly string[] {
  if (outcome === 'closed without an answer') return mayBeSilent(request) ? [] : [outcome];
  if (typeof outcome === 'string') return [outcome];
  const faults = [...formFaults(request, outcome), ...leakFaults('an answer', outcome.raw)];
  return faults.map((fault) => `${fault} (${outcome.status}: ${outcome.body.slice(0, 300)})`);
}
