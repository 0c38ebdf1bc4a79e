/** Streams of server-sent events, as in OpenAI's SDK. */

import { createParser } from 'eventsource-parser';

/**
 * A stream of chunks that can be iterated once. Leaving the loop early aborts the call. So does `controller.abort()`,
 * which ends the loop without an error.
 */
export class Stream<Item> implements AsyncIterable<Item> {
  readonly controller: AbortController;
  readonly #iterate: () => AsyncIterator<Item>;

  constructor(iterate: () => AsyncIterator<Item>, controller: AbortController) {
    this.#iterate = iterate;
    this.controller = controller;
  }

  [Symbol.asyncIterator](): AsyncIterator<Item> {
    return this.#iterate();
  }

  /** Splits the stream in two that can be read at different paces. Chunks are buffered for the slower reader. */
  tee(): [Stream<Item>, Stream<Item>] {
    const source = this.#iterate();
    const left: Array<Promise<IteratorResult<Item>>> = [];
    const right: Array<Promise<IteratorResult<Item>>> = [];
    const side = (own: typeof left): Stream<Item> => {
      const next = (): Promise<IteratorResult<Item>> => {
        const waiting = own.shift();
        if (waiting !== undefined) return waiting;
        const read = source.next();
        (own === left ? right : left).push(read);
        return read;
      };
      return new Stream(() => ({ next }), this.controller);
    };
    return [side(left), side(right)];
  }

  /** The chunks as JSON lines, e.g. for the body of a `Response`. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    let chunks: AsyncIterator<Item> | undefined;
    return new ReadableStream({
      pull: async (controller) => {
        chunks ??= this.#iterate();
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
      },
      cancel: async () => {
        if (chunks === undefined) this.controller.abort();
        else await chunks.return?.();
      },
    });
  }
}

/** Yields the data of each server-sent event. */
export async function* eventData({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder();
  const ready: string[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      ready.push(data);
    },
  });
  const pieces: AsyncIterable<Uint8Array> = body;
  for await (const bytes of pieces) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* ready.splice(0);
  }
}
