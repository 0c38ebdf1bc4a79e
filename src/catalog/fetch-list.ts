/** Gets a provider's model list over the wire, with a few retries and within bounds. */

import pRetry, { AbortError } from 'p-retry';
import type { Headers, HttpResponse, Transport } from '../ports.ts';
import { BodyTooLargeError, readBody } from '../wire/read-body.ts';

/** Where a model list comes from. */
export interface ModelListSource {
  readonly url: string;
  /** Called for every attempt; the key, where the list needs one, is in here. */
  headers(): Headers;
  /** Applied to the answer before anything is read from it, and to what error messages repeat of it. */
  readonly redact?: ((text: string) => string) | undefined;
  /** How often it is asked again at once. @defaultValue 2 */
  readonly retries?: number | undefined;
  /** Pause before the first retry in ms, doubled for the second. @defaultValue 250 */
  readonly retryDelayMs?: number | undefined;
}

const RETRIES = 2;
/** OpenRouter's list of 444 models has 0.5 MB (2026-08). */
const LONGEST_BODY = 8 * 1024 * 1024;

/** Reads to the first bytes and closes: an answer left alone would keep its socket. */
async function discard(body: HttpResponse['body']): Promise<void> {
  try {
    // oxlint-disable-next-line no-unreachable-loop -- leaving the loop is what closes the body
    for await (const chunk of body) {
      void chunk;
      break;
    }
  } catch {
    // The status has already told what happened.
  }
}

async function attempt(source: ModelListSource, transport: Transport, signal: AbortSignal): Promise<unknown> {
  const { host } = new URL(source.url);
  const response = await transport.send(
    { method: 'GET', url: source.url, headers: source.headers(), background: true },
    signal,
  );
  const { status } = response;
  if (status !== 200) {
    await discard(response.body);
    const message = `${host} answered ${status}`;
    throw status === 429 || status >= 500 ? new Error(message) : new AbortError(message);
  }
  const text = await readBody(response.body, LONGEST_BODY);
  try {
    // Read first: in the text a key may be written with escapes.
    return JSON.parse(text, (_name, value: unknown) =>
      typeof value === 'string' ? (source.redact?.(value) ?? value) : value,
    );
  } catch {
    throw new AbortError(`${host} answered ${text.length} characters that are not JSON`);
  }
}

/**
 * The parsed answer of a list endpoint. Trouble on the way, 429 and 5xx are tried twice more; any other status, an
 * answer of more than 8 MB and one that is not JSON are not. Rejects with an `Error` whose message names the host but
 * no path, query or key, or with the reason of `signal`, which is also the only limit in time.
 */
export async function fetchModelList(
  source: ModelListSource,
  transport: Transport,
  signal: AbortSignal,
): Promise<unknown> {
  const once = async (): Promise<unknown> => {
    try {
      return await attempt(source, transport, signal);
    } catch (cause) {
      if (cause instanceof AbortError) throw cause;
      if (cause instanceof BodyTooLargeError) {
        throw new AbortError(
          `the list of ${new URL(source.url).host} is longer than the ${LONGEST_BODY} bytes that are read`,
        );
      }
      const message = cause instanceof Error ? cause.message : String(cause);
      // The cause of a user's own transport may hold the key: reports carry the message alone.
      throw new Error(source.redact?.(message) ?? message, { cause });
    }
  };
  return pRetry(once, {
    retries: source.retries ?? RETRIES,
    minTimeout: source.retryDelayMs ?? 250,
    signal,
    unref: true,
  });
}
