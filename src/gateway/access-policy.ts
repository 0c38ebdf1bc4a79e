/**
 * Decides which requests may enter. Every web page that the user visits can reach an endpoint on this machine. A page
 * must not be able to spend the keys, neither by a cross-origin request nor by DNS rebinding: a domain of the attacker
 * that resolves to this machine.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { HttpError } from '../http-error.ts';
import { isLoopback, type Settings, withoutBrackets } from './options.ts';

/** The `host` header parsed as part of a URL, or undefined if it is invalid. */
function urlOf(host: string | undefined): URL | undefined {
  const isPlain = host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
  return isPlain ? new URL(`http://${host}`) : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function bearerTokenOf(authorization: string | undefined): string {
  return /^bearer +(\S+)\s*$/i.exec(authorization ?? '')?.[1] ?? '';
}

/** Clients of other makers send the token in headers of their own. */
function tokensIn({
  authorization,
  'x-api-key': key,
  'api-key': other,
}: IncomingHttpHeaders): readonly string[] {
  const keys = [key, other].filter((one) => typeof one === 'string');
  return [bearerTokenOf(authorization), ...keys.map((one) => one.trim())];
}

export class AccessPolicy {
  readonly #settings: Settings;
  readonly #token: Buffer | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#token = settings.token === undefined ? undefined : digest(settings.token);
  }

  /**
   * Stops DNS rebinding: on a loopback address, a request must name the endpoint by an IP address, a localhost name or an
   * allowed name. An endpoint on a network skips this check, because only that network knows its names; its token
   * protects it.
   */
  checkHost({ host }: IncomingHttpHeaders): void {
    const { host: ownHost, allowedHosts } = this.#settings;
    if (!isLoopback(ownHost)) return;
    const name = urlOf(host)?.hostname.replace(/\.$/, '');
    if (name !== undefined && (isLoopback(name) || isIP(withoutBrackets(name)) !== 0)) return;
    if (name !== undefined && allowedHosts.includes(name)) return;
    throw new HttpError({
      status: 403,
      code: 'host_not_allowed',
      message: `This endpoint does not accept the host name "${host ?? ''}". Use its IP address, or allow the name (allowedHosts, --allow-host).`,
    });
  }

  /**
   * Only browsers send an origin. Returns the origin if it is a foreign one that may read the response, and undefined for
   * the endpoint's own page and for clients that are no browsers.
   */
  checkOrigin({ origin, host }: IncomingHttpHeaders): string | undefined {
    if (origin === undefined) return undefined;
    if (this.#settings.allowedOrigins.includes(origin)) return origin;
    if (URL.canParse(origin) && new URL(origin).host === urlOf(host)?.host) return undefined;
    throw new HttpError({
      status: 403,
      code: 'origin_not_allowed',
      message: `Pages of ${origin} may not call this endpoint. If you trust all pages of that origin, allow it (allowedOrigins, --allow-origin).`,
    });
  }

  /** Whether the request carries the token, compared in constant time. Always true if no token is set. */
  hasToken(headers: IncomingHttpHeaders): boolean {
    const token = this.#token;
    return token === undefined || tokensIn(headers).some((given) => timingSafeEqual(digest(given), token));
  }

  checkToken(headers: IncomingHttpHeaders): void {
    if (this.hasToken(headers)) return;
    throw new HttpError({
      status: 401,
      code: 'invalid_api_key',
      message:
        'This endpoint requires its token as the API key: Authorization: Bearer <token>, or x-api-key: <token>.',
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
}

/** A form on a foreign page can post without a preflight, but not with this content type. */
export function checkContentType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new HttpError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send the body as JSON, with content-type: application/json.',
    });
  }
}
