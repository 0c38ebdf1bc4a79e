import type { CallLimits } from './options.ts';
import { MINUTE_MS } from '../core/time.ts';

export interface Limits extends Required<{
  readonly [Name in Exclude<keyof CallLimits, 'timeoutMs'>]: NonNullable<CallLimits[Name]>;
}> {
  /** Undefined if the caller set none: then a stream may take any time after its first part. */
  readonly timeoutMs: number | undefined;
}

/** The default of `timeoutMs`. For a stream it applies until the first part. */
export const DEFAULT_TIMEOUT_MS: number = MINUTE_MS;

export const DEFAULT_LIMITS: Limits = {
  timeoutMs: undefined,
  attemptTimeoutMs: 30_000,
  firstPartTimeoutMs: 20_000,
  idleTimeoutMs: 20_000,
  maxAttempts: 12,
  wait: false,
  maxWaitMs: 20_000,
};

/** Overrides limits with options. An option that is `undefined` changes nothing. */
export function withLimits(limits: Limits, options: CallLimits): Limits {
  return {
    timeoutMs: options.timeoutMs ?? limits.timeoutMs,
    attemptTimeoutMs: options.attemptTimeoutMs ?? limits.attemptTimeoutMs,
    firstPartTimeoutMs: options.firstPartTimeoutMs ?? limits.firstPartTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs ?? limits.idleTimeoutMs,
    maxAttempts: options.maxAttempts ?? limits.maxAttempts,
    wait: options.wait ?? limits.wait,
    maxWaitMs: options.maxWaitMs ?? limits.maxWaitMs,
  };
}
