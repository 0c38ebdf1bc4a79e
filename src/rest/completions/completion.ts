/** OpenAI's `text_completion` object, whole and in events. */

import type { JsonObject } from '../../core/json.ts';
import { errorObject, type HttpErrorInit } from '../../http-error.ts';
import type { StreamPart } from '../../wire/response/stream-part.ts';
import { type Stamp, usageObject } from '../chat/completion.ts';
import { AnswerTally } from '../merged-stream.ts';
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

interface TextOptions {
  readonly includeUsage: boolean;
  /** How many answers the stream has. */
  readonly n: number;
}

/** Writes the parts of the answers as chunks of their texts. */
export class TextWriter implements EventWriter {
  readonly #stamp: Stamp;
  readonly #includeUsage: boolean;
  readonly #tally: AnswerTally;

  constructor(stamp: Stamp, { includeUsage, n }: TextOptions) {
    this.#stamp = stamp;
    this.#includeUsage = includeUsage;
    this.#tally = new AnswerTally(n);
  }

  write(part: StreamPart, model: string, answer = 0): string {
    switch (part.type) {
      case 'text':
        return this.#chunk(model, [choiceOf(answer, part.text, null)]);
      case 'finish':
        return this.#chunk(model, [choiceOf(answer, '', part.reason)]) + this.#end(model);
      case 'usage':
        this.#tally.add(part.usage, answer);
        return '';
      case 'reasoning':
      case 'tool-call':
      case 'extra':
      case 'logprobs':
        return '';
    }
  }

  fail(error: HttpErrorInit): string {
    return `data: ${JSON.stringify({ error: errorObject(error) })}\n\n`;
  }

  #end(model: string): string {
    if (!this.#tally.isLast()) return '';
    const { usage } = this.#tally;
    const counted =
      this.#includeUsage && usage !== undefined ? this.#chunk(model, [], { usage: usageObject(usage) }) : '';
    return `${counted}data: [DONE]\n\n`;
  }

  #chunk(model: string, choices: readonly JsonObject[], more: JsonObject = {}): string {
    const { id, created } = this.#stamp;
    return `data: ${JSON.stringify({ id, object: 'text_completion', created, model, choices, ...more })}\n\n`;
  }
}
