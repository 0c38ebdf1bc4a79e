/** The last calls with their attempts, in bounded memory. */

import type {
  AttemptEndEvent,
  AttemptReport,
  AttemptStartEvent,
  CallEndEvent,
  FreeLLMEvent,
} from '../index.ts';

export interface StatusAttempt extends Pick<
  AttemptReport,
  'provider' | 'key' | 'model' | 'startedAt' | 'status' | 'message'
> {
  readonly outcome: 'running' | AttemptReport['outcome'];
  /** Absent while the attempt runs. */
  readonly latencyMs?: number | undefined;
}

/** A call. All moments are epoch ms. */
export interface StatusCall {
  /** The number of the call within the process. */
  readonly call: number;
  readonly state: 'running' | 'waiting' | CallEndEvent['outcome'];
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
  /** While the call waits: when the next route is expected to be ready. */
  readonly waitsUntil?: number | undefined;
  /** The code of the error if the call failed. */
  readonly code?: CallEndEvent['code'];
  readonly message?: string | undefined;
  /** Oldest first. If a call makes many attempts, only the last ones are kept. */
  readonly attempts: readonly StatusAttempt[];
  readonly attemptCount: number;
}

/** Counts since the board was created. */
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

function startedAttempt({ provider, key, model, at }: AttemptStartEvent): StatusAttempt {
  return { provider, key, model, startedAt: at, outcome: 'running' };
}

function endedAttempt(event: AttemptEndEvent): StatusAttempt {
  const { provider, key, model, startedAt, outcome, status, latencyMs, message } = event;
  return { provider, key, model, startedAt, outcome, status, latencyMs, message: shortened(message) };
}

export class CallLog {
  readonly #limit: number;
  /** In the order of their first event. */
  readonly #calls = new Map<number, StatusCall>();
  #totals: StatusTotals = { success: 0, failure: 0, aborted: 0, attempts: 0 };

  /** @param limit - How many calls to keep. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get totals(): StatusTotals {
    return this.#totals;
  }

  /** Newest first. */
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
      attempts: [...call.attempts, startedAttempt(event)].slice(-MAX_ATTEMPTS),
      attemptCount: call.attemptCount + 1,
    });
  }

  /** A call makes one attempt at a time, so the attempt that ends is the last one. */
  #finish(event: AttemptEndEvent): void {
    const call = this.#calls.get(event.call);
    if (call?.attempts.at(-1)?.outcome !== 'running') return;
    this.#put({ ...call, attempts: [...call.attempts.slice(0, -1), endedAttempt(event)] });
  }

  #end({ call: id, outcome, code, message, startedAt, at }: CallEndEvent): void {
    const { waitsUntil: _, ...call } = this.#of(id, startedAt);
    this.#put({ ...call, state: outcome, startedAt, endedAt: at, code, message: shortened(message) });
  }

  #put(call: StatusCall): void {
    this.#calls.set(call.call, call);
    if (this.#calls.size <= this.#limit) return;
    // Ended calls are dropped first, because running ones still produce events.
    const ended = [...this.#calls.values()].find(({ endedAt }) => endedAt !== undefined);
    const [oldest] = this.#calls.keys();
    const dropped = ended?.call ?? oldest;
    if (dropped !== undefined) this.#calls.delete(dropped);
  }
}
