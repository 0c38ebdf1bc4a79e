/** What is answered where: OpenAI's routes, how the keys are, and the status page. */

import type { IncomingMessage } from 'node:http';
import type { FreeLLM } from '../index.ts';
import { HttpError } from './http-error.ts';
import { checkType, type AccessPolicy } from './access-policy.ts';
import type { Settings } from './options.ts';
import { readText } from './request-text.ts';
import type { StatusBoard } from './status.ts';

/** What the routes are made of. */
export interface Context {
  readonly llm: FreeLLM;
  readonly board: StatusBoard;
  readonly door: AccessPolicy;
  readonly settings: Settings;
  readonly page: () => Response;
}

function json(value: unknown): Response {
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json' } });
}

/** Whether a call can be served now; the keys themselves are only for those who have the token. */
function health({ llm, door }: Context, message: IncomingMessage): Response {
  const rows = llm.health();
  const ok = rows.some(({ ready }) => ready);
  return json(door.knows(message.headers) ? { ok, keys: rows } : { ok });
}

/** What is only looked at. */
const GET_ROUTES: Readonly<Record<string, (house: Context, message: IncomingMessage) => Response>> = {
  '/': ({ page }) => page(),
  '/health': health,
  '/status': ({ board, door }, message) => {
    door.checkToken(message.headers);
    return json(board.status());
  },
};

/** The URL that is asked for; which host it names was checked before. */
function urlOf(message: IncomingMessage): URL {
  const { url = '/' } = message;
  const whole = url.startsWith('/') ? `http://localhost${url}` : url;
  if (URL.canParse(whole)) return new URL(whole);
  throw new HttpError({
    status: 400,
    code: 'bad_url',
    message: 'The request names no URL that can be read.',
  });
}

function look(house: Context, message: IncomingMessage, path: string): Response | undefined {
  const known = Object.hasOwn(GET_ROUTES, path) ? GET_ROUTES[path] : undefined;
  if (known === undefined) return undefined;
  if (message.method === 'GET' || message.method === 'HEAD') return known(house, message);
  throw new HttpError({
    status: 405,
    code: 'method_not_allowed',
    message: `${path} takes GET.`,
    headers: { allow: 'GET' },
  });
}

/** Answers a request whose host and origin are in order; `gone` tells when its client has left. */
export async function answer(house: Context, message: IncomingMessage, gone: AbortSignal): Promise<Response> {
  const url = urlOf(message);
  const seen = look(house, message, url.pathname);
  if (seen !== undefined) return seen;
  const { llm, door, settings } = house;
  const { method = 'GET', headers } = message;
  door.checkToken(headers);
  if (method !== 'POST') return llm.fetch(url, { method, signal: gone });
  checkType(headers);
  const body = await readText(message, settings.maxBodyBytes);
  return llm.fetch(url, { method, body, signal: gone });
}
