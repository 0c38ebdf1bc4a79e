/** Fetches images from public addresses only, since a URL may come from an untrusted source. */

import { type LookupAddress, promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import type { buildConnector, Dispatcher } from 'undici';
import type { ImageSource } from '../ports.ts';
import { VERSION } from '../version.ts';
import { IMAGE, firstStep, nextStep, TOO_LARGE } from '../wire/images/fetch-step.ts';
import { imageType } from '../wire/images/image-type.ts';
import { isPublicAddress } from '../wire/images/public-address.ts';
import { concat } from '../wire/response/read-body.ts';
import { decodedBody } from './decoded-body.ts';
import { codeOf, messageOf } from './thrown.ts';
import { loadUndici, readHeaders } from './undici.ts';

type Connect = buildConnector.connector;

/** The outside world of an image source. Each part can be replaced in tests. */
export interface ImageSourcePorts {
  /** All addresses of a host. */
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  /** Whether an address may be reached. */
  readonly isAllowed: (address: string) => boolean;
  /** Makes the connector that opens connections, with a function that looks up hosts. */
  readonly connectWith?: (lookup: LookupFunction) => Connect;
}

const PORTS: ImageSourcePorts = {
  resolve: (host) => dns.lookup(host, { all: true }),
  isAllowed: isPublicAddress,
};

const HEADERS = {
  accept: 'image/png,image/jpeg,image/webp,image/gif',
  'accept-encoding': 'identity',
  'user-agent': `freelm/${VERSION}`,
};
const CONNECT_TIMEOUT_MS = 5000;
/** So many bytes reveal the type of an image. */
const SIGNATURE_BYTES = 12;
const NOT_PUBLIC = 'its host is not a public address';

/** An image that cannot be used. */
class ImageError extends Error {
  static override readonly name: string = 'ImageError';
}

/** Looks a host up once for a connection, and refuses it if any of its addresses may not be reached. */
function guardedLookup({ resolve, isAllowed }: ImageSourcePorts): LookupFunction {
  return (host, options, done) => {
    const found = (addresses: readonly LookupAddress[]): void => {
      const [first] = addresses;
      const isSafe = first !== undefined && addresses.every(({ address }) => isAllowed(address));
      if (!isSafe) done(new ImageError(NOT_PUBLIC), []);
      else if (options.all === true) done(null, [...addresses]);
      else done(null, first.address, first.family);
    };
    resolve(host).then(found, (error: unknown) => {
      done(error instanceof Error ? error : new Error(String(error)), []);
    });
  };
}

/** Checks the address of each connection as well, because a host that is an address is not looked up. */
function guarded(connect: Connect, { isAllowed }: ImageSourcePorts): Connect {
  return (target, done) =>
    connect(target, (...outcome) => {
      const [error, socket] = outcome;
      if (error !== null || isAllowed(socket.remoteAddress ?? '')) return done(...outcome);
      socket.destroy();
      return done(new ImageError(NOT_PUBLIC), null);
    });
}

/** The bytes that the images of a request may still have. */
interface Budget {
  left: number;
}

/** Reads an image. Stops as soon as the data is no image, or too large. */
async function readImage(body: AsyncIterable<Uint8Array>, budget: Budget): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isImage = false;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.byteLength;
    budget.left -= chunk.byteLength;
    if (length > IMAGE.bytes) throw new ImageError(TOO_LARGE);
    if (budget.left < 0)
      throw new ImageError(`the images of the request are larger than ${IMAGE.totalBytes} bytes together`);
    if (isImage || length < SIGNATURE_BYTES) continue;
    isImage = imageType(concat(chunks, length)) !== undefined;
    if (!isImage) break;
  }
  if (!isImage) throw new ImageError('it is no PNG, JPEG, GIF or WebP image');
  return concat(chunks, length);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

/** What is wrong, in words for the user. The address of the URL is left out: it may hold a secret. */
function problemOf(error: unknown): string {
  if (error instanceof ImageError) return error.message;
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ImageError) return cause.message;
  return `its server cannot be reached (${codeOf(error) ?? messageOf(error)})`;
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'an invalid URL';
}

class PublicImages implements ImageSource {
  readonly #ports: ImageSourcePorts;
  readonly #closing = new AbortController();

  constructor(ports: ImageSourcePorts) {
    this.#ports = ports;
  }

  async fetch(urls: readonly string[], caller: AbortSignal): Promise<readonly Uint8Array[]> {
    if (urls.length > IMAGE.remote)
      throw new ImageError(`more than ${IMAGE.remote} images by URL are not fetched`);
    const failed = new AbortController();
    const signal = AbortSignal.any([caller, this.#closing.signal, failed.signal]);
    const budget: Budget = { left: IMAGE.totalBytes };
    const dispatcher = await this.#agent();
    try {
      return await Promise.all(
        urls.map(async (url) => {
          try {
            return await this.#fetchOne(url, { dispatcher, signal, budget });
          } catch (error) {
            if (signal.aborted) throw signal.reason;
            throw new ImageError(`the image at ${originOf(url)} cannot be read: ${problemOf(error)}`);
          }
        }),
      );
    } finally {
      failed.abort();
      await dispatcher.destroy();
    }
  }

  close(): void {
    this.#closing.abort();
  }

  async #agent(): Promise<Dispatcher> {
    const undici = await loadUndici();
    const lookup = guardedLookup(this.#ports);
    const connect =
      this.#ports.connectWith?.(lookup) ?? undici.buildConnector({ lookup, timeout: CONNECT_TIMEOUT_MS });
    // It uses no proxy, because a proxy would look up hosts itself.
    return new undici.Agent({ connect: guarded(connect, this.#ports), headersTimeout: 0, bodyTimeout: 0 });
  }

  async #fetchOne(
    given: string,
    { dispatcher, signal, budget }: { dispatcher: Dispatcher; signal: AbortSignal; budget: Budget },
  ): Promise<Uint8Array> {
    const undici = await loadUndici();
    const { isAllowed } = this.#ports;
    let step = firstStep(given, isAllowed);
    for (let redirects = 0; step.kind === 'get'; redirects += 1) {
      const { url } = step;
      const answer = await undici.request(url, { headers: HEADERS, dispatcher, signal });
      const { location, 'content-length': length } = answer.headers;
      const read = { status: answer.statusCode, location: textOf(location), length: textOf(length) };
      const next = nextStep(url, read, redirects, isAllowed);
      const body: Readable = answer.body;
      if (next.kind === 'read') return readImage(decodedBody(readHeaders(answer.headers), body), budget);
      // Nothing reads this body. The agent closes the connection.
      body.on('error', () => undefined);
      step = next;
    }
    throw new ImageError(step.reason);
  }
}

/** Fetches images by https from public addresses: checked for each host, connection and redirect. It uses no proxy. */
// spec 12.16
export function publicImages(ports: Partial<ImageSourcePorts> = {}): ImageSource {
  return new PublicImages({ ...PORTS, ...ports });
}
