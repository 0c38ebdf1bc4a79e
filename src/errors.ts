/** Every error that freelm throws. None contains a key or a prompt, however it is printed. */

import type { FailureKind } from './core/failure.ts';
import type { RouteReason } from './core/routing/admission.ts';

/** Tells what went wrong. The list is closed. */
export type FreeLLMErrorCode =
  | 'config'
  | 'bad_request'
  | 'context_too_long'
  | 'unsupported'
  | 'content_blocked'
  | 'no_providers_available'
  | 'invalid_output'
  | 'deadline'
  | 'broken_stream'
  | 'closed';

/** One attempt of a call: one request to one route. Safe to show and to log, since the key is masked. */
export interface AttemptReport {
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  readonly account: string;
  readonly model: string;
  /** `aborted`: the caller or `close()` ended it, which says nothing about the provider. */
  readonly outcome: 'success' | 'aborted' | FailureKind;
  /** The HTTP status of the answer. Undefined on success, and if no answer arrived. */
  readonly status?: number | undefined;
  /** The provider's message, or what went wrong. Undefined on success. */
  readonly message?: string | undefined;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly latencyMs: number;
  /** Epoch ms from which the provider says that it admits requests again. */
  readonly retryAt?: number | undefined;
}

/** Why one key could not serve a call, and from when it can. */
export interface KeyReport {
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  /** Epoch ms. Undefined if the key cannot serve this call, however long it waits. */
  readonly readyAt: number | undefined;
  /** Why the key could not serve the call, in words. */
  readonly reason: string;
  /** The same reason for programs. Undefined if the key failed in this call. */
  readonly kind: RouteReason | undefined;
}

const MARK: unique symbol = Symbol.for('freelm.error');

export interface FreeLLMErrorInit {
  readonly code: FreeLLMErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}

/** The base class of all errors of this library. */
export class FreeLLMError extends Error {
  static override readonly name: string = 'FreeLLMError';
  readonly code: FreeLLMErrorCode;

  constructor(init: FreeLLMErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
    Object.defineProperty(this, MARK, { value: true });
  }

  /** Whether a value is an error of this library. Unlike `instanceof`, it accepts errors of other copies. */
  static is(value: unknown): value is FreeLLMError {
    return typeof value === 'object' && value !== null && Reflect.get(value, MARK) === true;
  }

  toJSON(): Record<string, unknown> {
    return { name: this.name, code: this.code, message: this.message };
  }
}

/** An option is missing or invalid. Nothing was sent. */
export class ConfigError extends FreeLLMError {
  static override readonly name: string = 'ConfigError';

  constructor(message: string, cause?: unknown) {
    super({ code: 'config', message, cause });
  }
}

/** No provider of the pool has the requested model, or none offers it for free. Nothing was sent. */
export class ModelNotFoundError extends ConfigError {
  static override readonly name: string = 'ModelNotFoundError';
  /** The name that was asked for. */
  readonly model: string;

  constructor(model: string, message: string) {
    super(message);
    this.model = model;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), model: this.model };
  }
}

/** The base class of errors that end a call. `attempts` lists what was tried. */
export class CallError extends FreeLLMError {
  static override readonly name: string = 'CallError';
  readonly attempts: readonly AttemptReport[];

  constructor(init: FreeLLMErrorInit & { readonly attempts?: readonly AttemptReport[] | undefined }) {
    super(init);
    this.attempts = init.attempts ?? [];
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), attempts: this.attempts };
  }
}

export interface BadRequestInit {
  readonly code?: 'bad_request' | 'context_too_long' | 'unsupported' | undefined;
  readonly message: string;
  readonly attempts?: readonly AttemptReport[] | undefined;
  /** The provider's HTTP status, if a provider refused the request. */
  readonly status?: number | undefined;
  /** `context_too_long`: how long the prompt is, and how long it may be. */
  readonly length?: PromptLength | undefined;
  readonly cause?: unknown;
}

/** The length of a prompt that no model accepts, in tokens. */
export interface PromptLength {
  /** Estimated, and always more than `contextLength`. */
  readonly promptTokens: number;
  /** The largest context length of the requested models, or the one that the user set for all of them. */
  readonly contextLength: number;
}

