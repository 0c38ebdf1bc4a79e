import { elementsOf, isJsonObject, type JsonObject, jsonText, member, parseJson } from '../../core/json.ts';

/** An error body in one shape, whatever the provider's is. */
// spec 7.2
export interface ErrorBody {
  /** The message of the innermost error if errors wrap one another; empty if there is none. */
  readonly message: string;
  /** As sent: a number or a word such as `rate_limit_exceeded`. */
  readonly code?: string | number;
  /** The HTTP status in the body; for an answer with status 200 it is the one that counts. */
  readonly status?: number;
  /**
   * The parsed body, unwrapped: `error` is always an object (for a flat body the body itself), with the original
   * members beside it. Absent if the body is no JSON.
   */
  readonly json?: JsonObject;
  /** The beginning of the body. */
  readonly text: string;
  /** Whether the body is an HTML page: a proxy or an edge network answered instead of the provider's API. */
  readonly html: boolean;
}

/** The part of a body that is read: no API sends longer errors, and parsing costs time. */
const CHARACTERS_READ = 262_144;
const TEXT_KEPT = 2000;
const MESSAGE_KEPT = 8192;
const EVENTS_READ = 50;
/** How many levels of JSON inside JSON strings are unwrapped. */
const MAX_DEPTH = 3;

/** Whether a body is HTML or XML. */
export function isPage(body: string): boolean {
  return /^\s*<(?:!doctype|!--|\?xml|(?:html|head|body|title|center|h1|error)\b)/i.test(body.slice(0, 512));
}

/** Reads any error body. Never throws. The message of an unknown shape is its text. */
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

export type Unwrapped = Pick<ErrorBody, 'message' | 'code' | 'status' | 'json'>;

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

/** The first server-sent event with an error. */
function firstErrorEvent(content: string): unknown {
  if (!/^(?:data|event|id|retry)?:/.test(content)) return undefined;
  const events = content
    .split('\n', EVENTS_READ)
    .filter((line) => line.startsWith('data:'))
    .map((line) => parseJson(line.slice('data:'.length)));
  return events.find((event) => errorIn(event) !== undefined);
}

/** The last line of JSON if it is an error: a stream of JSON lines ends with one when it breaks. */
function lastErrorLine(content: string): unknown {
  const start = content.lastIndexOf('\n');
  const last = start < 0 ? undefined : parseJson(content.slice(start));
  return errorIn(last) === undefined ? undefined : last;
}

/** Whether an `error` member has content: some answers have `error: null` or an empty one. */
function hasContent(error: unknown): boolean {
  if (isJsonObject(error)) return Object.keys(error).length > 0;
  return Array.isArray(error) || typeof error === 'string' ? error.length > 0 : false;
}

function errorMember(value: unknown): unknown {
  return isJsonObject(value) ? value['error'] : undefined;
}

/** The error inside a parsed body, which may be an answer with status 200; undefined if there is none. */
export function errorIn(json: unknown): unknown {
  const outer: unknown = Array.isArray(json) ? json[0] : json;
  if (!isJsonObject(outer)) return undefined;
  const choices = elementsOf(outer['choices']);
  const choice = choices[0] ?? choices.find((one) => one !== null);
  // Usual: neither has one. Reading a fixed name is much faster than asking for an own member.
  if (!hasContent(outer['error']) && !hasContent(outer['errors']) && !hasContent(errorMember(choice)))
    return undefined;
  const found = [member(outer, 'error'), member(choice, 'error'), member(outer, 'errors')];
  return found.find(hasContent);
}

function unwrap(value: unknown, depth: number): Unwrapped {
  if (typeof value === 'string') return nested(value, depth) ?? { message: value.slice(0, MESSAGE_KEPT) };
  if (Array.isArray(value)) {
    const wrapped: unknown = value.find((element) => errorIn(element) !== undefined);
    if (wrapped !== undefined) return unwrap(wrapped, depth);
    return { message: textOf(value, 0), json: { error: { detail: value } } };
  }
  if (!isJsonObject(value)) return { message: '' };
  const error = errorIn(value);
  if (typeof error === 'string') return unwrapString(value, error, depth);
  const { error: _, ...beside } = value;
  if (Array.isArray(error)) {
    const first = elementsOf(error)[0];
    const inner = isJsonObject(first) ? first : { message: textOf(error, 0) };
    return unwrapObject(inner, beside, depth);
  }
  return isJsonObject(error) ? unwrapObject(error, beside, depth) : unwrapObject(value, {}, depth);
}

