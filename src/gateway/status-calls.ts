/** The last calls with their attempts, in bounded memory. */

import type {
  AttemptEndEvent,
  AttemptReport,
  AttemptStartEvent,
  CallEndEvent,
  CallStartEvent,
  FreeLLMEvent,
} from '../index.ts';
import type { Refusal } from './refusal.ts';

export interface StatusAttempt extends Pick<
  AttemptReport,
  'provider' | 'key' | 'model' | 'startedAt' | 'status' | 'message'
> {
  readonly outcome: 'running' | AttemptReport['outcome'];
  /** Absent while the attempt runs. */
  readonly latencyMs?: number | undefined;
}

/** A call, or a request for one that was refused. All moments are epoch ms. */
export interface StatusCall {
  /** Tells it from all others. */
  readonly id: string;
  readonly state: 'running' | 'waiting' | 'refused' | CallEndEvent['outcome'];
  /** The model that was asked for. Undefined: none was named, or the request was refused. */
  readonly model?: string | undefined;
  /** The models that stand for the name that was asked for, if it was mapped. */
  readonly chain?: string | undefined;
  /** The route of the conversation's last turn, `provider model`. Undefined if there was none. */
  readonly lastRoute?: string | undefined;
  /** The route of the request, such as `/v1/responses`, which names its protocol. Undefined for calls of the program itself. */
  readonly route?: string | undefined;
  /** The HTTP status of a refused request. */
  readonly status?: number | undefined;
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
  /** While the call waits: when the next route is expected to be ready. */
  readonly waitsUntil?: number | undefined;
  /** The code of the error if the call failed or was refused. */
  readonly code?: string | undefined;
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
  /** Requests that were refused before they became calls. */
  readonly refused: number;
}

const MAX_ATTEMPTS = 20;
const MAX_MESSAGE = 1000;

function shortened(message: string | undefined): string | undefined {
  return message === undefined || message.length <= MAX_MESSAGE
    ? message
    : `${message.slice(0, MAX_MESSAGE)}…`;
}

function idOf(call: number): string {
  return `call-${call}`;
}

/** The models of a chain in one text. */
function namesOf(model: CallStartEvent['model']): string | undefined {
  return typeof model === 'string' ? model : model?.join(', ');
}

function askedOf({
  model,
  chain,
  lastRoute,
}: CallStartEvent): Pick<StatusCall, 'model' | 'chain' | 'lastRoute'> {
  return {
    model: namesOf(model),
    ...(chain === undefined ? {} : { chain: namesOf(chain) }),
    ...(lastRoute === undefined ? {} : { lastRoute: `${lastRoute.provider} ${lastRoute.model}` }),
  };
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
  readonly #calls = new Map<string, StatusCall>();
  #totals: StatusTotals = { success: 0, failure: 0, aborted: 0, attempts: 0, refused: 0 };

  /** @param limit - How many calls to keep. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get totals(): StatusTotals {
    return this.#totals;
  }

  /** Newest first. */
  get calls(): readonly StatusCall[] {
    return [...this.#calls.values()].toReversed();
  }

  /** @param route - The route of the request that caused the event. */
  note(event: FreeLLMEvent, route?: string): void {
    switch (event.type) {
      case 'call-start':
        this.#put({ ...this.#of(event.call, event.at), ...askedOf(event), route });
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

  /** Notes a request that was refused. `at` is epoch ms. */
  refuse(
    { status, code, message }: Refusal,
    { route, at }: { readonly route: string | undefined; readonly at: number },
  ): void {
    this.#count('refused');
    const id = `refused-${this.#totals.refused}`;
    const text = shortened(message);
    const moments = { startedAt: at, endedAt: at };
    this.#put({
      id,
      state: 'refused',
      route,
      status,
      code,
      message: text,
      ...moments,
      attempts: [],
      attemptCount: 0,
    });
  }

  #count(what: keyof StatusTotals): void {
    this.#totals = { ...this.#totals, [what]: this.#totals[what] + 1 };
  }

  #of(call: number, at: number): StatusCall {
    const id = idOf(call);
    return this.#calls.get(id) ?? { id, state: 'running', startedAt: at, attempts: [], attemptCount: 0 };
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
    const call = this.#calls.get(idOf(event.call));
    if (call?.attempts.at(-1)?.outcome !== 'running') return;
    this.#put({ ...call, attempts: [...call.attempts.slice(0, -1), endedAttempt(event)] });
  }

  #end({ call: number, outcome, code, message, startedAt, at }: CallEndEvent): void {
    const { waitsUntil: _, ...call } = this.#of(number, startedAt);
    this.#put({ ...call, state: outcome, startedAt, endedAt: at, code, message: shortened(message) });
  }

  #put(call: StatusCall): void {
    this.#calls.set(call.id, call);
    if (this.#calls.size <= this.#limit) return;
    // Ended calls are dropped first, because running ones still produce events.
    const ended = [...this.#calls.values()].find(({ endedAt }) => endedAt !== undefined);
    const [oldest] = this.#calls.keys();
    const dropped = ended?.id ?? oldest;
    if (dropped !== undefined) this.#calls.delete(dropped);
  }
}
