import type { Clock, HttpRequest, HttpResponse, Transport } from '../../src/ports.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #now: number;
  #monotonicMs = 0;
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#now = now;
  }

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#monotonicMs + delayMs, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Moves the time forwards or backwards, runs the due timers and waits until their effects have settled. */
  async advance(byMs: number): Promise<void> {
    this.#now += byMs;
    this.#monotonicMs += Math.max(0, byMs);
    for (const timer of this.#timers) {
      if (timer.at <= this.#monotonicMs && this.#timers.delete(timer)) timer.callback();
    }
    await settled();
  }
}

/** Resolves when all pending callbacks have run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

export type Answer = (request: HttpRequest, signal: AbortSignal) => HttpResponse | Promise<HttpResponse>;

/** Answers each request with the next of `answers`; repeats the last one. */
export class ScriptedTransport implements Transport {
  readonly requests: HttpRequest[] = [];
  readonly #answers: readonly Answer[];

  constructor(answers: readonly Answer[]) {
    this.#answers = answers;
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const answer = this.#answers[Math.min(this.requests.length, this.#answers.length - 1)];
    this.requests.push(request);
    if (answer === undefined) throw new Error('the script is empty');
    return answer(request, signal);
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

async function* chunks(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

export function answerText(text: string, status = 200): Answer {
  return () => ({ status, headers: {}, body: chunks([new TextEncoder().encode(text)]) });
}

/** A list in OpenAI's plain format. */
export function answerIds(...ids: readonly string[]): Answer {
  return answerText(JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) }));
}

export const answerTrouble: Answer = () => {
  throw new Error('connect ECONNREFUSED 127.0.0.1:9');
};

/** Never answers, but obeys the signal. */
export const answerHanging: Answer = (_request, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });

/** Never answers and ignores the signal. */
export const answerDeaf: Answer = () =>
  new Promise(() => {
    // Stays open.
  });
