/** Fetches a provider's model list, with retries. */

import pRetry, { AbortError } from 'p-retry';
import bounds from '../../spec/bounds.json' with { type: 'json' };
import { jsonExcess } from '../core/json-scan.ts';
import { ConfigError } from '../errors.ts';
import type { Clock, HttpRequest, Transport } from '../ports.ts';
import { sendBeside } from '../providers/side-request.ts';
import { BodyTooLargeError } from '../wire/response/read-body.ts';

/** Where a model list comes from. */
export interface ModelListSource {
  /** Called for every attempt, so that no record holds the key that the list may need. */
  request(): HttpRequest;
  /** Takes keys out of the answer and of error messages. */
  readonly redact?: ((text: string) => string) | undefined;
  /** How often a failed request is repeated. @defaultValue 2 */
  readonly retries?: number | undefined;
}

const RETRIES = 2;
/** The pause before the first retry; it doubles with each further one. */
const FIRST_PAUSE_MS = 250;
/** OpenRouter's list of 444 models has 0.5 MB (2026-08). */
const MOST = bounds.modelList;

/** Rejects with the reason of `signal` if that aborts first. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(
      delayMs,
      () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      },
      true,
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

async function attempt(
  source: ModelListSource,
  ports: { readonly clock: Clock; readonly transport: Transport },
  signal: AbortSignal,
): Promise<unknown> {
  const request: HttpRequest = { ...source.request(), background: true };
  const { host } = new URL(request.url);
  const outcome = await sendBeside(request, { ...ports, maxBytes: MOST.bytes, signal });
  if (!outcome.ok) {
    const { error } = outcome;
    if (error instanceof BodyTooLargeError)
      throw new AbortError(`the list of ${host} is longer than the ${MOST.bytes} bytes that are read`);
    const message = error instanceof Error ? error.message : String(error);
    // Reports carry this message and not its cause: the error of a user's own transport may hold the key.
    const text = source.redact?.(message) ?? message;
    throw error instanceof ConfigError ? new AbortError(text) : new Error(text, { cause: error });
  }
  const { status } = outcome.response;
  if (status !== 200) {
    const message = `${host} answered ${status}`;
    throw status === 429 || status >= 500 ? new Error(message) : new AbortError(message);
  }
  const excess = jsonExcess(outcome.body, MOST);
  if (excess !== undefined)
    throw new AbortError(`the list of ${host} exceeds the most that is read: ${MOST[excess]} (${excess})`);
  try {
    // Redacted while it is parsed: in the text a key may be written with escapes.
    return JSON.parse(outcome.body, (_name, value: unknown) =>
      typeof value === 'string' ? (source.redact?.(value) ?? value) : value,
    );
  } catch {
    throw new AbortError(`${host} answered ${outcome.body.length} characters that are not JSON`);
  }
}

/**
 * The parsed answer of a list endpoint. Network errors, 429 and 5xx are retried; any other status, an answer of more
 * than 8 MiB and one that is not JSON are not. Only `signal` bounds the time.
 * @throws Error whose message names the host but no path, query or key; or the reason of `signal`.
 */
// spec 10.6
export function fetchModelList(
  source: ModelListSource,
  ports: { readonly clock: Clock; readonly transport: Transport },
  signal: AbortSignal,
): Promise<unknown> {
  return pRetry(() => attempt(source, ports, signal), {
    retries: source.retries ?? RETRIES,
    signal,
    // p-retry pauses on timers of the system: it gets no pause of its own, and waits for one on the clock instead.
    minTimeout: 0,
    shouldRetry: async ({ retriesConsumed }) => {
      await pause(ports.clock, FIRST_PAUSE_MS * 2 ** retriesConsumed, signal);
      return true;
    },
  });
}
