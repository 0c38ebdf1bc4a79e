/** The body of a streamed answer. It reads the next part only when its consumer asks for more. */

import type { AnswerStream } from './chat-backend.ts';
import type { IndexedPart } from './merged-stream.ts';
import type { EventWriter } from './protocol.ts';

export interface EventStreamSource {
  readonly stream: AnswerStream;
  /** The running iteration over the parts of `stream`. */
  readonly parts: AsyncGenerator<IndexedPart, void, undefined>;
  /** The first result of `parts`, which has been read already. */
  readonly first: IteratorResult<IndexedPart, void>;
  readonly writer: Pick<EventWriter, 'write'>;
  readonly signal: AbortSignal | undefined;
  /** The events to send when the stream breaks. */
  readonly failureOf: (error: unknown) => string;
}

const encoder = new TextEncoder();

class EventSource {
  readonly #source: EventStreamSource;
  #next: IteratorResult<IndexedPart, void> | undefined;
  #cancelled = false;

  constructor(source: EventStreamSource) {
    this.#source = source;
    this.#next = source.first;
  }

  readonly pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const { signal, failureOf } = this.#source;
    try {
      signal?.throwIfAborted();
      const events = await this.#events();
      if (this.#cancelled) return;
      if (events === undefined) controller.close();
      else controller.enqueue(encoder.encode(events));
    } catch (error) {
      if (this.#cancelled) return;
      if (signal?.aborted === true) {
        controller.error(signal.reason);
        return;
      }
      controller.enqueue(encoder.encode(failureOf(error)));
      controller.close();
    }
  };

  /** Aborts the request instead of waiting for the part that is on its way. */
  readonly cancel = async (reason: unknown): Promise<void> => {
    this.#cancelled = true;
    const { stream, parts } = this.#source;
    stream.abort(reason);
    await parts.return();
  };

  /** The next events, or undefined at the end. */
  async #events(): Promise<string | undefined> {
    const { stream, parts, writer } = this.#source;
    for (;;) {
      const next = this.#next ?? (await parts.next());
      this.#next = undefined;
      if (next.done === true) return undefined;
      const events = writer.write(next.value, stream.route?.model ?? '', next.value.answer);
      if (events !== '') return events;
    }
  }
}

/** Cancelling the body aborts the request behind it. */
export function eventStream(source: EventStreamSource): ReadableStream<Uint8Array> {
  const { pull, cancel } = new EventSource(source);
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}
