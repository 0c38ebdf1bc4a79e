import { elementsOf, isJsonObject, type JsonObject, parseJson } from '../../core/json.ts';
import {
  argumentsExcess,
  callsExcess,
  choicesExcess,
  messageExcess,
  MOST,
  textExcess,
} from './answer-bounds.ts';
import { AnswerMeter } from './answer-meter.ts';
import {
  type ChatCompletion,
  emptyAnswer,
  mayBeJson,
  readChatResponse,
  NUMBERED_CALLS,
  readFinishReason,
  refusedAsTooLarge,
  type RefusedAnswer,
  refusedByFinish,
  refusedWithError,
  type ToolCallIds,
} from './chat-response.ts';
import { readUsage, type TokenUsage } from './token-usage.ts';
import { errorIn } from './error-body.ts';
import { DeltaReader } from './delta-reader.ts';
import { choiceIn, isBare, isFirst, logprobsIn, messageIn } from './message.ts';
import { mayStateUsage } from './price.ts';
import { RepeatedChunk } from './repeated-chunk.ts';
import {
  EventTooLongError,
  isLinesOfJson,
  linesOf,
  type SseEvent,
  type SseLimits,
  SseSplitter,
} from './sse.ts';
import type { RefusedStream, StreamEnd } from './stream-end.ts';
import { latestUsage, partsOf, type StreamPart } from './stream-part.ts';

export interface ChunkReaderOptions extends SseLimits {
  /** Whether an empty answer is valid, as from a model that continues an answer which is already complete. */
  readonly mayBeEmpty?: boolean | undefined;
  /** Default: `call_<index>`, which suffices for one answer. */
  readonly idOf?: ToolCallIds | undefined;
}

const DONE = /^"?\[done\]/i;
/** A chunk of a body is read in slices of so many bytes, so that few of its events are held at once. */
const SLICE_BYTES = 65_536;
/** So many events or lines are read in one step. */
const STEP_LENGTH = 128;

function malformed(message: string): RefusedAnswer {
  return { ok: false, problem: 'malformed', message };
}

/** Reads one stream: bytes in, parts out. `end` reports any problem of the stream. */
// spec 14.2, 14.3, 14.7
export class ChunkReader {
  readonly #splitter: SseSplitter;
  readonly #mayBeEmpty: boolean;
  readonly #idOf: ToolCallIds;
  readonly #deltas: DeltaReader;
  readonly #repeated = new RepeatedChunk();
  readonly #meter = new AnswerMeter();
  #bytes = 0;
  #chunks = 0;
  #usage: TokenUsage | undefined;
  #finishReason: string | undefined;
  /** The whole answer that was sent instead of a stream. */
  #document: ChatCompletion | undefined;
  #refused: RefusedStream | undefined;
  #isDone = false;
  #isEnded = false;
  #end: StreamEnd | undefined;

  constructor(options: ChunkReaderOptions = {}) {
    this.#splitter = new SseSplitter(options);
    this.#mayBeEmpty = options.mayBeEmpty === true;
    this.#idOf = options.idOf ?? NUMBERED_CALLS;
    this.#deltas = new DeltaReader(this.#idOf);
  }

  /** Whether the rest of the body does not matter: the stream is complete or refused. */
  get isOver(): boolean {
    return this.#isDone || this.#refused !== undefined;
  }

  get finishReason(): string | undefined {
    return this.#finishReason;
  }

  /** The usage so far; also known for a broken stream. */
  get usage(): TokenUsage | undefined {
    return this.#usage;
  }

  /** The parts that `bytes` complete. Usage and finish follow at the end. */
  read(bytes: Uint8Array): readonly StreamPart[] {
    return [...this.reading(bytes)].flat();
  }

