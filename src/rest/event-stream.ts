/** The body of a streamed answer. Pulled: nothing is read ahead of whoever reads it. */

import type { StreamPart } from '../wire/response/stream-part.ts';
import type { AnswerStream } from './chat-backend.ts';
import { type ChunkWriter, eventOf } from './chunks.ts';

/** What a body is made of. */
export interface Streaming {
  readonly stream: AnswerStream;
  /** Of `stream`. */
  readonly parts: AsyncGenerator<StreamPart, void, undefined>;
  /** The first of them. */
  readonly first: IteratorResult<StreamPart, void>;
  readonly writer: ChunkWriter;
  readonly signal: AbortSignal | undefined;
  /** What is sent when a stream breaks. */
  readonly errorOf: (error: unknown) => object;
}

const encoder = new TextEncoder();

class EventSource {
  readonly #source: Streaming;
  #next: IteratorResult<StreamPart, void> | undefined;
  #cancelled = false;

  constructor(source: Streaming) {
    this.#source = source;
    this.#next = source.first;
  }

  readonly pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const { signal, errorOf } = this.#source;
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
      controller.enqueue(encoder.encode(eventOf(errorOf(error))));
      controller.close();
    }
  };

  /** A part that is under way is not waited for: its request is aborted. */
  readonly cancel = async (reason: unknown): Promise<void> => {
    this.#cancelled = true;
    const { stream, parts } = this.#source;
    stream.abort(reason);
    await parts.return();
  };

  /** The next events; undefined when there are no more. */
  async #events(): Promise<string | undefined> {
    const { stream, parts, writer } = this.#source;
    for (;;) {
      const next = this.#next ?? (await parts.next());
      this.#next = undefined;
      if (next.done === true) return undefined;
      const events = writer.write(next.value, stream.route?.model ?? '');
      if (events !== '') return events;
    }
  }
}

/** Makes the body. Leaving it aborts the request that it comes from. */
export function eventStream(source: Streaming): ReadableStream<Uint8Array> {
  const { pull, cancel } = new EventSource(source);
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}
