/** One shape for every error body that providers send. */

import { elementsOf, isJsonObject, type JsonObject, jsonText, member, parseJson } from '../../core/json.ts';

/** An error body, read. */
export interface ErrorBody {
  /** What it says, the innermost text first when layers wrap one another; empty when it says nothing. */
  readonly message: string;
  /** The error's code as sent: a number, or a word such as `rate_limit_exceeded`. */
  readonly code?: string | number;
  /** The HTTP status that the body itself states; inside an answer with status 200 the only one that counts. */
  readonly status?: number;
  /**
   * The parsed body, unwrapped: whatever its shape was, `error` is an object here (for a flat body the body
   * itself), and what stood beside it stays beside it. Absent when the body is not JSON.
   */
  readonly json?: JsonObject;
  /** The beginning of the body as it came. */
  readonly text: string;
  /** Whether it is a page for people: an edge or a proxy spoke, not the provider's API. */
  readonly html: boolean;
}

/** What is looked at of a body: a longer one is no error that an API writes, and parsing it costs. */
const CHARACTERS_READ = 262_144;
const TEXT_KEPT = 2000;
const MESSAGE_KEPT = 8192;
const EVENTS_READ = 50;
/** How many wrappings of JSON in JSON strings are undone. */
const MAX_DEPTH = 3;

/** Whether a body is a page (or XML) instead of JSON. */
export function isPage(body: string): boolean {
  return /^\s*<(?:!doctype|!--|\?xml|(?:html|head|body|title|center|h1|error)\b)/i.test(body.slice(0, 512));
}

/** Reads any error body. Never throws; an unknown shape gives its text as the message. */
export function readErrorBody(body: string): ErrorBody {
  const content = body
    .slice(0, CHARACTERS_READ)
    .replace(/^\uFEFF/, '')
    .trim();
  const text = content.slice(0, TEXT_KEPT);
  if (isPage(content)) return { message: pageTitle(content.slice(0, MESSAGE_KEPT)), text, html: true };
  const json = looksLikeJson(content)
    ? (parseJson(content) ?? lastErrorLine(content))
    : firstErrorEvent(content);
  if (json === undefined || json === null)
    return { message: content.slice(0, MESSAGE_KEPT), text, html: false };
  return { ...unwrap(json, 0), text, html: false };
}

type Unwrapped = Pick<ErrorBody, 'message' | 'code' | 'status' | 'json'>;

