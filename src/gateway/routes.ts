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
  readonly llm: FreeLLM;
  readonly board: StatusBoard;
  readonly policy: AccessPolicy;
  readonly settings: Settings;
  readonly page: () => Response;
}

function json(value: unknown): Response {
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json' } });
}

/** Whether a call can be served now. Only clients with the token see the keys. */
function health({ llm, policy }: Context, message: IncomingMessage): Response {
  const keys = llm.health();
  const ok = keys.some(({ ready }) => ready);
  return json(policy.hasToken(message.headers) ? { ok, keys } : { ok });
}

/** The routes that are read-only and call no provider. */
const GET_ROUTES: Readonly<Record<string, (context: Context, message: IncomingMessage) => Response>> = {
  '/': ({ page }) => page(),
  '/health': health,
  '/status': ({ board, policy }, message) => {
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

function getRoute(context: Context, message: IncomingMessage, path: string): Response | undefined {
  const route = Object.hasOwn(GET_ROUTES, path) ? GET_ROUTES[path] : undefined;
  if (route === undefined) return undefined;
  if (message.method === 'GET' || message.method === 'HEAD') return route(context, message);
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
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Counts the bytes of the body. */
  readonly lease: BodyLease;
}

export async function respond(
  context: Context,
  { message, signal, lease }: CheckedRequest,
): Promise<Response> {
  const url = urlOf(message);
  const response = getRoute(context, message, url.pathname);
  if (response !== undefined) return response;
  const { llm, policy, settings } = context;
  const { method = 'GET', headers } = message;
  policy.checkToken(headers);
  if (method !== 'POST') return llm.fetch(url, { method, signal });
  checkContentType(headers);
  const body = await readText(message, settings.maxBodyBytes, lease);
  if (url.pathname === '/reset') return reset(llm, body);
  return llm.fetch(url, { method, body, signal });
}
