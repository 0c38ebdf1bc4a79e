/** How pages of allowed origins use the endpoint (Cross-Origin Resource Sharing). */

import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.ts';

/** The headers that let pages of an allowed origin read a response. */
export function corsHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers':
      'x-freelm-provider, x-freelm-model, x-freelm-attempts, x-freelm-left-out, x-request-id, request-id, retry-after, x-should-retry',
    vary: 'origin',
  };
}

/** Answers a browser's preflight request. */
export function preflight({ headers }: IncomingMessage, origin: string | undefined): Response {
  if (origin === undefined) {
    throw new HttpError({
      status: 405,
      code: 'method_not_allowed',
      message: 'OPTIONS is only for pages of allowed origins.',
      headers: { allow: 'GET, POST, DELETE' },
    });
  }
  const requested = headers['access-control-request-headers'];
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-max-age': '600',
      ...(requested === undefined ? {} : { 'access-control-allow-headers': requested }),
    },
  });
}
