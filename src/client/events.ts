/** What happens inside, for whoever listens. No event carries a key or a prompt. */

import type { AttemptReport } from '../errors.ts';

/** An attempt begins. */
export interface AttemptEvent {
  readonly type: 'attempt';
  /** Numbers the calls of one `FreeLLM`, from 1. */
  readonly call: number;
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  readonly account: string;
  readonly model: string;
  /** Epoch ms. */
  readonly at: number;
}

/** An attempt brought the answer, or it failed, or the caller walked away (`outcome: 'abandoned'`). */
export interface OutcomeEvent extends AttemptReport {
  readonly type: 'success' | 'failure';
  readonly call: number;
}

/** A call lines up because no route is ready. */
export interface WaitEvent {
  readonly type: 'wait';
  readonly call: number;
  /** Epoch ms at which the next route is expected to be ready. */
  readonly until: number;
}

/** A provider's list of models was looked for. */
export interface DiscoveryEvent {
  readonly type: 'discovery';
  readonly provider: string;
  readonly outcome: 'live' | 'disk' | 'failed';
  /** How many models are known now. */
  readonly models: number;
  readonly message?: string | undefined;
  readonly durationMs: number;
}

/** Something that a person should know, e.g. that a key was refused as invalid. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

export type FreeLMEvent = AttemptEvent | OutcomeEvent | WaitEvent | DiscoveryEvent | WarningEvent;

/** Told of every event. What it throws is ignored: a listener's bug must not cost a call. */
export type EventListener = (event: FreeLMEvent) => void;