  /** As `read`, in short steps, each with its parts. All steps must be taken. */
  *reading(bytes: Uint8Array): Generator<readonly StreamPart[], void, undefined> {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > MOST.streamBytes) this.#refuseExcess(`more than ${MOST.streamBytes} bytes`);
    for (let start = 0; start < bytes.byteLength && !this.isOver; start += SLICE_BYTES)
      yield* this.#steps(() => this.#splitter.read(bytes.subarray(start, start + SLICE_BYTES)));
  }

  /** Reads what is left when the body has ended or broken, in short steps, each with its parts. */
  *ending(): Generator<readonly StreamPart[], void, undefined> {
    if (this.isOver || this.#isEnded) return;
    this.#isEnded = true;
    yield* this.#steps(() => this.#splitter.end());
  }

  /** Judges the stream when its body has ended or broken. Idempotent. Its parts are those that `ending` has not returned. */
  end(): StreamEnd {
    this.#end ??= this.#judge([...this.ending()].flat());
    return this.#end;
  }

  #judge(rest: readonly StreamPart[]): StreamEnd {
    if (this.#document !== undefined) return { kind: 'finished', parts: partsOf(this.#document) };
    // Some servers send [DONE] without a finish reason.
    if (this.#isDone && this.#deltas.toolCalls.isComplete) this.#finishReason ??= 'stop';
    if (this.#refused === undefined && this.#finishReason !== undefined) this.#finish(this.#finishReason);
    const parts = [...rest, ...this.#takeParts()];
    if (this.#refused !== undefined) return { kind: 'refused', parts, ...this.#refused };
    if (this.#finishReason !== undefined) return { kind: 'finished', parts };
    const chunks = this.#chunks === 1 ? '1 chunk' : `${this.#chunks} chunks`;
    const message = `the stream ended after ${chunks} without a finish reason`;
    return { kind: 'cut', parts, message };
  }

  #takeParts(): readonly StreamPart[] {
    const parts = this.#deltas.take();
    const excess = this.#meter.excessIn(parts);
    if (excess === undefined) return parts;
    this.#refuseExcess(excess.message);
    return parts.slice(0, excess.at);
  }

  #finish(reason: string): void {
    const deltas = this.#deltas;
    const lastPieces = deltas.toolCalls.end();
    if (lastPieces === undefined) return this.#refuse(malformed('a tool call of the stream had no name'), '');
    const excess = argumentsExcess(deltas.toolCalls.arguments);
    if (excess !== undefined) return this.#refuseExcess(excess);
    deltas.endText();
    if (!deltas.hasAnswer && !this.#mayBeEmpty) return this.#refuse(emptyAnswer('stream', reason), '');
    deltas.releaseText();
    for (const piece of lastPieces) deltas.add(piece);
    if (this.#usage !== undefined) deltas.add({ type: 'usage', usage: this.#usage });
    // Google finishes tool calls with `stop`.
    const hasCalls = deltas.toolCalls.count > 0;
    deltas.add({ type: 'finish', reason: hasCalls && reason === 'stop' ? 'tool_calls' : reason });
  }

  /** Parts are taken by the step: the bounds of an answer then stop the reading of what exceeds them. */
  *#steps(eventsOf: () => readonly SseEvent[]): Generator<readonly StreamPart[], void, undefined> {
    let count = 0;
    try {
      for (const event of eventsOf()) {
        if (this.isOver) break;
        if (event.kind === 'document') this.#readDocument(event.text);
        const lines = event.kind === 'event' ? this.#readEvent(event) : undefined;
        if (lines !== undefined) yield* this.#stepsOf(lines);
        count += 1;
        if (count % STEP_LENGTH === 0) yield this.#takeParts();
      }
    } catch (error) {
      if (!(error instanceof EventTooLongError)) throw error;
      this.#refuseExcess(error.message);
    }
    yield this.#takeParts();
  }

  *#stepsOf(lines: Iterable<void>): Generator<readonly StreamPart[], void, undefined> {
    let count = 0;
    for (const _ of lines) {
      count += 1;
      if (count % STEP_LENGTH === 0) yield this.#takeParts();
    }
  }

  #refuse(refusal: RefusedAnswer, body: string): void {
    this.#refused = { refusal, body };
  }

  #refuseExcess(excess: string): void {
    this.#refuse(refusedAsTooLarge('stream', excess), '');
  }

  #readDocument(text: string): void {
    const answer = readChatResponse(text, this.#idOf);
    if (!answer.ok) return this.#refuse(answer, text);
    this.#document = answer.completion;
    this.#usage = answer.completion.usage;
  }

  /** Reads an event. Returns its lines instead, to be read one by one, if each may be a chunk. */
  #readEvent({
    event,
    data,
    unended,
  }: Extract<SseEvent, { kind: 'event' }>): Generator<void, void, undefined> | undefined {
    if (event === 'error') {
      const error = data.trim();
      this.#refuse(refusedWithError(error), error);
      return undefined;
    }
    const text = this.#repeated.textIn(data);
    if (text !== undefined) {
      this.#chunks += 1;
      this.#deltas.readText(text);
      return undefined;
    }
    const content = data.trim();
    const isLines = isLinesOfJson(content) || !this.#readData(content, unended);
    return isLines ? this.#readLines(content, unended) : undefined;
  }

  /** Returns false, and reads nothing, if each line may be a chunk. */
  #readData(content: string, unended: boolean): boolean {
    if (content === '') return true;
    if (!content.startsWith('{') && DONE.test(content)) {
      this.#isDone = true;
      return true;
    }
    const isJson = mayBeJson(content);
    const excess = isJson ? textExcess(content, MOST.eventValues) : undefined;
    const json = isJson && excess === undefined ? parseJson(content) : undefined;
    if (excess !== undefined) this.#refuseExcess(excess);
    else if (json === undefined && content.includes('\n')) return false;
    else this.#readJson(json, content, unended);
    return true;
  }

  /** Reads chunks that no blank line separates. */
  *#readLines(content: string, unended: boolean): Generator<void, void, undefined> {
    const lines = linesOf(content);
    for (const [index, line] of lines.entries()) {
      if (this.isOver) return;
      this.#readData(line.replace(/^\s*data:/, '').trim(), unended && index === lines.length - 1);
      yield;
    }
  }

  #readJson(json: unknown, content: string, unended: boolean): void {
    // The body ended within the event: the stream is cut, not malformed.
    if (json === undefined && unended) return;
    if (errorIn(json) !== undefined) return this.#refuse(refusedWithError(content), content);
    if (isJsonObject(json)) {
      this.#chunks += 1;
      this.#readChunk(json, content);
      this.#repeated.learn(json, content);
    } else if (elementsOf(json).length > 0 || (json === undefined && mayBeJson(content))) {
      // Anything else is a keep-alive: null, an empty list, a bare word.
      this.#refuse(malformed(`chunk ${this.#chunks + 1} of the stream was not a JSON object`), content);
    }
  }

  #readChunk(chunk: JsonObject, data: string): void {
    const { choices } = chunk;
    if (mayStateUsage(chunk)) this.#usage = latestUsage(this.#usage, readUsage(chunk));
    if (!Array.isArray(choices)) return this.#readWithoutChoices(data);
    const excess = choicesExcess(choices);
    if (excess !== undefined) return this.#refuseExcess(excess);
    const choice = choiceIn(choices);
    if (choice === undefined || !(isFirst(choice) || choices.includes(null))) return;
    if (isJsonObject(choice)) this.#readChoice(choice, data);
    else this.#refuse(malformed('the stream had a choice that was no object'), data);
  }

  /** Refuses an error without `error`, and a blocked prompt; ignores any other event without choices. */
  #readWithoutChoices(data: string): void {
    const answer = readChatResponse(data);
    if (!answer.ok && answer.problem !== 'malformed') this.#refuse(answer, data);
  }

  #readChoice(choice: JsonObject, data: string): void {
    const { finish_reason: sent } = choice;
    const finish = readFinishReason(sent);
    const refusal = refusedByFinish(finish, sent);
    if (refusal !== undefined) return this.#refuse(refusal, data);
    // Some providers send it with every chunk; the last one counts.
    this.#finishReason = finish ?? this.#finishReason;
    const delta = messageIn(choice, 'delta') ?? undefined;
    const message = choice['message'] ?? undefined;
    const isMessage = message !== undefined && isBare(delta);
    const read = isMessage ? message : (delta ?? {});
    const excess = isJsonObject(read) ? messageExcess(read) : undefined;
    if (excess !== undefined) return this.#refuseExcess(excess);
    const isRead = isMessage ? this.#deltas.readMessage(read) : this.#deltas.read(read);
    const content = logprobsIn(choice);
    if (content !== undefined) this.#deltas.add({ type: 'logprobs', content });
    const excessCalls = callsExcess(this.#deltas.toolCalls.size);
    if (excessCalls !== undefined) this.#refuseExcess(excessCalls);
    if (!isRead) this.#refuse(malformed("the stream's content or tool calls had an unknown shape"), data);
  }
}
