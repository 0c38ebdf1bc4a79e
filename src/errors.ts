/** Every error that freelm throws: one base, a closed list of codes, nothing secret reachable from any of them. */

import type { FailureKind } from './core/failure.ts';
import type { RouteReason } from './core/report/health.ts';

/** The closed list of what can go wrong. */
export type FreeLLMErrorCode =
  | 'config'
  | 'bad_request'
  | 'context_too_long'
  | 'unsupported'
  | 'content_blocked'
  | 'no_providers_available'
  | 'deadline'
  | 'broken_stream'
  | 'closed';

/** One attempt of a call as it may be shown to anybody: the key is masked. */
export interface AttemptReport {
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  readonly account: string;
  readonly model: string;
  readonly outcome: 'success' | 'aborted' | FailureKind;
  /** The HTTP status, when there was an answer. */
  readonly status?: number | undefined;
  /** What the provider said; absent on success. */
  readonly message?: string | undefined;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly latencyMs: number;
  /** Epoch ms at which the provider said that it admits a request again. */
  readonly retryAt?: number | undefined;
}

/** Why one key cannot serve a call, and from when it can. */
export interface KeyReport {
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  /** Epoch ms; undefined: not for this call, however long it waits. */
  readonly readyAt: number | undefined;
  /** For people. */
  readonly reason: string;
  /** The same for programs; undefined: it failed in this call. */
  readonly kind: RouteReason | undefined;
}

const MARK: unique symbol = Symbol.for('freelm.error');

/** What an error is made from. */
export interface FreeLLMErrorInit {
  readonly code: FreeLLMErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}

/** The base of all errors of this library. */
export class FreeLLMError extends Error {
  static override readonly name: string = 'FreeLLMError';
  readonly code: FreeLLMErrorCode;

  constructor(init: FreeLLMErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
    Object.defineProperty(this, MARK, { value: true });
  }

  /** Whether a value is an error of this library, also one of another installed copy. */
  static is(value: unknown): value is FreeLLMError {
    return typeof value === 'object' && value !== null && Reflect.get(value, MARK) === true;
  }

  toJSON(): Record<string, unknown> {
    return { name: this.name, code: this.code, message: this.message };
  }
}

/** The pool or an option is not usable as given; nothing was sent. */
export class ConfigError extends FreeLLMError {
  static override readonly name: string = 'ConfigError';

  constructor(message: string, cause?: unknown) {
    super({ code: 'config', message, cause });
  }
}

/** No provider of the pool has the model that was asked for, or has it only for money; nothing was sent. */
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

/** An error of one call, with what was tried. */
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

/** What a {@link BadRequestError} is made from. */
export interface BadRequestInit {
  readonly code?: 'bad_request' | 'context_too_long' | 'unsupported' | undefined;
  readonly message: string;
  readonly attempts?: readonly AttemptReport[] | undefined;
  /** The provider's HTTP status, when it was a provider that refused. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/** The request itself is at fault: no other key, model or provider would take it. */
export class BadRequestError extends CallError {
  static override readonly name: string = 'BadRequestError';
  readonly status: number | undefined;

  constructor(init: BadRequestInit) {
    super({
      code: init.code ?? 'bad_request',
      message: init.message,
      attempts: init.attempts,
      cause: init.cause,
    });
    this.status = init.status;
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), status: this.status };
  }
}

/** Every provider that could have served the call refused its content. */
export class ContentBlockedError extends CallError {
  static override readonly name: string = 'ContentBlockedError';

  constructor(message: string, attempts: readonly AttemptReport[]) {
    super({ code: 'content_blocked', message, attempts });
  }
}

/** What a {@link NoProvidersAvailableError} is made from. */
export interface NoProvidersInit {
  readonly message: string;
  readonly attempts: readonly AttemptReport[];
  readonly keys: readonly KeyReport[];
  readonly readyAt: number | undefined;
  readonly cause?: unknown;
}

/** No route could serve the call. */
export class NoProvidersAvailableError extends CallError {
  static override readonly name: string = 'NoProvidersAvailableError';
  /** Epoch ms at which the next route is ready; undefined when none will be by waiting. */
  readonly readyAt: number | undefined;
  /** Why each key cannot serve, and from when it can. */
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

/** What a broken stream had handed out. */
export interface PartialAnswer {
  readonly text: string;
  readonly toolCalls: readonly unknown[];
}

/** A stream broke after its first part, and no other route could go on with it. */
export class BrokenStreamError extends CallError {
  static override readonly name: string = 'BrokenStreamError';
  readonly #partial: PartialAnswer;

  constructor(
    message: string,
    attempts: readonly AttemptReport[],
    partial: PartialAnswer = { text: '', toolCalls: [] },
  ) {
    super({ code: 'broken_stream', message, attempts });
    this.#partial = partial;
  }

  /** What arrived before it broke. Not part of what is printed, as no answer is. */
  get partial(): PartialAnswer {
    return this.#partial;
  }

  /** The same error with what arrived. */
  withPartial(partial: PartialAnswer): BrokenStreamError {
    return new BrokenStreamError(this.message, this.attempts, {
      text: partial.text,
      toolCalls: partial.toolCalls,
    });
  }
}

/** The call's `timeoutMs` ran out. */
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
  return new FreeLLMError({ code: 'closed', message: 'This FreeLLM is closed. Make a new one.' });
}
