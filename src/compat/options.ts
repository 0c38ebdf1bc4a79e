/** The options of a client and of a request: all those of OpenAI's SDK are taken, those with a meaning here are used. */

import { FreeLLM, type FreeLLMOptions } from '../index.ts';
import { OpenAIError } from './errors.ts';

export interface Logger {
  error(message: string, ...rest: unknown[]): void;
  warn(message: string, ...rest: unknown[]): void;
  info(message: string, ...rest: unknown[]): void;
  debug(message: string, ...rest: unknown[]): void;
}

export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug';

/** The pool behind a client: one that is there, or the options of one. */
export type FreeLLMOption = FreeLLM | (Omit<FreeLLMOptions, 'providers'> & Partial<FreeLLMOptions>);

/** Options of OpenAI's SDK that are taken and mean nothing here: keys, addresses and retries are freelm's own. */
interface IgnoredClientOptions {
  apiKey?: string | (() => Promise<string>) | null | undefined;
  adminAPIKey?: string | null | undefined;
  organization?: string | null | undefined;
  project?: string | null | undefined;
  webhookSecret?: string | null | undefined;
  baseURL?: string | null | undefined;
  /** freelm goes on to another key, model or provider by itself: see `maxAttempts`. */
  maxRetries?: number | undefined;
  defaultHeaders?: object | null | undefined;
  defaultQuery?: Record<string, string | undefined> | undefined;
  dangerouslyAllowBrowser?: boolean | undefined;
  logLevel?: LogLevel | undefined;
  logger?: Logger | undefined;
  workloadIdentity?: object | undefined;
  provider?: object | undefined;
}

/** The options of a client. */
export interface ClientOptions extends IgnoredClientOptions {
  /**
   * The pool: a `FreeLLM`, or the options of one. Without `providers`, keys come from the environment, as with
   * `FreeLLM.fromEnv()`.
   */
  freelm?: FreeLLMOption | undefined;
  /**
   * How long an answer may take, in milliseconds: freelm's `timeoutMs`; of a stream, how long its beginning may take on
   * each route: `firstPartTimeoutMs`. Default: the pool's own.
   */
  timeout?: number | undefined;
  /** Asks the providers, where this client makes the pool. */
  fetch?: FreeLLMOptions['fetch'];
  /** Of these, `dispatcher` counts, where this client makes the pool. */
  fetchOptions?: object | undefined;
}

/** The options of one request. */
export interface RequestOptions {
  /** Aborts the call: it rejects with an `APIUserAbortError`; a stream that has begun just ends. */
  signal?: AbortSignal | null | undefined;
  /** As of {@link ClientOptions}. */
  timeout?: number | undefined;
  /** Means nothing here, as all that follow. */
  maxRetries?: number | undefined;
  headers?: object | null | undefined;
  query?: object | null | undefined;
  body?: unknown;
  path?: string | undefined;
  method?: 'get' | 'post' | 'put' | 'patch' | 'delete' | undefined;
  stream?: boolean | undefined;
  fetchOptions?: object | undefined;
  idempotencyKey?: string | undefined;
  defaultBaseURL?: string | undefined;
}

function dispatcherIn(fetchOptions: object | undefined): FreeLLMOptions['dispatcher'] {
  const dispatcher: unknown =
    fetchOptions === undefined ? undefined : Reflect.get(fetchOptions, 'dispatcher');
  return isDispatcher(dispatcher) ? dispatcher : undefined;
}

function isDispatcher(value: unknown): value is NonNullable<FreeLLMOptions['dispatcher']> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'dispatch') === 'function';
}

/** Also one of another installed copy. */
function isPool(freelm: FreeLLMOption): freelm is FreeLLM {
  return 'chat' in freelm;
}

/**
 * The pool that options ask for.
 * @throws OpenAIError naming the variables when there is no key, or the option that is not usable.
 */
export function poolOf({ freelm = {}, fetch, fetchOptions }: ClientOptions): FreeLLM {
  if (isPool(freelm)) return freelm;
  // A fetch of one's own takes care of its connections itself.
  const transport = fetch === undefined ? { dispatcher: dispatcherIn(fetchOptions) } : { fetch };
  const { providers, ...options } = { ...transport, ...freelm };
  try {
    return providers === undefined ? FreeLLM.fromEnv(options) : new FreeLLM({ ...options, providers });
  } catch (error) {
    throw new OpenAIError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
