/** A streamed answer as OpenAI's server-sent events. */

import type { JsonObject } from '../../core/json.ts';
import type { TokenUsage } from '../../wire/response/chat-response.ts';
import type { StreamPart } from '../../wire/response/stream-part.ts';
import type { ToolCallPart } from '../../wire/response/tool-calls.ts';
import { errorObject, type HttpErrorInit } from '../../http-error.ts';
import type { EventWriter } from '../protocol.ts';
import { type Stamp, usageObject } from './completion.ts';
import { olderReason, withFunctionCall } from './functions.ts';

function eventOf(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Writes the parts of one answer as chunks. */
export class ChunkWriter implements EventWriter {
  readonly #stamp: Stamp;
  readonly #includeUsage: boolean;
  readonly #isOlder: boolean;
  readonly #announced = new Set<number>();
  #begun = false;
  #usage: TokenUsage | undefined;

  /** @param options - `isOlder`: calls have the form of `function_call`. */
  constructor(
    stamp: Stamp,
    { includeUsage, isOlder }: { readonly includeUsage: boolean; readonly isOlder: boolean },
  ) {
    this.#stamp = stamp;
    this.#includeUsage = includeUsage;
    this.#isOlder = isOlder;
  }

  /** Returns the events for a part. Usage has none of its own: it goes out with the end of the stream. */
  write(part: StreamPart, model: string): string {
    if (part.type === 'usage') {
      this.#usage = part.usage;
      return '';
    }
    const opening = this.#begun
      ? ''
      : this.#delta(model, { role: 'assistant', content: '', refusal: null }, null);
    this.#begun = true;
    return opening + this.#eventsOf(part, model);
  }

  fail(error: HttpErrorInit): string {
    return eventOf({ error: errorObject(error) });
  }

  #eventsOf(part: Exclude<StreamPart, { type: 'usage' }>, model: string): string {
    switch (part.type) {
      case 'text':
        return this.#delta(model, { content: part.text }, null);
      case 'reasoning':
        return this.#delta(model, { reasoning_content: part.text }, null);
      case 'tool-call':
        return this.#calls(model, { tool_calls: [this.#toolCall(part)] });
      case 'extra':
        return this.#delta(model, part.fields, null);
      case 'finish':
        return `${this.#delta(model, {}, this.#isOlder ? olderReason(part.reason) : part.reason)}${this.#usageChunk(model)}data: [DONE]\n\n`;
    }
  }

  /** Only the first piece of a tool call carries its id and name. The others continue its arguments. */
  #toolCall({ index, id, name, argumentsDelta, extra }: ToolCallPart): JsonObject {
    if (this.#announced.has(index)) return { index, function: { arguments: argumentsDelta }, ...extra };
    this.#announced.add(index);
    return { index, id, type: 'function', function: { name, arguments: argumentsDelta }, ...extra };
  }

  #calls(model: string, delta: JsonObject): string {
    return this.#delta(model, this.#isOlder ? withFunctionCall(delta) : delta, null);
  }

  #delta(model: string, delta: JsonObject, finishReason: string | null): string {
    return this.#chunk(model, [{ index: 0, delta, logprobs: null, finish_reason: finishReason }], null);
  }

  #usageChunk(model: string): string {
    if (!this.#includeUsage || this.#usage === undefined) return '';
    return this.#chunk(model, [], usageObject(this.#usage));
  }

  #chunk(model: string, choices: readonly JsonObject[], usage: JsonObject | null): string {
    const { id, created } = this.#stamp;
    const usageField = this.#includeUsage ? { usage } : {};
    return eventOf({ id, object: 'chat.completion.chunk', created, model, choices, ...usageField });
  }
}
