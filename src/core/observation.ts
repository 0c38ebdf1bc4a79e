/** What an answer tells of a quota: the provider's own numbers, which outrank ours. */

/** The window that a stated quota is about. */
export type QuotaWindow = 'second' | 'minute' | 'hour' | 'day' | 'month';

/** One quota as an answer states it. */
export interface Observation {
  readonly unit: 'requests' | 'tokens';
  readonly window: QuotaWindow;
  /** The real limit. */
  readonly limit?: number | undefined;
  /** What is left of it, this request included. */
  readonly remaining?: number | undefined;
  /** Epoch ms at which the window ends, or at which a bucket that refills is full again. */
  readonly resetAt?: number | undefined;
}
