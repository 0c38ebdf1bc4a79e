/** An answer as it comes: text, typed parts, and the whole of it in the end. */

import { BrokenStreamError, ConfigError } from '../errors.ts';
import { PartCollector, type StreamPart, type CollectedAnswer } from '../wire/response/stream-part.ts';
import type { ChatResponse } from './response.ts';

/** Who serves a stream. */
export interface StreamRoute {
  readonly provider: string;
  /** The concrete model. */
  readonly model: string;
  /** Requests that the call has cost so far, this one included. */
  readonly attempts: number;
}

/** What a stream is made of. */
export interface StreamSource {
  /** Who serves it now. */
  route(): StreamRoute | undefined;
  /** Starts the call; its parts as they come. */
  parts(signal: AbortSignal): AsyncGenerator<StreamPart, void>;
  /** The whole answer, once the parts have come to their end. */
  respond(answer: CollectedAnswer): ChatResponse;
}

/** What became of a stream; a promise of the response is only made when it is asked for. */
type Ending =
  | { readonly kind: 'response'; readonly response: ChatResponse }
  | { readonly kind: 'error'; readonly error: unknown };

/** The caller walked away before the end. */
function abandonedError(): Error {
  return new DOMException(
    'The stream was left before its end, so that there is no whole answer.',
    'AbortError',
  );
}

/**
 * A streamed answer. Iterate it for text, or {@link ChatStream.parts} for typed parts: once, and at the pace of whoever
 * reads, since nothing is read ahead. Leaving the loop early closes the connection.
 *
 * @example
 * ```ts
 * const stream = llm.stream('Tell me a story');
 * for await (const text of stream) process.stdout.write(text);
 * const { usage, attempts } = await stream.response();
 * ```
 */
export class ChatStream implements AsyncIterable<string> {
  readonly #source: StreamSource;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #consumed = false;
  #ending: Ending | undefined;
  #whenEnded: ((ending: Ending) => void)[] = [];

  /** @internal Made by `FreeLLM.stream`. */
  constructor(source: StreamSource, caller: AbortSignal | undefined) {
    this.#source = source;
    this.#caller = caller;
  }

  /** The answer's text as it comes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    for await (const part of this.parts()) {
      if (part.type === 'text') yield part.text;
    }
  }

  /**
   * The typed parts as they come: text, reasoning, tool calls, and in the end usage and finish. What comes after a seam
   * says `resumed: true`.
   * @throws ConfigError when the stream was read before, by whichever way.
   */
  parts(): AsyncGenerator<StreamPart, void, undefined> {
    if (this.#consumed) {
      throw new ConfigError(
        'This stream has been read already; a stream can be read once. Call stream() again, or use response().',
      );
    }
    this.#consumed = true;
    return this.#read();
  }

  /**
   * The whole answer. Reads the stream to its end when nobody else reads it; otherwise waits until whoever does has.
   * Rejects as the stream does, and with an `AbortError` when it was left before its end.
   */
  async response(): Promise<ChatResponse> {
    if (!this.#consumed) {
      for await (const part of this.parts()) void part;
    }
    const ending = this.#ending ?? (await new Promise<Ending>((resolve) => this.#whenEnded.push(resolve)));
    if (ending.kind === 'error') throw ending.error;
    return ending.response;
  }

  /** Who serves the stream now, and whose the part is that came last; undefined before the first request. */
  get route(): StreamRoute | undefined {
    return this.#source.route();
  }

  /** Ends the stream: whoever reads it gets `reason`, by default an `AbortError`. */
  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  async *#read(): AsyncGenerator<StreamPart, void, undefined> {
    const onAbort = (): void => {
      this.#controller.abort(this.#caller?.reason);
    };
    if (this.#caller?.aborted === true) onAbort();
    else this.#caller?.addEventListener('abort', onAbort, { once: true });
    const { signal } = this.#controller;
    const parts = this.#source.parts(signal);
    // Also where nobody reads on: the call ends, and what it has booked is free again.
    const leave = (): void => {
      const end = (): void => this.#end({ kind: 'error', error: signal.reason });
      parts.return().then(end, end);
    };
    signal.addEventListener('abort', leave, { once: true });
    const collector = new PartCollector();
    let ending: Ending = { kind: 'error', error: abandonedError() };
    try {
      for await (const part of parts) {
        // Parts that came with the last one are not for somebody who has had enough.
        signal.throwIfAborted();
        collector.add(part);
        yield part;
      }
      signal.throwIfAborted();
      ending = { kind: 'response', response: this.#source.respond(collector.answer()) };
    } catch (error) {
      const thrown = error instanceof BrokenStreamError ? error.withPartial(collector.answer()) : error;
      ending = { kind: 'error', error: thrown };
      throw thrown;
    } finally {
      this.#caller?.removeEventListener('abort', onAbort);
      signal.removeEventListener('abort', leave);
      this.#end(ending);
    }
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    for (const resolve of this.#whenEnded) resolve(this.#ending);
    this.#whenEnded = [];
  }
}
