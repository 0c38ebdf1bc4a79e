/** Tells errors of the network from errors of this machine. */

import { ConfigError, FreeLLMError } from '../errors.ts';

/** Node throws an AggregateError after it tried every address of a host. */
function firstOf(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return undefined;
  const errors: readonly unknown[] = error.errors;
  return errors[0];
}

/** The first error in the chain of causes that has a string property `name`; undefined if there is none. */
function bearerOf(error: unknown, name: string, depth = 0): object | undefined {
  if (typeof error !== 'object' || error === null || depth > 3) return undefined;
  if (typeof Reflect.get(error, name) === 'string') return error;
  return bearerOf(firstOf(error), name, depth + 1) ?? bearerOf(Reflect.get(error, 'cause'), name, depth + 1);
}

function textIn(bearer: object | undefined, name: string): string | undefined {
  const text: unknown = bearer === undefined ? undefined : Reflect.get(bearer, name);
  return typeof text === 'string' ? text : undefined;
}

export function codeOf(error: unknown): string | undefined {
  return textIn(bearerOf(error, 'code'), 'code');
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const first = firstOf(error);
  if (first !== undefined) return messageOf(first);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Whether the other side closed the connection. */
export function isClosedByPeer(error: unknown): boolean {
  return CLOSED.has(codeOf(error) ?? '');
}

/** Whether undici reports that the connection had received something before it closed. */
export function hadReceived(error: unknown): boolean {
  const bearer = bearerOf(error, 'code');
  const socket: unknown = bearer === undefined ? undefined : Reflect.get(bearer, 'socket');
  return typeof socket === 'object' && socket !== null && Number(Reflect.get(socket, 'bytesRead')) > 0;
}

/** Codes of invalid arguments, such as a header value or a handler that a dispatcher of another version expects. */
const INVALID =
  /^(?:UND_ERR_(?:INVALID_ARG|INVALID_RETURN_VALUE|NOT_SUPPORTED)|ERR_INVALID_(?:ARG_TYPE|ARG_VALUE|CHAR|URL|PROTOCOL|HTTP_TOKEN|THIS)|ERR_HTTP_INVALID_HEADER_VALUE|ERR_HTTP_HEADERS_SENT|(?:ERR_)?MODULE_NOT_FOUND|ERR_PACKAGE_PATH_NOT_EXPORTED|ERR_REQUIRE_ESM)$/;
const UNREADABLE: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR']);
const MISTAKES: ReadonlySet<string> = new Set(['TypeError', 'ReferenceError', 'RangeError']);
/** Every runtime's fetch reports a failed connection as a TypeError, with one of these messages. */
const OF_THE_NETWORK =
  /^(?:fetch failed|failed to fetch|terminated|load failed|network ?error|network request failed|networkerror when|error sending request|connection |the (?:network|internet) connection|socket |client error|body )/i;

/** Whether the error is a programming error, and not the way in which a `fetch` reports a failed connection. */
function isMistake(error: unknown, code: string): boolean {
  if (!(error instanceof Error) || !MISTAKES.has(error.name)) return false;
  return code === '' && error.cause === undefined && !OF_THE_NETWORK.test(error.message);
}

/**
 * The error to throw if this machine or the user's setup is at fault, and not the network or the provider.
 * @param source - The option or object that sent the request, e.g. `options.fetch`.
 */
// spec 7.14
export function localFault(error: unknown, source: string): ConfigError | undefined {
  if (FreeLLMError.is(error)) return undefined;
  const bearer = bearerOf(error, 'code');
  const code = textIn(bearer, 'code') ?? '';
  const path = textIn(bearer, 'path');
  if (UNREADABLE.has(code) && path !== undefined && textIn(bearer, 'syscall') !== 'connect')
    return new ConfigError(
      `${source}: the file ${path} cannot be read (${code}). Check its path and permissions.`,
    );
  if (code === 'EMFILE' || code === 'ENFILE')
    return new ConfigError(
      `This process has too many open files (${code}). Raise the limit, e.g. with ulimit -n, or send fewer requests at once.`,
    );
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED')
    return new ConfigError(`${source} is closed. Keep it open until the pool is closed.`);
  if (!isMistake(error, code) && !INVALID.test(code)) return undefined;
  const name = error instanceof Error ? `${error.name}: ` : '';
  return new ConfigError(`${source} failed, and nothing was sent: ${name}${messageOf(error)}`);
}
