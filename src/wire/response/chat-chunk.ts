/** Reads and judges the chunks of one streamed answer of chat/completions. */

import { elementsOf, isJsonObject, type JsonObject, member, parseJson } from '../../core/json.ts';
import {
  type ChatCompletion,
  readChatResponse,
  readFinishReason,
  readUsage,
  type RefusedAnswer,
  refusedByFinish,
  refusedWithError,
  type TokenUsage,
} from './chat-response.ts';
import { errorIn } from './error-body.ts';
import { type SseEvent, type SseLimits, SseSplitter } from './sse.ts';
import { partsOf, type StreamPart } from './stream-part.ts';
import { ToolCallAssembly } from './tool-calls.ts';

/** A stream that turned out to be none. */
interface RefusedStream {
  readonly refusal: RefusedAnswer;
  /** What it was read from: the data of its event, or the document. */
  readonly body: string;
}

/** How a stream ended, and the parts that are still to be handed out. */
export type StreamEnd = { readonly parts: readonly StreamPart[] } & (
  | { readonly kind: 'finished' }
  /** It stopped without a finish reason. */
  | { readonly kind: 'cut'; readonly message: string }
  | ({ readonly kind: 'refused' } & RefusedStream)
);

/** How a stream is read. */
export interface ChunkReaderOptions extends SseLimits {
  /** Whether saying nothing is an answer, as from a model that goes on with one which was complete already. */
  readonly mayBeEmpty?: boolean | undefined;
}

const DONE = '[DONE]';

function malformed(message: string): RefusedAnswer {
  return { ok: false, problem: 'malformed', message };
}

/** Of several choices the one that a whole answer would be read from. */
function isFirst(choice: unknown): boolean {
  return (member(choice, 'index') ?? 0) === 0;
}

/** Blanks count here: they are text once other pieces stand around them. */
function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text of a delta's content: a string, a list of parts, or nothing; `undefined` for any other shape. */
function contentOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === undefined || content === null) return '';
  if (!Array.isArray(content)) return undefined;
  return content.map((part) => textIn(part) || textIn(member(part, 'text'))).join('');
}

/** The same thought may be told under several names at once. */
function reasoningOf({ reasoning, reasoning_content, reasoning_details: details }: JsonObject): string {
  const told = textIn(reasoning) || textIn(reasoning_content);
  if (told !== '' || !Array.isArray(details)) return told;
  return details
    .map((detail) => textIn(member(detail, 'text')) || textIn(member(detail, 'summary')))
    .join('');
}

