import { isJsonObject } from '../../core/json.ts';
import type { ToolCallIds } from './chat-response.ts';
import {
  callsIn,
  contentOf,
  extraFieldsOf,
  hasMedia,
  namedReasoningOf,
  reasoningOf,
  textIn,
} from './message.ts';
import type { StreamPart } from './stream-part.ts';
import { TextParts } from './text-parts.ts';
import { ToolCallAssembly } from './tool-calls.ts';

/** Makes parts of the deltas of one answer. */
// spec 14.3
export class DeltaReader {
  readonly toolCalls: ToolCallAssembly;
  /** Read but not yet taken. */
  #parts: StreamPart[] = [];
  readonly #text = new TextParts();
  #hasMedia = false;
  #hasNamedReasoning = false;
  /** Whether deltas have had content. */
  #hasDeltas = false;

  constructor(idOf: ToolCallIds) {
    this.toolCalls = new ToolCallAssembly(idOf);
  }

  /** Whether there was text, a call, an image or audio. */
  get hasAnswer(): boolean {
    return this.#text.hasText || this.#hasMedia || this.toolCalls.count > 0;
  }

  /** Reads a delta that has nothing but text. */
  readText(text: string): void {
    const count = this.#parts.length;
    this.#text.add(text, this.#parts);
    this.#hasDeltas ||= this.#parts.length > count;
  }

  /** Returns false for an unknown shape. */
  read(delta: unknown, isDelta = true): boolean {
    if (!isJsonObject(delta)) return false;
    const count = this.#parts.length;
    // Once it has come under its own name, other places only repeat it.
    const named = namedReasoningOf(delta);
    this.#hasNamedReasoning ||= named !== '';
    const reasoning = this.#hasNamedReasoning ? named : reasoningOf(delta);
    if (reasoning !== '') this.#parts.push({ type: 'reasoning', text: reasoning });
    const fields = extraFieldsOf(delta);
    if (fields !== undefined) this.#parts.push({ type: 'extra', fields });
    const contentText = contentOf(delta['content']);
    if (contentText === undefined) return false;
    // A refusal is the model's answer.
    const text = contentText || textIn(delta['refusal']);
    if (text !== '') this.#text.add(text, this.#parts);
    else this.#hasMedia ||= hasMedia(delta);
    const hasShape = this.#addCalls(callsIn(delta));
    this.#hasDeltas ||= isDelta && this.#parts.length > count;
    return hasShape;
  }

  /** Reads a message in place of a delta. After deltas, it is the whole answer once more. */
  readMessage(message: unknown): boolean {
    if (!this.#hasDeltas) return this.read(message, false);
    return isJsonObject(message) && this.#addCalls(callsIn(message));
  }

  /** Adds a part as it is. */
  add(part: StreamPart): void {
    this.#parts.push(part);
  }

  /** Adds what may have been the beginning of a tag, when no more text follows. */
  endText(): void {
    this.#text.end(this.#parts);
  }

  /** Adds text that was held back, before a later part. */
  releaseText(): void {
    this.#text.release(this.#parts);
  }

  /** The parts since the last time. */
  take(): readonly StreamPart[] {
    if (this.#parts.length === 0) return [];
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #addCalls(toolCalls: unknown): boolean {
    const pieces = this.toolCalls.read(toolCalls);
    if (pieces === undefined) return false;
    if (pieces.length === 0) return true;
    this.releaseText();
    for (const piece of pieces) this.#parts.push(piece);
    return true;
  }
}
