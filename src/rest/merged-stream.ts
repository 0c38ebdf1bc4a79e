/** Several answers in one stream. */

import type { TokenUsage } from '../wire/response/token-usage.ts';
import { addUsage, type StreamPart } from '../wire/response/stream-part.ts';
import type { AnswerStream, ServingRoute } from './chat-backend.ts';

/** The end of a stream with several answers: it comes with the last of them, and has the tokens of all. */
export class AnswerTally {
  readonly #usages = new Map<number, TokenUsage>();
  #open: number;

  constructor(answers: number) {
    this.#open = answers;
  }

  get usage(): TokenUsage | undefined {
    return [...this.#usages.values()].reduce<TokenUsage | undefined>(
      (sum, one) => (sum === undefined ? one : addUsage(sum, one)),
      undefined,
    );
  }

  add(usage: TokenUsage, answer: number): void {
    this.#usages.set(answer, usage);
  }

  /** Notes that an answer has ended. Returns whether it was the last one. */
  isLast(): boolean {
    this.#open -= 1;
    return this.#open === 0;
  }
}

/** A part of one of several answers. */
export type IndexedPart = StreamPart & { readonly answer?: number };

interface Arrival {
  readonly answer: number;
  readonly result: IteratorResult<StreamPart, void> | undefined;
}

/** Several streams as one. Their parts come as they arrive, and it fails if one of them fails: a client counts the answers. */
export class MergedStream implements AnswerStream {
  readonly #streams: readonly AnswerStream[];

  constructor(streams: readonly AnswerStream[]) {
    this.#streams = streams;
  }

  /** The first route, and the attempts of all. */
  get route(): ServingRoute | undefined {
    const routes = this.#streams.flatMap(({ route }) => route ?? []);
    const [first] = routes;
    return first && { ...first, attempts: routes.reduce((sum, { attempts }) => sum + attempts, 0) };
  }

  async *parts(): AsyncGenerator<IndexedPart, void, undefined> {
    const all = this.#streams.map((stream) => stream.parts());
    const nextOf = async (answer: number): Promise<Arrival> => ({
      answer,
      result: await all[answer]?.next(),
    });
    const pending = new Map(all.map((_, answer) => [answer, nextOf(answer)]));
    try {
      while (pending.size > 0) {
        const { answer, result } = await Promise.race(pending.values());
        pending.delete(answer);
        if (result === undefined || result.done === true) continue;
        // Behind the others: of several that have a part, the first in the map is taken.
        pending.set(answer, nextOf(answer));
        yield { ...result.value, answer };
      }
    } finally {
      this.abort();
      await Promise.allSettled([...pending.values(), ...all.map((parts) => parts.return())]);
    }
  }

  abort(reason?: unknown): void {
    for (const stream of this.#streams) stream.abort(reason);
  }
}
