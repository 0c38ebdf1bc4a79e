import { onAbort } from '../abort.ts';
import type { JsonObject } from '../core/json.ts';
import { BrokenStreamError, ConfigError } from '../errors.ts';
import { PartCollector, type StreamPart, type CollectedAnswer } from '../wire/response/stream-part.ts';
import { ItemReader } from './item-reader.ts';
import type { ChatResponse } from './response.ts';

/** The route that serves a stream. */
export interface StreamRoute {
  readonly provider: string;
  /** The concrete model. */
  readonly model: string;
  /** How many requests the call has cost so far, including this one. */
  readonly attempts: number;
}

/** What a {@link ChatStream} reads from. */
export interface StreamSource {
  route(): StreamRoute | undefined;
  /** Starts the call. Its parts come in batches, as many at once as arrive together. */
  begin(signal: AbortSignal): Promise<AsyncGenerator<readonly StreamPart[], void>>;
  /** Makes the whole answer once the parts have ended. */
  respond(answer: CollectedAnswer, raw: JsonObject): ChatResponse;
}

/** Selects the items that a reader wants from some parts. */
type PickItems<Item> = (batch: readonly StreamPart[]) => readonly Item[];

/** How a stream ended. */
type StreamOutcome =
  | { readonly kind: 'response'; readonly response: ChatResponse }
  | { readonly kind: 'error'; readonly error: unknown };

function textsIn(batch: readonly StreamPart[]): readonly string[] {
  const texts: string[] = [];
  for (const part of batch) if (part.type === 'text') texts.push(part.text);
  return texts;
}

function leftError(): Error {
  return new DOMException('The stream was not read to its end, so there is no whole answer.', 'AbortError');
}

/**
 * A streamed answer. Iterate it for text, or {@link ChatStream.parts} for typed parts. It can be read once. freelm does
 * not read ahead of the consumer. Leaving the loop early closes the connection.
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
  /** The caller's signal, and the one that aborts when the pool is closed. */
  readonly #outside: readonly AbortSignal[];
  #consumed = false;
  /** Whether the first part was asked for. */
  #begun = false;
  #ending: StreamOutcome | undefined;
  #whenEnded: ((ending: StreamOutcome) => void)[] = [];

  /** @internal Made by `FreeLLM.stream`. */
  constructor(source: StreamSource, outside: readonly AbortSignal[]) {
    this.#source = source;
    this.#outside = outside;
  }

  /**
   * The answer's text as it comes.
   * @throws ConfigError if the stream has been read already.
   */
  [Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    return this.#reader(textsIn);
  }

  /**
   * The typed parts: text, reasoning, tool calls and other fields as they arrive, then usage and finish. Text,
   * reasoning and fields of a route that continued a broken answer have `resumed: true`.
   * @throws ConfigError if the stream has been read already.
   */
  parts(): AsyncGenerator<StreamPart, void, undefined> {
    return this.#reader((batch) => batch);
  }

  /** Reads the stream and yields the items that `pick` selects from its parts. */
  #reader<Item>(pick: PickItems<Item>): AsyncGenerator<Item, void, undefined> {
    if (this.#consumed) {
      throw new ConfigError(
        'This stream has already been read, and a stream can be read only once. Call stream() again, or use response().',
      );
    }
    this.#consumed = true;
    return new ItemReader(this.#read(pick), this.#controller.signal);
  }

  /**
   * The whole answer. Reads the stream itself if nothing else does; otherwise waits until it has been read. Rejects as
   * the stream does, and with an `AbortError` if it was not read to its end.
   */
  async response(): Promise<ChatResponse> {
    if (!this.#consumed) {
      for await (const part of this.parts()) void part;
    }
    const ending = this.#ending ?? (await this.#endingOfReader());
    if (ending.kind === 'error') throw ending.error;
    return ending.response;
  }

  /** The route that serves the stream and sent its latest part. Undefined before the first request. */
  get route(): StreamRoute | undefined {
    return this.#source.route();
  }

  /** Ends the stream: reading it throws `reason`, an `AbortError` by default. */
  abort(reason?: unknown): void {
    this.#controller.abort(reason);
    // If parts() was called but never iterated, no reader will end the stream.
    if (this.#consumed && !this.#begun) this.#end({ kind: 'error', error: this.#controller.signal.reason });
  }

  /** How the stream ends, whether a consumer reads it or never begins. */
  async #endingOfReader(): Promise<StreamOutcome> {
    const stopFollowing = this.#followOutside();
    try {
      return await new Promise<StreamOutcome>((resolve) => this.#whenEnded.push(resolve));
    } finally {
      stopFollowing();
    }
  }

  /** Aborts the stream with the caller's signal, and when the pool is closed. The returned function stops this. */
  #followOutside(): () => void {
    const cancels = this.#outside.map((signal) => {
      const abort = (): void => {
        this.abort(signal.reason);
      };
      if (signal.aborted) abort();
      return onAbort(signal, abort);
    });
    return () => {
      for (const cancel of cancels) cancel();
    };
  }

  async *#read<Item>(pick: PickItems<Item>): AsyncGenerator<readonly Item[], void, undefined> {
    this.#begun = true;
    const stopFollowing = this.#followOutside();
    const { signal } = this.#controller;
    let batches: AsyncGenerator<readonly StreamPart[], void> | undefined;
    // If the consumer stops reading, the call must still end, so that its reservations are settled.
    const stopLeaving = onAbort(signal, () => {
      const end = (): void => this.#end({ kind: 'error', error: signal.reason });
      batches?.return().then(end, end);
    });
    const collector = new PartCollector();
    let ending: StreamOutcome | undefined;
    try {
      batches = await this.#source.begin(signal);
      for await (const batch of batches) {
        for (const part of batch) collector.add(part);
        signal.throwIfAborted();
        yield pick(batch);
        signal.throwIfAborted();
      }
      signal.throwIfAborted();
      ending = { kind: 'response', response: this.#source.respond(collector.answer(), collector.raw()) };
    } catch (error) {
      const thrown = error instanceof BrokenStreamError ? error.withPartial(collector.answer()) : error;
      ending = { kind: 'error', error: thrown };
      throw thrown;
    } finally {
      stopFollowing();
      stopLeaving();
      // Made only here: an error costs as much as many parts.
      this.#end(ending ?? { kind: 'error', error: leftError() });
    }
  }

  #end(ending: StreamOutcome): void {
    this.#ending ??= ending;
    for (const resolve of this.#whenEnded) resolve(this.#ending);
    this.#whenEnded = [];
  }
}