function looksLikeJson(text: string): boolean {
  return /^\s*[[{"]/.test(text);
}

function pageTitle(page: string): string {
  const title = /<title[^<>]*>([^<]*)/i.exec(page)?.[1]?.trim() ?? '';
  return title === ''
    ? page
        .replaceAll(/<[^<>]*>/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim()
    : title;
}

/** The first server-sent event that speaks of an error. */
function firstErrorEvent(content: string): unknown {
  if (!/^(?:data|event|id|retry)?:/.test(content)) return undefined;
  const events = content
    .split('\n', EVENTS_READ)
    .filter((line) => line.startsWith('data:'))
    .map((line) => parseJson(line.slice('data:'.length)));
  return events.find((event) => errorIn(event) !== undefined);
}

/** The last of the lines of JSON, if it speaks of an error: how a stream of such lines breaks off. */
function lastErrorLine(content: string): unknown {
  const start = content.lastIndexOf('\n');
  const last = start < 0 ? undefined : parseJson(content.slice(start));
  return errorIn(last) === undefined ? undefined : last;
}

/** Whether an `error` member says something: some answers carry `error: null` or an empty one. */
function saysSomething(error: unknown): boolean {
  if (isJsonObject(error)) return Object.keys(error).length > 0;
  return Array.isArray(error) || typeof error === 'string' ? error.length > 0 : false;
}

/** The error inside a parsed body, be it an answer with status 200; `undefined` when there is none. */
export function errorIn(json: unknown): unknown {
  const outer: unknown = Array.isArray(json) ? json[0] : json;
  const choices = member(outer, 'choices');
  const inChoice: unknown = Array.isArray(choices) ? member(choices[0], 'error') : undefined;
  return [member(outer, 'error'), inChoice, member(outer, 'errors')].find(saysSomething);
}

function unwrap(value: unknown, depth: number): Unwrapped {
  if (typeof value === 'string') return nested(value, depth) ?? { message: value.slice(0, MESSAGE_KEPT) };
  if (Array.isArray(value)) {
    const wrapped: unknown = value.find((element) => errorIn(element) !== undefined);
    if (wrapped !== undefined) return unwrap(wrapped, depth);
    return { message: say(value, 0), json: { error: { detail: value } } };
  }
  if (!isJsonObject(value)) return { message: '' };
  const error = errorIn(value);
  if (typeof error === 'string') return unwrapString(value, error, depth);
  const { error: _, ...beside } = value;
  if (Array.isArray(error)) {
    const first = elementsOf(error)[0];
    const inner = isJsonObject(first) ? first : { message: say(error, 0) };
    return unwrapObject(inner, beside, depth);
  }
  return isJsonObject(error) ? unwrapObject(error, beside, depth) : unwrapObject(value, {}, depth);
}

/** `{"error": "…"}`, whose neighbours tell the rest. */
function unwrapString(outer: JsonObject, error: string, depth: number): Unwrapped {
  const found = nested(error, depth);
  if (found !== undefined) return found;
  const { error: _, ...beside } = outer;
  const detail = say(member(beside, 'message') ?? member(beside, 'detail'), 0);
  const message = detail === '' || detail === error ? error : `${error}: ${detail}`;
  return unwrapObject({ ...beside, message }, {}, depth);
}

/** JSON inside a string, as gateways and SDK layers leave it. */
function nested(text: string, depth: number): Unwrapped | undefined {
  if (depth >= MAX_DEPTH || !looksLikeJson(text)) return undefined;
  const json = parseJson(text);
  const found = json === undefined ? undefined : unwrap(json, depth + 1);
  return found?.message === '' ? undefined : found;
}

function unwrapObject(error: JsonObject, beside: JsonObject, depth: number): Unwrapped {
  const stated = member(error, 'message');
  const inner = typeof stated === 'string' ? nested(stated, depth) : undefined;
  const code = inner?.code ?? codeOf(error);
  const status = inner?.status ?? statusOf(error, beside);
  return {
    message: (inner?.message ?? withUpstream(sayError(error), error, depth)).slice(0, MESSAGE_KEPT),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
    json: inner?.json ?? { ...beside, error },
  };
}

/** `metadata.raw` holds what the upstream said, as text or as JSON; the message beside it says only that it failed. */
function withUpstream(message: string, error: JsonObject, depth: number): string {
  const raw = member(member(error, 'metadata'), 'raw');
  if (raw === undefined || raw === null) return message;
  const said =
    typeof raw === 'string' && isPage(raw)
      ? pageTitle(raw.slice(0, MESSAGE_KEPT))
      : upstreamMessage(raw, depth);
  if (said === '' || message.includes(said)) return message;
  // Never alone: an upstream's word of a key speaks of another key than the caller's.
  return `${message === '' ? 'upstream' : message}: ${said}`;
}

function upstreamMessage(raw: unknown, depth: number): string {
  return depth < MAX_DEPTH ? unwrap(raw, depth + 1).message.trim() : '';
}

function codeOf(error: JsonObject): string | number | undefined {
  const code = member(error, 'code');
  return typeof code === 'string' || typeof code === 'number' ? code : undefined;
}

function statusOf(error: JsonObject, beside: JsonObject): number | undefined {
  const candidates = [
    codeOf(error),
    member(error, 'http_status'),
    member(error, 'status'),
    member(beside, 'status'),
  ];
  const numbers = candidates.map((value) => (typeof value === 'string' ? Number(value) : value));
  return numbers.find(
    (status): status is number => Number.isInteger(status) && Number(status) >= 100 && Number(status) < 600,
  );
}

function sayError(error: JsonObject): string {
  for (const name of ['message', 'detail', 'msg', 'error_description', 'title', 'status', 'code', 'type']) {
    const said = say(member(error, name), 0);
    if (said !== '') return said;
  }
  return '';
}

function isName(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** The text of a message that need not be a string. */
function say(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.trim();
  if (depth >= MAX_DEPTH) return '';
  if (Array.isArray(value)) {
    const said = value.slice(0, EVENTS_READ).map((element) => say(element, depth + 1));
    return said.filter((text) => text !== '').join('\n');
  }
  if (!isJsonObject(value)) return '';
  const place = member(value, 'loc');
  const text = [member(value, 'msg'), member(value, 'message'), member(value, 'detail')].map((part) =>
    say(part, depth + 1),
  );
  const said = text.find((part) => part !== '') ?? jsonText(value).slice(0, TEXT_KEPT);
  return Array.isArray(place) ? `${place.filter(isName).join(' -> ')}: ${said}` : said;
}