function endsInHalfCharacter(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

/** The reader of one stream: bytes in, parts out. What is wrong with the stream shows at its end. */
export class ChunkReader {
  readonly #splitter: SseSplitter;
  readonly #mayBeEmpty: boolean;
  readonly #toolCalls = new ToolCallAssembly();
  /** Read, but not handed out yet. */
  #parts: StreamPart[] = [];
  /** Text that is held back: blanks at the beginning, which alone are no answer, or half a character at the end. */
  #held = '';
  #hasText = false;
  #hasMedia = false;
  #chunks = 0;
  #usage: TokenUsage | undefined;
  #finishReason: string | undefined;
  /** The whole answer that came instead of a stream. */
  #document: ChatCompletion | undefined;
  #refused: RefusedStream | undefined;
  #isDone = false;
  #end: StreamEnd | undefined;

  constructor(options: ChunkReaderOptions = {}) {
    this.#splitter = new SseSplitter(options);
    this.#mayBeEmpty = options.mayBeEmpty === true;
  }

  /** Whether nothing that is still to come can matter: the stream said that it is complete, or it is refused. */
  get isOver(): boolean {
    return this.#isDone || this.#refused !== undefined;
  }

  /** The tokens, as far as the stream has told them: also of one that broke. */
  get usage(): TokenUsage | undefined {
    return this.#usage;
  }

  /**
   * The parts that `bytes` complete; usage and finish are left to the end.
   * @throws EventTooLongError when an event exceeds the bound.
   */
  read(bytes: Uint8Array): readonly StreamPart[] {
    if (!this.isOver) this.#readEvents(this.#splitter.read(bytes));
    return this.#handOut();
  }

  /** What the stream was, once its body has ended or broken; the same however often it is asked. */
  end(): StreamEnd {
    this.#end ??= this.#judge();
    return this.#end;
  }

  #judge(): StreamEnd {
    if (!this.isOver) this.#readEvents(this.#splitter.end());
    if (this.#document !== undefined) return { kind: 'finished', parts: partsOf(this.#document) };
    if (this.#refused === undefined && this.#finishReason !== undefined) this.#finish(this.#finishReason);
    const parts = this.#handOut();
    if (this.#refused !== undefined) return { kind: 'refused', parts, ...this.#refused };
    if (this.#finishReason !== undefined) return { kind: 'finished', parts };
    const chunks = this.#chunks === 1 ? '1 chunk' : `${this.#chunks} chunks`;
    const message = `the stream ended after ${chunks} without a finish reason`;
    return { kind: 'cut', parts, message };
  }

  #handOut(): readonly StreamPart[] {
    if (this.#parts.length === 0) return [];
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #finish(reason: string): void {
    const owed = this.#toolCalls.end();
    if (owed === undefined) return this.#refuse(malformed('a tool call of the stream had no name'), '');
    const hasCalls = this.#toolCalls.count > 0;
    const isAnswer = this.#hasText || this.#hasMedia || hasCalls || this.#mayBeEmpty;
    if (!isAnswer && reason !== 'length') {
      const message = `the stream had neither text nor a tool call (finish reason: ${reason})`;
      return this.#refuse({ ok: false, problem: 'empty', message }, '');
    }
    this.#release();
    this.#parts.push(...owed);
    if (this.#usage !== undefined) this.#parts.push({ type: 'usage', usage: this.#usage });
    // Google's calls come with a plain stop.
    this.#parts.push({ type: 'finish', reason: hasCalls && reason === 'stop' ? 'tool_calls' : reason });
  }

  #readEvents(events: readonly SseEvent[]): void {
    for (const event of events) {
      if (this.isOver) return;
      if (event.kind === 'event') this.#readEvent(event);
      if (event.kind === 'document') this.#readDocument(event.text);
    }
  }

  #refuse(refusal: RefusedAnswer, body: string): void {
    this.#refused = { refusal, body };
  }

  #readDocument(text: string): void {
    const answer = readChatResponse(text);
    if (!answer.ok) return this.#refuse(answer, text);
    this.#document = answer.completion;
    this.#usage = answer.completion.usage;
  }

  #readEvent({ event, data, unended }: Extract<SseEvent, { kind: 'event' }>): void {
    const content = data.trimStart();
    if (content === '') return;
    if (content.startsWith(DONE)) {
      this.#isDone = true;
      return;
    }
    const json = parseJson(content);
    // Cut in its middle, it is no chunk: JSON is whole only when its last brace has come.
    if (json === undefined && unended) return;
    this.#chunks += 1;
    if (event === 'error' || errorIn(json) !== undefined)
      return this.#refuse(refusedWithError(content), content);
    if (isJsonObject(json)) this.#readChunk(json, content);
    else this.#refuse(malformed(`chunk ${this.#chunks} of the stream was not a JSON object`), content);
  }

  #readChunk({ choices, usage }: JsonObject, data: string): void {
    // Some tell the sum so far with every chunk, some tell it once.
    this.#usage = readUsage(usage) ?? this.#usage;
    if (!Array.isArray(choices)) return this.#readWithoutChoices(data);
    const choice: unknown = choices.find(isFirst);
    if (choice === undefined) return;
    if (isJsonObject(choice)) this.#readChoice(choice, data);
    else this.#refuse(malformed('the stream had a choice that was no object'), data);
  }

  /** An error without its `error`, or a blocked prompt; anything else says nothing about the answer. */
  #readWithoutChoices(data: string): void {
    const answer = readChatResponse(data);
    if (!answer.ok && answer.problem !== 'malformed') this.#refuse(answer, data);
  }

  #readChoice({ delta, finish_reason: said }: JsonObject, data: string): void {
    const finish = readFinishReason(said);
    const refusal = refusedByFinish(finish, said);
    if (refusal !== undefined) return this.#refuse(refusal, data);
    // Some tell it with every chunk; the last one counts.
    this.#finishReason = finish ?? this.#finishReason;
    if (delta === undefined || delta === null) return;
    if (!isJsonObject(delta) || !this.#readDelta(delta))
      this.#refuse(malformed("the stream's content or tool calls had an unknown shape"), data);
  }

  /** Whether the delta had a shape that is known. */
  #readDelta(delta: JsonObject): boolean {
    const reasoning = reasoningOf(delta);
    if (reasoning !== '') this.#parts.push({ type: 'reasoning', text: reasoning });
    const { content, refusal, images, audio, tool_calls: toolCalls } = delta;
    const spoken = contentOf(content);
    if (spoken === undefined) return false;
    // What a model declines with is its answer.
    const text = spoken || textIn(refusal);
    if (text !== '') this.#say(text);
    else this.#hasMedia ||= elementsOf(images).length > 0 || isJsonObject(audio);
    return toolCalls === undefined || toolCalls === null || this.#call(toolCalls);
  }

  #call(toolCalls: unknown): boolean {
    const pieces = this.#toolCalls.read(toolCalls);
    if (pieces === undefined) return false;
    if (pieces.length > 0) this.#release();
    this.#parts.push(...pieces);
    return true;
  }

  #say(text: string): void {
    this.#hasText ||= text.trim() !== '';
    const whole = this.#held + text;
    this.#held = '';
    if (!this.#hasText) this.#held = whole;
    else if (endsInHalfCharacter(whole)) this.#held = whole.slice(-1);
    if (whole.length > this.#held.length)
      this.#parts.push({ type: 'text', text: whole.slice(0, whole.length - this.#held.length) });
  }

  /** Lets go of held text before what comes after it. */
  #release(): void {
    if (this.#held !== '') this.#parts.push({ type: 'text', text: this.#held });
    this.#held = '';
  }
}
