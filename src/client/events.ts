/** What happens inside, for whoever listens. No event carries a key or a prompt. */

import type { AttemptReport, FreeLLMErrorCode } from '../errors.ts';

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
  /** Epoch ms. */
  readonly at: number;
}

/** A call is over; a call that was refused before it looked for a route does not tell. */
export interface EndEvent {
  readonly type: 'end';
  readonly call: number;
  /** `abandoned`: the caller walked away. */
  readonly outcome: 'served' | 'failed' | 'abandoned';
  /** The code of the error that a failed call ended with. */
  readonly code?: FreeLLMErrorCode | undefined;
  /** What that error says. */
  readonly message?: string | undefined;
  /** Epoch ms at which the call began. */
  readonly startedAt: number;
  /** Epoch ms. */
  readonly at: number;
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

export type FreeLLMEvent = AttemptEvent | OutcomeEvent | WaitEvent | EndEvent | DiscoveryEvent | WarningEvent;

/** Told of every event. What it throws is ignored: a listener's bug must not cost a call. */
export type EventListener = (event: FreeLLMEvent) => void;

/** Those who listen. */
export class Listeners {
  #told: readonly { readonly listener: EventListener }[] = [];

  constructor(first?: EventListener) {
    if (first !== undefined) this.add(first);
  }

  /** Whether anybody does: an event that nobody hears is not made. */
  get any(): boolean {
    return this.#told.length > 0;
  }

  /** The returned function ends it. */
  add(listener: EventListener): () => void {
    const entry = { listener };
    this.#told = [...this.#told, entry];
    return () => {
      this.#told = this.#told.filter((other) => other !== entry);
    };
  }

  /** A listener's bug must not cost a call; that of an asynchronous one shows later. */
  readonly tell = (event: FreeLLMEvent): void => {
    for (const { listener } of this.#told) {
      try {
        const told: unknown = listener(event);
        if (told instanceof Promise) told.catch(() => undefined);
      } catch {
        // Nobody is left to be told.
      }
    }
  };
}
