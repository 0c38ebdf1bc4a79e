/** OpenAI's `text_completion` object, whole and in events. */

import type { JsonObject } from '../../core/json.ts';
import { errorObject, type HttpErrorInit } from '../../http-error.ts';
import type { TokenUsage } from '../../wire/response/chat-response.ts';
import type { StreamPart } from '../../wire/response/stream-part.ts';
import { type Stamp, usageObject } from '../chat/completion.ts';
import type { EventWriter } from '../protocol.ts';
import type { Answers } from '../several.ts';

function choiceOf(index: number, text: string, finishReason: string | null): JsonObject {
  return { text, index, logprobs: null, finish_reason: finishReason };
}

export function textCompletion({ answers, usage }: Answers, { id, created }: Stamp): JsonObject {
  return {
    id,
    object: 'text_completion',
    created,
    model: answers[0]?.model ?? '',
    choices: answers.map(({ text, finishReason = 'stop' }, index) => choiceOf(index, text, finishReason)),
    ...(usage === undefined ? {} : { usage: usageObject(usage) }),
  };
}

/** Writes the parts of one answer as chunks of its text. */
export class TextWriter implements EventWriter {
  readonly #stamp: Stamp;
  readonly #includeUsage: boolean;
  #usage: TokenUsage | undefined;

  constructor(stamp: Stamp, includeUsage: boolean) {
    this.#stamp = stamp;
    this.#includeUsage = includeUsage;
  }

  write(part: StreamPart, model: string): string {
    switch (part.type) {
      case 'text':
        return this.#chunk(model, [choiceOf(0, part.text, null)]);
      case 'finish':
        return `${this.#chunk(model, [choiceOf(0, '', part.reason)])}${this.#usageChunk(model)}data: [DONE]\n\n`;
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'reasoning':
      case 'tool-call':
      case 'extra':
        return '';
    }
  }

  fail(error: HttpErrorInit): string {
    return `data: ${JSON.stringify({ error: errorObject(error) })}\n\n`;
  }

  #usageChunk(model: string): string {
    if (!this.#includeUsage || this.#usage === undefined) return '';
    return this.#chunk(model, [], { usage: usageObject(this.#usage) });
  }

  #chunk(model: string, choices: readonly JsonObject[], more: JsonObject = {}): string {
    const { id, created } = this.#stamp;
    return `data: ${JSON.stringify({ id, object: 'text_completion', created, model, choices, ...more })}\n\n`;
  }
}
