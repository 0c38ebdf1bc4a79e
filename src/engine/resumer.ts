/** Records what a call has delivered, and appends the parts of its next attempt. */

import { type Origin, withOrigin } from '../wire/origin.ts';
import type { ChatBody } from '../wire/request/chat-body.ts';
import { countText } from '../wire/request/text-tokens.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import type { StreamEnd } from '../wire/response/stream-end.ts';
import { addUsage, type StreamPart } from '../wire/response/stream-part.ts';
import { OverlapTrimmer } from '../wire/resume.ts';
import { BadAnswer } from './operation.ts';

/** Characters kept for a continuation. A longer answer cannot be continued. */
const MAX_TRANSCRIPT_LENGTH = 16 * 1024 * 1024;
/** What a call has delivered so far, over all its attempts. */
export class Transcript {
  text = '';
  toolCalls = false;
  /** The tokens of the attempts that broke. */
  usage: TokenUsage | undefined;
  #parts = 0;
  #sawEmptyContinuation = false;

  get any(): boolean {
    return this.#parts > 0;
  }

  get tooLong(): boolean {
    return this.text.length > MAX_TRANSCRIPT_LENGTH;
  }

  /** Whether a model that had to continue the text sent none. Either the text was complete, or the model failed. */
  get sawEmptyContinuation(): boolean {
    return this.#sawEmptyContinuation;
  }

  /** Notes how an attempt ended. */
  note(end: StreamEnd): void {
    const isEmpty = end.kind === 'refused' && end.refusal.problem === 'empty';
    this.#sawEmptyContinuation ||= isEmpty && this.text !== '';
  }

  add(part: StreamPart): void {
    this.#parts += 1;
    if (part.type === 'text' && !this.tooLong) this.text += part.text;
    this.toolCalls ||= part.type === 'tool-call';
  }
}

/** The text of a part that cost tokens. */
function writtenIn(part: StreamPart): string {
  if (part.type === 'text' || part.type === 'reasoning') return part.text;
  return part.type === 'tool-call' ? part.argumentsDelta : '';
}

function isContent({ type }: StreamPart): boolean {
  return type === 'text' || type === 'reasoning' || type === 'extra' || type === 'logprobs';
}

/** Appends the parts of one attempt to what earlier attempts have delivered. */
export class Resumer {
  readonly #transcript: Transcript;
  readonly #trimmer: OverlapTrimmer | undefined;
  readonly #resumed: boolean;
  readonly #body: ChatBody;
  readonly #origin: Origin;
  /** What the model has written in this attempt, until its usage is known. */
  #written: string | undefined = '';

  constructor(
    { transcript, body }: { readonly transcript: Transcript; readonly body: ChatBody },
    origin: Origin,
  ) {
    this.#origin = origin;
    this.#transcript = transcript;
    this.#body = body;
    this.#resumed = transcript.any;
    this.#trimmer = transcript.text === '' ? undefined : new OverlapTrimmer(transcript.text);
  }

  /** The new content of some parts. It ends where the answer proves to be a different one. */
  append(parts: readonly StreamPart[]): readonly StreamPart[] {
    const added: StreamPart[] = [];
    for (const given of parts) {
      if (this.#hasDiverged) break;
      const part = this.#noted(given);
      if (part.type === 'usage') this.#written = undefined;
      else if (part.type === 'finish' && this.#written !== undefined)
        this.#append(this.#estimate(this.#written), added);
      else if (this.#written !== undefined) this.#written += writtenIn(part);
      // Nothing came before the first attempt, so its content is new.
      if (!this.#resumed && isContent(part)) added.push(part);
      else this.#append(part, added);
    }
    for (const part of added) this.#transcript.add(part);
    return added;
  }

  /** Adds a note of the model to a field that only this model understands. */
  #noted(part: StreamPart): StreamPart {
    if (part.type === 'extra') return { ...part, fields: withOrigin(part.fields, this.#origin) };
    if (part.type !== 'tool-call' || part.extra === undefined) return part;
    return { ...part, extra: withOrigin(part.extra, this.#origin) };
  }

  /** @throws BadAnswer if the parts turned out to belong to another answer. */
  throwIfDiverged(): void {
    if (!this.#hasDiverged) return;
    const message = 'the model restarted the answer and then diverged from it';
    throw new BadAnswer({ kind: 'broken_stream', scope: 'request', message });
  }

  #append(part: StreamPart, added: StreamPart[]): void {
    // If another model continues a text, they would count some tokens twice.
    if (part.type === 'logprobs') return;
    if (part.type === 'reasoning' || part.type === 'extra') {
      added.push(this.#resumed ? { ...part, resumed: true } : part);
      return;
    }
    const text = part.type === 'text' ? (this.#trimmer?.feed(part.text) ?? part.text) : this.#trimmer?.end();
    if (this.#hasDiverged) return;
    if (text !== undefined && text !== '')
      added.push(this.#resumed ? { type: 'text', text, resumed: true } : { type: 'text', text });
    if (part.type !== 'text') added.push(this.#completed(part));
  }

  get #hasDiverged(): boolean {
    return this.#trimmer?.diverged === true;
  }

  #completed(part: Exclude<StreamPart, { type: 'text' | 'reasoning' | 'extra' | 'logprobs' }>): StreamPart {
    if (part.type === 'usage') return { ...part, usage: addUsage(this.#transcript.usage, part.usage) };
    return part.type === 'tool-call' ? { ...part, name: this.#body.nameOf(part.name) } : part;
  }

  /** The usage of a stream that reports none. */
  // spec 14.10
  #estimate(written: string): StreamPart {
    const promptTokens = this.#body.tokens.prompt;
    const completionTokens = Math.ceil(countText(written).likely);
    const totalTokens = promptTokens + completionTokens;
    return { type: 'usage', usage: { promptTokens, completionTokens, totalTokens, estimated: true } };
  }
}
