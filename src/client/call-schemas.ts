/** The schemas of the options that all calls share. */

import * as z from 'zod/mini';
import { isSignal } from '../abort.ts';
import { isModelName } from '../core/model.ts';
import { type Privacy, PRIVACY_LEVELS } from '../providers/privacy.ts';

/** Node's timers fire at once if a delay is longer. */
const MAX_TIMER_MS = 2_147_483_647;
const TOO_LONG = `must be at most ${MAX_TIMER_MS} (about 24 days)`;

export const milliseconds: z.ZodMiniType<number> = z
  .number('must be a number of milliseconds')
  .check(z.positive('must be greater than 0'), z.maximum(MAX_TIMER_MS, TOO_LONG));
export const flag: z.ZodMiniType<boolean> = z.boolean('must be true or false');
type Optional<T> = z.ZodMiniOptional<z.ZodMiniType<T>>;
/** The limits of a call whose answer is whole. */
export const limitSchemas: {
  readonly timeoutMs: Optional<number>;
  readonly attemptTimeoutMs: Optional<number>;
  readonly maxAttempts: Optional<number>;
  readonly wait: Optional<boolean>;
  readonly maxWaitMs: Optional<number>;
} = {
  timeoutMs: z.optional(milliseconds),
  attemptTimeoutMs: z.optional(milliseconds),
  maxAttempts: z.optional(z.int('must be a whole number').check(z.positive('must be at least 1'))),
  wait: z.optional(flag),
  maxWaitMs: z.optional(
    z
      .number('must be a number of milliseconds')
      .check(z.nonnegative('must not be negative'), z.maximum(MAX_TIMER_MS, TOO_LONG)),
  ),
};

export const modelNameSchema: z.ZodMiniType<string> = z
  .string('must be the name of a model')
  .check(
    z.minLength(1, 'must not be empty'),
    z.refine(
      isModelName,
      'is no name of a model: it is longer than 500 characters, or has control characters or lone surrogates',
    ),
  );
export const signalSchema: Optional<AbortSignal> = z.optional(
  z.custom<AbortSignal>(isSignal, 'must be an AbortSignal'),
);
export const privacySchema: Optional<Privacy> = z.optional(
  z.enum(PRIVACY_LEVELS, `must be one of ${PRIVACY_LEVELS.join(', ')}`),
);
