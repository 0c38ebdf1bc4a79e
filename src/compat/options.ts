/** The options of a client and of a request. All options of OpenAI's SDK are accepted; some have no effect. */

import { type CallLimits, FreeLLM, type FreeLLMOptions, type StreamOptions } from '../index.ts';
import { OpenAIError } from './errors.ts';

export interface Logger {
  error(message: string, ...rest: unknown[]): void;
  warn(message: string, ...rest: unknown[]): void;
  info(message: string, ...rest: unknown[]): void;
  debug(message: string, ...rest: unknown[]): void;
}

export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug';

/** The pool behind a client: a `FreeLLM`, or the options for one. */
export type FreeLLMOption = FreeLLM | (Omit<FreeLLMOptions, 'providers'> & Partial<FreeLLMOptions>);

/** freelm's options for one call, in the field `freelm` of a request body. freelm never sends them to a provider. */
export interface FreeLLMCallOptions extends CallLimits, Pick<StreamOptions, 'onCut' | 'privacy'> {}

/** Options of OpenAI's SDK that have no effect here: freelm has its own keys, base URLs and retries. */
interface IgnoredClientOptions {
  apiKey?: string | (() => Promise<string>) | null | undefined;
  adminAPIKey?: string | null | undefined;
  organization?: string | null | undefined;
  project?: string | null | undefined;
  webhookSecret?: string | null | undefined;
  baseURL?: string | null | undefined;
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
   * The pool: a `FreeLLM`, or the options for one.
   * @defaultValue a pool with the keys from the environment, as `FreeLLM.fromEnv()` makes it
   */
  freelm?: FreeLLMOption | undefined;
  /**
   * In milliseconds. Sets freelm's `timeoutMs` for a plain call and `firstPartTimeoutMs` for a stream.
   * @defaultValue the pool's own timeouts
   */
  timeout?: number | undefined;
  /**
   * How often a call is made again that has failed although freelm failed over to other keys, models and providers. It waits as
   * long as the error's `retry-after` says, and is made again only if that can help within a minute.
   * @defaultValue 0
   */
  maxRetries?: number | undefined;
  /** Sends the requests to the providers. Has no effect if `freelm` is a `FreeLLM`. */
  fetch?: FreeLLMOptions['fetch'];
  /** Only `dispatcher` has an effect, and only if `freelm` is no `FreeLLM`. */
  fetchOptions?: object | undefined;
}

/** What a client's options say for all of its requests. */
export type RequestDefaults = Pick<ClientOptions, 'timeout' | 'maxRetries'>;

/** The options of one request. */
export interface RequestOptions {
  /** Aborts the call. The call rejects with an `APIUserAbortError`; a stream that has begun ends without an error. */
  signal?: AbortSignal | null | undefined;
  /** Overrides the `timeout` of {@link ClientOptions}. */
  timeout?: number | undefined;
  /** Overrides the `maxRetries` of {@link ClientOptions}. */
  maxRetries?: number | undefined;

  // The options below have no effect.
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

/** Not by `instanceof`: the pool may come from another installed copy of freelm. */
export function isPool(freelm: FreeLLMOption | ClientOptions): freelm is FreeLLM {
  return 'chat' in freelm;
}

/** @throws OpenAIError if there is no key (the message names the environment variables) or if an option is invalid. */
export function poolOf({ freelm = {}, fetch, fetchOptions }: ClientOptions): FreeLLM {
  if (isPool(freelm)) return freelm;
  // A custom `fetch` manages its own connections, so a dispatcher would have no effect.
  const transport = fetch === undefined ? { dispatcher: dispatcherIn(fetchOptions) } : { fetch };
  const { providers, ...options } = { ...transport, ...freelm };
  try {
    return providers === undefined ? FreeLLM.fromEnv(options) : new FreeLLM({ ...options, providers });
  } catch (error) {
    throw new OpenAIError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
