/** The routes of the endpoint: OpenAI's API, the health of the keys, and the status page. */

import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.ts';
import { ConfigError, type FreeLLM, type ResetOptions } from '../index.ts';
import { type AccessPolicy, checkContentType } from './access-policy.ts';
import type { BodyLease } from './body-budget.ts';
import type { Settings } from './options.ts';
import { readText } from './request-text.ts';
import type { StatusBoard } from './status.ts';

/** What the routes need. */
export interface Context {
  readonly board: StatusBoard;
  readonly policy: AccessPolicy;
  readonly settings: Settings;
  readonly page: () => Response;
  /** The metrics in Prometheus' text form. */
  readonly metrics: (pool: FreeLLM) => string;
  /** Whether the endpoint is being closed. */
  readonly isClosing: () => boolean;
}

function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
}

/** Whether a call can be served now. Only clients with the token see the keys. */
function health({ policy, isClosing }: Context, { llm, message }: CheckedRequest): Response {
  const keys = llm.health();
  const ok = keys.some(({ ready }) => ready) && !isClosing();
  return json(policy.hasToken(message.headers) ? { ok, keys } : { ok }, ok ? 200 : 503);
}

function metrics({ policy, metrics: text }: Context, { llm, message }: CheckedRequest): Response {
  policy.checkToken(message.headers);
  return new Response(text(llm), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
}

/** The routes that are read-only and call no provider. */
const GET_ROUTES: Readonly<Record<string, (context: Context, request: CheckedRequest) => Response>> = {
  '/': ({ page }) => page(),
  '/health': health,
  '/live': () => json({ ok: true }),
  '/metrics': metrics,
  '/status': ({ board, policy }, { message }) => {
    policy.checkToken(message.headers);
    return json(board.status());
  },
};

function invalidReset(message: string): HttpError {
  return new HttpError({ status: 400, code: 'invalid_value', message });
}

/** The body of POST /reset: the options of `llm.reset()`. */
function resetOptionsOf(body: string): ResetOptions {
  let options: unknown;
  try {
    options = JSON.parse(body);
  } catch {
    throw invalidReset('The body must be JSON, at least {}.');
  }
  if (typeof options !== 'object' || options === null) throw invalidReset('The body must be a JSON object.');
  return options;
}

/** Forgets what the pool remembers. */
async function reset(llm: FreeLLM, body: string): Promise<Response> {
  const options = resetOptionsOf(body);
  try {
    await llm.reset(options);
  } catch (error) {
    throw ConfigError.is(error) ? invalidReset(error.message) : error;
  }
  return json({ ok: true });
}

/** The requested URL. Its host is ignored, because the `host` header has been checked already. */
function urlOf(message: IncomingMessage): URL {
  const { url = '/' } = message;
  const absolute = url.startsWith('/') ? `http://localhost${url}` : url;
  if (URL.canParse(absolute)) return new URL(absolute);
  throw new HttpError({ status: 400, code: 'bad_url', message: 'The URL of the request is invalid.' });
}

function getRoute(context: Context, request: CheckedRequest, path: string): Response | undefined {
  const route = Object.hasOwn(GET_ROUTES, path) ? GET_ROUTES[path] : undefined;
  if (route === undefined) return undefined;
  const { method } = request.message;
  if (method === 'GET' || method === 'HEAD') return route(context, request);
  throw new HttpError({
    status: 405,
    code: 'method_not_allowed',
    message: `${path} takes GET.`,
    headers: { allow: 'GET' },
  });
}

/** A request whose host and origin have been checked. */
export interface CheckedRequest {
  readonly message: IncomingMessage;
  /** The pool that serves it. */
  readonly llm: FreeLLM;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Counts the bytes of the body. */
  readonly lease: BodyLease;
}

/** Headers whose values are secrets of the client. No protocol reads them. */
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'api-key', 'cookie']);

/** The headers that a protocol may read. */
export function headersOf({ headers }: IncomingMessage): Headers {
  const passed = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && !SECRET_HEADERS.has(name)) passed.set(name, value);
  }
  return passed;
}

export async function respond(context: Context, request: CheckedRequest): Promise<Response> {
  const { message, llm, signal, lease } = request;
  const url = urlOf(message);
  const response = getRoute(context, request, url.pathname);
  if (response !== undefined) return response;
  const { policy, settings } = context;
  const { method = 'GET' } = message;
  const headers = headersOf(message);
  policy.checkToken(message.headers);
  if (method !== 'POST') return llm.fetch(url, { method, headers, signal });
  checkContentType(message.headers);
  const body = await readText(message, settings.maxBodyBytes, lease);
  if (url.pathname === '/reset') return reset(llm, body);
  return llm.fetch(url, { method, headers, body, signal });
}
