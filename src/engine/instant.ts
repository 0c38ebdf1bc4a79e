/**
 * Spans and deadlines are monotonic, because the wall clock may be set at any time. Records contain times of the wall
 * clock, and decisions compare them. Each decision converts between the two at one instant. spec 12.2
 */

import type { Clock } from '../ports.ts';

/** One instant on both clocks. */
export interface Instant {
  /** Epoch ms. */
  readonly now: number;
  readonly monotonicMs: number;
}

export function instantOf(clock: Clock): Instant {
  return { now: clock.now(), monotonicMs: clock.monotonicMs() };
}

/** Epoch ms of a monotonic moment. */
export function toWall({ now, monotonicMs }: Instant, atMs: number): number {
  return now - (monotonicMs - atMs);
}

/** The monotonic moment of one in epoch ms. */
export function toMonotonic({ now, monotonicMs }: Instant, at: number): number {
  return monotonicMs - (now - at);
}
