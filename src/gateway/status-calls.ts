/** The last calls and how each of their attempts went, in bounded memory. */

import type {
  AttemptEndEvent,
  AttemptReport,
  AttemptStartEvent,
  CallEndEvent,
  FreeLLMEvent,
} from '../index.ts';

/** One attempt of a call. */
export interface StatusAttempt extends Pick<
  AttemptReport,
  'provider' | 'key' | 'model' | 'startedAt' | 'status' | 'message'
> {
  readonly outcome: 'running' | AttemptReport['outcome'];
  /** Absent while it runs. */
  readonly latencyMs?: number | undefined;
}

/** One call. Moments are epoch ms. */
export interface StatusCall {
  /** Numbers the calls of the process. */
  readonly call: number;
  readonly state: 'running' | 'waiting' | CallEndEvent['outcome'];
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
  /** When the next route is expected to be ready, while it waits. */
  readonly waitsUntil?: number | undefined;
  /** What a failed call ended with. */
  readonly code?: CallEndEvent['code'];
  readonly message?: string | undefined;
  /** In their order; of very many the last. */
  readonly attempts: readonly StatusAttempt[];
  readonly attemptCount: number;
}

/** What was counted since the board was put up. */
export interface StatusTotals {
  readonly success: number;
  readonly failure: number;
  readonly aborted: number;
  readonly attempts: number;
}

const MAX_ATTEMPTS = 20;
const MAX_MESSAGE = 1000;

function shortened(message: string | undefined): string | undefined {
  return message === undefined || message.length <= MAX_MESSAGE
    ? message
    : `${message.slice(0, MAX_MESSAGE)}…`;
}

function begun({ provider, key, model, at }: AttemptStartEvent): StatusAttempt {
  return { provider, key, model, startedAt: at, outcome: 'running' };
}

function ended(event: AttemptEndEvent): StatusAttempt {
  const { provider, key, model, startedAt, outcome, status, latencyMs, message } = event;
  return { provider, key, model, startedAt, outcome, status, latencyMs, message: shortened(message) };
}

/** Written by events, read by the page. */
export class CallLog {
  readonly #limit: number;
  /** In the order in which they were first heard of. */
  readonly #calls = new Map<number, StatusCall>();
  #totals: StatusTotals = { success: 0, failure: 0, aborted: 0, attempts: 0 };

  /** @param limit - how many calls are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get totals(): StatusTotals {
    return this.#totals;
  }

  /** The newest first. */
  get calls(): readonly StatusCall[] {
    return [...this.#calls.values()].toSorted((a, b) => b.call - a.call);
  }

  note(event: FreeLLMEvent): void {
    switch (event.type) {
      case 'call-start':
        this.#put(this.#of(event.call, event.at));
        return;
      case 'attempt-start':
        this.#count('attempts');
        this.#begin(event);
        return;
      case 'attempt-end':
        this.#finish(event);
        return;
      case 'wait':
        this.#put({ ...this.#of(event.call, event.at), state: 'waiting', waitsUntil: event.until });
        return;
      case 'call-end':
        this.#count(event.outcome);
        this.#end(event);
        return;
      case 'discovery':
      case 'warning':
    }
  }

  #count(what: keyof StatusTotals): void {
    this.#totals = { ...this.#totals, [what]: this.#totals[what] + 1 };
  }

  #of(call: number, at: number): StatusCall {
    return this.#calls.get(call) ?? { call, state: 'running', startedAt: at, attempts: [], attemptCount: 0 };
  }

  #begin(event: AttemptStartEvent): void {
    const { waitsUntil: _, ...call } = this.#of(event.call, event.at);
    this.#put({
      ...call,
      state: 'running',
      attempts: [...call.attempts, begun(event)].slice(-MAX_ATTEMPTS),
      attemptCount: call.attemptCount + 1,
    });
  }

  /** The attempts of a call come one after the other: what ends is the last that began. */
  #finish(event: AttemptEndEvent): void {
    const call = this.#calls.get(event.call);
    if (call?.attempts.at(-1)?.outcome !== 'running') return;
    this.#put({ ...call, attempts: [...call.attempts.slice(0, -1), ended(event)] });
  }

  #end({ call: id, outcome, code, message, startedAt, at }: CallEndEvent): void {
    const { waitsUntil: _, ...call } = this.#of(id, startedAt);
    this.#put({ ...call, state: outcome, startedAt, endedAt: at, code, message: shortened(message) });
  }

  #put(call: StatusCall): void {
    this.#calls.set(call.call, call);
    if (this.#calls.size <= this.#limit) return;
    // What is over goes first: of a call under way more is to come.
    const over = [...this.#calls.values()].find(({ endedAt }) => endedAt !== undefined);
    const [oldest] = this.#calls.keys();
    const gone = over?.call ?? oldest;
    if (gone !== undefined) this.#calls.delete(gone);
  }
}
