/**
 * Who may come in. An endpoint on this machine can be reached by every web page that its user visits: a page must not
 * be able to spend the keys, neither by a request across origins nor by a name of its own that leads here (DNS
 * rebinding).
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { HttpError } from './http-error.ts';
import { isLoopback, type Settings, withoutBrackets } from './options.ts';

/** The `host` header as a URL reads it; undefined when it is none. */
function urlOf(host: string | undefined): URL | undefined {
  const isPlain = host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
  return isPlain ? new URL(`http://${host}`) : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The key in an `authorization` header; empty where there is none. */
function bearerOf(authorization: string | undefined): string {
  return /^bearer +(\S+)\s*$/i.exec(authorization ?? '')?.[1] ?? '';
}

export class AccessPolicy {
  readonly #settings: Settings;
  readonly #token: Buffer | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#token = settings.token === undefined ? undefined : digest(settings.token);
  }

  /**
   * A name of somebody else that leads to this machine is no name of ours: no page gets in by it. An address cannot
   * mislead. What listens to a network has names that only its network knows, and a token that no page does.
   */
  checkHost({ host }: IncomingHttpHeaders): void {
    const { host: own, allowedHosts } = this.#settings;
    if (!isLoopback(own)) return;
    const name = urlOf(host)?.hostname.replace(/\.$/, '');
    if (name !== undefined && (isLoopback(name) || isIP(withoutBrackets(name)) !== 0)) return;
    if (name !== undefined && allowedHosts.includes(name)) return;
    throw new HttpError({
      status: 403,
      code: 'host_not_allowed',
      message: `This endpoint is not called "${host ?? ''}". Call it by its address, or allow the name (allowedHosts, --allow-host).`,
    });
  }

  /** Browsers say which page a request is from; other clients say nothing. Returns the foreign origin that may read. */
  checkOrigin({ origin, host }: IncomingHttpHeaders): string | undefined {
    if (origin === undefined) return undefined;
    if (this.#settings.allowedOrigins.includes(origin)) return origin;
    if (URL.canParse(origin) && new URL(origin).host === urlOf(host)?.host) return undefined;
    throw new HttpError({
      status: 403,
      code: 'origin_not_allowed',
      message: `Pages of ${origin} may not call this endpoint. Allow the origin (allowedOrigins, --allow-origin) if you trust all its pages.`,
    });
  }

  /** Takes as long for every wrong token. */
  knows({ authorization }: IncomingHttpHeaders): boolean {
    return this.#token === undefined || timingSafeEqual(digest(bearerOf(authorization)), this.#token);
  }

  checkToken(headers: IncomingHttpHeaders): void {
    if (this.knows(headers)) return;
    throw new HttpError({
      status: 401,
      code: 'invalid_api_key',
      message: 'This endpoint wants its token as the API key: Authorization: Bearer <token>.',
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
}

/** A form of another page can post, but not this type. */
export function checkType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new HttpError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send the body as JSON, with content-type: application/json.',
    });
  }
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity') {
    throw new HttpError({
      status: 415,
      code: 'unsupported_encoding',
      message: `Send the body as it is, not as ${encoding}.`,
    });
  }
}
