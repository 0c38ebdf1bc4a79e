/** A streamed answer as OpenAI's server-sent events. */

import type { JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../wire/response/stream-part.ts';
import type { ToolCallPart } from '../../wire/response/tool-calls.ts';
import { errorObject, type HttpErrorInit } from '../../http-error.ts';
import { AnswerTally } from '../merged-stream.ts';
import type { EventWriter } from '../protocol.ts';
import { type Stamp, usageObject } from './completion.ts';
import { olderReason, withFunctionCall } from './functions.ts';

function eventOf(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Where a piece belongs. */
interface Choice {
  /** The answer's index. */
  readonly answer: number;
  readonly model: string;
}

interface ChunkOptions {
  readonly includeUsage: boolean;
  /** Whether calls have the form of `function_call`. */
  readonly isOlder: boolean;
  /** How many answers the stream has. */
  readonly n: number;
}

/** Writes the parts of the answers as chunks. Those of several answers come as they arrive, with the answer's index. */
export class ChunkWriter implements EventWriter {
  readonly #stamp: Stamp;
  readonly #options: ChunkOptions;
  /** The calls that have begun, by answer and call. */
  readonly #announced = new Set<string>();
  readonly #begun = new Set<number>();
  readonly #tally: AnswerTally;

  constructor(stamp: Stamp, options: ChunkOptions) {
    this.#stamp = stamp;
    this.#options = options;
    this.#tally = new AnswerTally(options.n);
  }

  /** Returns the events for a part. Usage has none of its own: it goes out with the end of the stream. */
  write(part: StreamPart, model: string, answer = 0): string {
    if (part.type === 'usage') {
      this.#tally.add(part.usage, answer);
      return '';
    }
    const to: Choice = { answer, model };
    const opening = this.#begun.has(answer)
      ? ''
      : this.#delta(to, { role: 'assistant', content: '', refusal: null }, null);
    this.#begun.add(answer);
    return opening + this.#eventsOf(part, to);
  }

  fail(error: HttpErrorInit): string {
    return eventOf({ error: errorObject(error) });
  }

  #eventsOf(part: Exclude<StreamPart, { type: 'usage' }>, to: Choice): string {
    switch (part.type) {
      case 'text':
        return this.#delta(to, { content: part.text }, null);
      case 'reasoning':
        return this.#delta(to, { reasoning_content: part.text }, null);
      case 'tool-call':
        return this.#calls(to, { tool_calls: [this.#toolCall(part, to.answer)] });
      case 'extra':
        return this.#delta(to, part.fields, null);
      case 'logprobs':
        return this.#delta(to, {}, null, { content: part.content, refusal: null });
      case 'finish':
        return this.#delta(to, {}, this.#reason(part.reason)) + this.#end(to.model);
    }
  }

  #reason(reason: string): string {
    return this.#options.isOlder ? olderReason(reason) : reason;
  }

  /** Only the first piece of a tool call carries its id and name. The others continue its arguments. */
  #toolCall({ index, id, name, argumentsDelta, extra }: ToolCallPart, answer: number): JsonObject {
    const call = `${answer} ${index}`;
    if (this.#announced.has(call)) return { index, function: { arguments: argumentsDelta }, ...extra };
    this.#announced.add(call);
    return { index, id, type: 'function', function: { name, arguments: argumentsDelta }, ...extra };
  }

  #calls(to: Choice, delta: JsonObject): string {
    return this.#delta(to, this.#options.isOlder ? withFunctionCall(delta) : delta, null);
  }

  #delta(
    { answer, model }: Choice,
    delta: JsonObject,
    finishReason: string | null,
    logprobs: JsonObject | null = null,
  ): string {
    return this.#chunk(model, [{ index: answer, delta, logprobs, finish_reason: finishReason }], null);
  }

  #end(model: string): string {
    if (!this.#tally.isLast()) return '';
    const { usage } = this.#tally;
    const counted =
      this.#options.includeUsage && usage !== undefined ? this.#chunk(model, [], usageObject(usage)) : '';
    return `${counted}data: [DONE]\n\n`;
  }

  #chunk(model: string, choices: readonly JsonObject[], usage: JsonObject | null): string {
    const { id, created } = this.#stamp;
    const usageField = this.#options.includeUsage ? { usage } : {};
    return eventOf({ id, object: 'chat.completion.chunk', created, model, choices, ...usageField });
  }
}