/**
 * The request itself is at fault: no other key, model or provider would accept it. Its `code` is `context_too_long` if
 * the request is too long, `unsupported` if no model can do what it asks for, and `bad_request` otherwise.
 */
export class BadRequestError extends CallError {
  static override readonly name: string = 'BadRequestError';
  readonly status: number | undefined;
  /** Set with the code `context_too_long`, if a context length is known. */
  readonly length: PromptLength | undefined;

  constructor(init: BadRequestInit) {
    super({
      code: init.code ?? 'bad_request',
      message: init.message,
      attempts: init.attempts,
      cause: init.cause,
    });
    this.status = init.status;
    this.length = init.length;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), status: this.status, length: this.length };
  }
}

/** Every provider that could have served the call refused its content. */
export class ContentBlockedError extends CallError {
  static override readonly name: string = 'ContentBlockedError';

  constructor(message: string, attempts: readonly AttemptReport[]) {
    super({ code: 'content_blocked', message, attempts });
  }
}

/** Models answered, and none of their answers fits the schema. `attempts` says what was wrong with each answer. */
export class SchemaError extends CallError {
  static override readonly name: string = 'SchemaError';

  constructor(message: string, attempts: readonly AttemptReport[], cause?: unknown) {
    super({ code: 'invalid_output', message, attempts, cause });
  }
}

export interface NoProvidersInit {
  readonly message: string;
  readonly attempts: readonly AttemptReport[];
  readonly keys: readonly KeyReport[];
  readonly readyAt: number | undefined;
  readonly cause?: unknown;
}

/** No route could serve the call. The message lists why each key could not, and when the next one is ready. */
export class NoProvidersAvailableError extends CallError {
  static override readonly name: string = 'NoProvidersAvailableError';
  /** Epoch ms at which the next route is ready. Undefined if waiting will not help. */
  readonly readyAt: number | undefined;
  /** Why each key could not serve the call, and from when it can. */
  readonly keys: readonly KeyReport[];

  constructor(init: NoProvidersInit) {
    super({
      code: 'no_providers_available',
      message: init.message,
      attempts: init.attempts,
      cause: init.cause,
    });
    this.readyAt = init.readyAt;
    this.keys = init.keys;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), readyAt: this.readyAt, keys: this.keys };
  }
}

/** What a stream had delivered before it broke. */
export interface PartialAnswer {
  readonly text: string;
  readonly toolCalls: readonly unknown[];
}

/** A stream broke after its first part, and no other route could continue it. */
export class BrokenStreamError extends CallError {
  static override readonly name: string = 'BrokenStreamError';
  readonly #partial: PartialAnswer;

  constructor(
    message: string,
    attempts: readonly AttemptReport[],
    partial: PartialAnswer = { text: '', toolCalls: [] },
    cause?: unknown,
  ) {
    super({ code: 'broken_stream', message, attempts, cause });
    this.#partial = partial;
  }

  /** What arrived before the stream broke. Neither `toJSON` nor a log includes it. */
  get partial(): PartialAnswer {
    return this.#partial;
  }

  /** Returns a copy of this error with the parts that arrived. */
  withPartial(partial: PartialAnswer): BrokenStreamError {
    const { text, toolCalls } = partial;
    return new BrokenStreamError(this.message, this.attempts, { text, toolCalls }, this.cause);
  }
}

/** The call did not finish within its `timeoutMs`. */
export class DeadlineError extends CallError {
  static override readonly name: string = 'DeadlineError';
  readonly timeoutMs: number;

  constructor(timeoutMs: number, attempts: readonly AttemptReport[]) {
    const tried = attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`;
    super({
      code: 'deadline',
      message: `No answer within timeoutMs = ${timeoutMs} ms (${tried}). Raise timeoutMs, or lower attemptTimeoutMs so that more routes fit into it.`,
      attempts,
    });
    this.timeoutMs = timeoutMs;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), timeoutMs: this.timeoutMs };
  }
}

export function closedError(): FreeLLMError {
  return new FreeLLMError({ code: 'closed', message: 'This FreeLLM is closed. Create a new one.' });
}
