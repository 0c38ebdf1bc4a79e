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

function errorFaults(error: unknown): readonly string[] {
  const message = member(error, 'message');
  if (typeof message !== 'string' || typeof member(error, 'type') !== 'string')
    return ['an error that is not of OpenAI\u2019s form'];
  return messageFaults(message);
}

function eventFaults(body: string): readonly string[] {
  if (!body.endsWith('\n\n')) return ['events that do not end'];
  const events = body.slice(0, -2).split('\n\n');
  const last = events.at(-1) ?? '';
  const faults: string[] = [];
  for (const event of events) {
    if (event === 'data: [DONE]') continue;
    const value = event.startsWith('data: ') ? parseJson(event.slice(6)) : undefined;
    const error = member(value, 'error');
    if (error !== undefined) faults.push(...errorFaults(error));
    else if (!isList(member(value, 'choices')))
      faults.push(`an event that is no chunk: ${event.slice(0, 200)}`);
  }
  if (last !== 'data: [DONE]' && !last.startsWith('data: {"error":')) faults.push('events without an end');
  return faults;
}

function jsonFaults({ status, body }: Answer, path: string): readonly string[] {
  const value = parseJson(body);
  if (!isJsonObject(value)) return ['JSON that is none'];
  // A server that cannot serve says so with the state of its keys.
  if (path === '/health' && status === 503) return value['ok'] === false ? [] : ['a status of 503'];
  if (status >= 400) return errorFaults(value['error']);
  if (path === '/v1/chat/completions' && !isList(value['choices'])) return ['a completion without choices'];
  return [];
}

/** The refusals of Node's own parser, which have no body. */
const PARSER_STATUSES: ReadonlySet<number> = new Set([400, 408, 413, 417, 431]);

function formFaults(request: HostileRequest, answer: Answer): readonly string[] {
  const { status, headers, body } = answer;
  const type = headers.get('content-type') ?? '';
  if (status === 500) return ['a status of 500'];
  if (status < 200 || status > 599) return [`a status of ${status}`];
  if (request.method === 'HEAD') return [];
  if (type.startsWith('text/event-stream')) return eventFaults(body);
  if (type.startsWith('application/json')) return jsonFaults(answer, request.path);
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