/** Unwraps `{"error": "…"}`, whose details stand beside the text. */
function unwrapString(outer: JsonObject, error: string, depth: number): Unwrapped {
  const found = nested(error, depth);
  if (found !== undefined) return found;
  const { error: _, ...beside } = outer;
  const detail = textOf(member(beside, 'message') ?? member(beside, 'detail'), 0);
  const message = detail === '' || detail === error ? error : `${error}: ${detail}`;
  return unwrapObject({ ...beside, message }, {}, depth);
}

/** Unwraps JSON inside a string, as gateways and SDKs produce it. */
function nested(text: string, depth: number): Unwrapped | undefined {
  if (depth >= MAX_DEPTH || !looksLikeJson(text)) return undefined;
  const json = parseJson(text);
  const found = json === undefined ? undefined : unwrap(json, depth + 1);
  return found?.message === '' ? undefined : found;
}

function unwrapObject(error: JsonObject, beside: JsonObject, depth: number): Unwrapped {
  const text = member(error, 'message');
  const inner = typeof text === 'string' ? nested(text, depth) : undefined;
  const code = inner?.code ?? codeOf(error);
  const status = inner?.status ?? statusOf(error, beside);
  return {
    message: (inner?.message ?? withUpstream(errorText(error), error, depth)).slice(0, MESSAGE_KEPT),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
    json: inner?.json ?? { ...beside, error },
  };
}

/** Appends the upstream's message in `metadata.raw`: the error's own message says only that the upstream failed. */
function withUpstream(message: string, error: JsonObject, depth: number): string {
  const raw = member(member(error, 'metadata'), 'raw');
  if (raw === undefined || raw === null) return message;
  const upstream =
    typeof raw === 'string' && isPage(raw)
      ? pageTitle(raw.slice(0, MESSAGE_KEPT))
      : upstreamMessage(raw, depth);
  if (upstream === '' || message.includes(upstream)) return message;
  // Always prefixed: an upstream's message about a key is not about the caller's key.
  return `${message === '' ? 'upstream' : message}: ${upstream}`;
}

/**
 * The refusal that an error relays: in `metadata.raw`, or as the JSON at the end of its message, where proxies put it.
 */
// spec 7.16
export function readUpstream({
  json,
  message,
}: {
  readonly json?: unknown;
  readonly message: string;
}): Unwrapped | undefined {
  const raw = member(member(member(json, 'error'), 'metadata'), 'raw');
  if (raw !== undefined && raw !== null) return unwrap(raw, 1);
  const start = message.endsWith('}') ? message.indexOf('{') : -1;
  return start < 0 ? undefined : nested(message.slice(start), 1);
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

function errorText(error: JsonObject): string {
  for (const name of ['message', 'detail', 'msg', 'error_description', 'title', 'status', 'code', 'type']) {
    const text = textOf(member(error, name), 0);
    if (text !== '') return text;
  }
  return '';
}

function isName(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** The text of a message, which may be a string, a list or an object. */
function textOf(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.trim();
  if (depth >= MAX_DEPTH) return '';
  if (Array.isArray(value)) {
    const texts = value.slice(0, EVENTS_READ).map((element) => textOf(element, depth + 1));
    return texts.filter((text) => text !== '').join('\n');
  }
  if (!isJsonObject(value)) return '';
  const place = member(value, 'loc');
  const texts = [member(value, 'msg'), member(value, 'message'), member(value, 'detail')].map((part) =>
    textOf(part, depth + 1),
  );
  const text = texts.find((part) => part !== '') ?? jsonText(value).slice(0, TEXT_KEPT);
  return Array.isArray(place) ? `${place.filter(isName).join(' -> ')}: ${text}` : text;
}
