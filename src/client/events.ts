/** The events of a pool. No event contains a key or a prompt. */

import { channel } from 'node:diagnostics_channel';
import type { AttemptReport, FreeLLMErrorCode } from '../errors.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';

/** A call has begun. Every `call-start` is followed by exactly one {@link CallEndEvent}. */
export interface CallStartEvent {
  readonly type: 'call-start';
  /** Numbers the calls of this process, from 1. The same in all events of one call. */
  readonly call: number;
  readonly operation: 'chat' | 'stream' | 'object' | 'embed';
  /** The model that was asked for, by the call or else by the pool's options. Undefined stands for `auto`. */
  readonly model?: string | readonly string[] | undefined;
  /**
   * The models that stand for `model`, if it is a name of your own (`modelMap`), or a well-known one such as `gpt-5`,
   * for which clients of `llm.fetch` or the server get free models.
   */
  readonly chain?: readonly string[] | undefined;
  /** The route that served the last turn of the conversation, if the call has one. It comes first while it is ready. */
  readonly lastRoute?: { readonly provider: string; readonly model: string } | undefined;
  /** Epoch ms. */
  readonly at: number;
}

/** A request is about to be sent. Every `attempt-start` is followed by exactly one {@link AttemptEndEvent}. */
export interface AttemptStartEvent {
  readonly type: 'attempt-start';
  readonly call: number;
  /** Numbers the attempts of the call, from 1. */
  readonly attempt: number;
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  readonly account: string;
  /** The model's id at the provider. */
  readonly model: string;
  /** Epoch ms. */
  readonly at: number;
}

/** An attempt has ended. The call may go on with another one. */
export interface AttemptEndEvent extends AttemptReport {
  readonly type: 'attempt-end';
  readonly call: number;
  /** Numbers the attempts of the call, from 1. */
  readonly attempt: number;
  /** The tokens of this attempt, if the provider reported them. */
  readonly usage?: TokenUsage | undefined;
}

/** A call waits because no route is ready. */
export interface WaitEvent {
  readonly type: 'wait';
  readonly call: number;
  /** Epoch ms at which the next route is expected to be ready. */
  readonly until: number;
  /** Epoch ms. */
  readonly at: number;
}

/** A call has ended. */
export interface CallEndEvent {
  readonly type: 'call-end';
  readonly call: number;
  /** `aborted`: the caller's signal aborted it, or the caller stopped reading a stream. */
  readonly outcome: 'success' | 'failure' | 'aborted';
  /** The provider that answered. Set on success. */
  readonly provider?: string | undefined;
  /** The model that answered. Set on success. */
  readonly model?: string | undefined;
  /** The error's `code`. Set on failure. */
  readonly code?: FreeLLMErrorCode | undefined;
  /** The error's message. Set on failure. */
  readonly message?: string | undefined;
  /** How many requests the call cost. */
  readonly attempts: number;
  /** The tokens of all attempts together, as far as providers reported them. */
  readonly usage?: TokenUsage | undefined;
  /** Epoch ms at which the call began. */
  readonly startedAt: number;
  /** Epoch ms. */
  readonly at: number;
}

/** A provider's list of models was looked up. */
export interface DiscoveryEvent {
  readonly type: 'discovery';
  readonly provider: string;
  /** `live`: the provider answered. `disk`: a cached list is used. `failed`: the list used so far stays in use. */
  readonly outcome: 'live' | 'disk' | 'failed';
  /** How many models the list in use has. */
  readonly models: number;
  /** What went wrong, and when freelm tries again. Set if it failed. */
  readonly message?: string | undefined;
  readonly durationMs: number;
}

/** Something that a person should act on, such as a key that a provider refused as invalid. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

/** Every event. Use `type` to tell them apart. */
export type FreeLLMEvent =
  | CallStartEvent
  | AttemptStartEvent
  | AttemptEndEvent
  | WaitEvent
  | CallEndEvent
  | DiscoveryEvent
  | WarningEvent;

/** Receives every event. freelm ignores its errors and rejections, so that a faulty listener cannot fail a call. */
export type EventListener = (event: FreeLLMEvent) => void;

const CALLS = channel('freelm:call');
const ATTEMPTS = channel('freelm:attempt');

const CHANNELS = {
  'call-start': CALLS,
  'call-end': CALLS,
  wait: CALLS,
  'attempt-start': ATTEMPTS,
  'attempt-end': ATTEMPTS,
  discovery: undefined,
  warning: undefined,
} satisfies Record<FreeLLMEvent['type'], unknown>;

/** Passes events to a pool's listeners and to the diagnostics channels. */
export class Events {
  #entries: readonly { readonly listener: EventListener }[] = [];

  constructor(listener?: EventListener) {
    if (listener !== undefined) this.subscribe(listener);
  }

  /** Whether an event would have a receiver. If not, callers need not create one. */
  get isObserved(): boolean {
    return this.#entries.length > 0 || CALLS.hasSubscribers || ATTEMPTS.hasSubscribers;
  }

  /** Adds a listener. The returned function removes it. */
  subscribe(listener: EventListener): () => void {
    const entry = { listener };
    this.#entries = [...this.#entries, entry];
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  }

  readonly emit = (event: FreeLLMEvent): void => {
    const diagnostics = CHANNELS[event.type];
    // Node reports errors of a channel's subscriber later, as uncaught exceptions. They do not fail the call either.
    if (diagnostics?.hasSubscribers === true) diagnostics.publish(event);
    for (const { listener } of this.#entries) {
      try {
        const result: unknown = listener(event);
        // Also a promise of another realm or library.
        if (typeof result === 'object' && result !== null && 'then' in result)
          Promise.resolve(result).catch(() => undefined);
      } catch {
        // The listener's own fault.
      }
    }
  };
}
