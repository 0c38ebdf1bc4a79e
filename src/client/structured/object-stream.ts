/** `llm.streamObject()`: a value that grows while its answer arrives. */

import { BrokenStreamError, ConfigError } from '../../errors.ts';
import { partialJson } from '../../wire/repair/json-answer.ts';
import type { ChatStream } from '../chat-stream.ts';
import type { ObjectResult } from './object.ts';
import type { Growing, ReadSchema } from './schema.ts';

/** The text grows by this part of its length between two values, so that reading it again stays cheap. */
const GROWTH = 1 / 16;

/** How a streamed value is made. */
export interface ObjectStreamParts<T> {
  readonly stream: ChatStream;
  readonly schema: ReadSchema<T>;
  /** Asks once more, if the stream broke or its value does not fit. */
  readonly again: () => Promise<ObjectResult<T>>;
}

/**
 * A streamed value. Iterate it for the value as far as it has come, or wait for its {@link ObjectStream.result}. It can be read
 * once. A later value replaces an earlier one: if the stream breaks, or its value does not fit, the request is made again.
 */
export class ObjectStream<T> implements AsyncIterable<Growing<T>> {
  readonly #parts: ObjectStreamParts<T>;
  #isRead = false;
  #result: ObjectResult<T> | undefined;

  /** @internal Made by `FreeLLM.streamObject`. */
  constructor(parts: ObjectStreamParts<T>) {
    this.#parts = parts;
  }

  /** The value as far as it has come, each time that it has grown. Each of its members fits the schema. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Growing<T>, void, undefined> {
    if (this.#isRead)
      throw new ConfigError('This stream has already been read, and a stream can be read only once.');
    this.#isRead = true;
    try {
      yield* this.#growing();
    } catch (error) {
      if (!(error instanceof BrokenStreamError)) throw error;
    }
    if (this.#result !== undefined) return;
    this.#result = await this.#parts.again();
    const { data } = this.#result;
    if (this.#parts.schema.mayGrow(data)) yield data;
  }

  async *#growing(): AsyncGenerator<Growing<T>, void, undefined> {
    const { stream, schema } = this.#parts;
    let text = '';
    let nextLength = 1;
    for await (const piece of stream) {
      text += piece;
      if (text.length < nextLength) continue;
      nextLength = text.length * (1 + GROWTH);
      const value = partialJson(text);
      if (schema.mayGrow(value)) yield value;
    }
    const found = await schema.read(text);
    if (!found.ok) return;
    const value = partialJson(text) ?? found.value;
    this.#result = { data: found.value, response: await stream.response() };
    if (schema.mayGrow(value)) yield value;
  }

  /** The value and its answer. Reads the stream itself if nothing else does. Rejects as the stream does. */
  async result(): Promise<ObjectResult<T>> {
    if (!this.#isRead) for await (const value of this) void value;
    if (this.#result === undefined)
      throw new DOMException('The stream was not read to its end.', 'AbortError');
    return this.#result;
  }
}
