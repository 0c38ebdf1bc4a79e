/** The limits of a call, all of them decided. */

import type { CallLimits } from './options.ts';
import { MINUTE_MS } from '../core/time.ts';

export interface Limits extends Required<{
  readonly [Name in Exclude<keyof CallLimits, 'timeoutMs'>]: NonNullable<CallLimits[Name]>;
}> {
  /** Undefined: nobody asked for one, so that a stream may last as long as it likes. */
  readonly timeoutMs: number | undefined;
}

/** Of a call as a whole, and of a stream until its first part, where nobody asks for another. */
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

/** Some limits with others over them: an option that is `undefined` leaves what was. */
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
