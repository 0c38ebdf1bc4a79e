/** Holds back the text of a stream while it may be a tool call that the model wrote as text. */

import type { DeclaredTools } from '../request/declared-tools.ts';
import { callMarkerAt, mayBeginCall, type WrittenCalls, writtenCalls } from './written-calls.ts';

/** A longer text is an answer. */
const MAX_HELD = 256 * 1024;

const THOUGHTS_START = /^\s*<think(?:ing)?>/;
const THOUGHTS_END = /<\/think(?:ing)?>/g;
/** The beginning of a text that may begin with thoughts. */
const MAY_THINK = /^\s*(?:<(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)?$/;

export class CallGate {
  readonly #tools: DeclaredTools;
  #text = '';
  #released = 0;
  /** Where the answer begins: after thoughts. */
  #start = 0;
  #isDecided = false;
  /** Whether a marker has come, from which on all is held until the end. */
  #isHeld = false;
  /** Whether the rest is released as it comes. */
  #isOpen: boolean;

  constructor(tools: DeclaredTools) {
    this.#tools = tools;
    this.#isOpen = tools.size === 0;
  }

  /** Adds a piece of the text. Returns what is released. */
  add(piece: string): string {
    if (this.#isOpen) return piece;
    this.#text += piece;
    if (this.#text.length > MAX_HELD) return this.open();
    return this.#release(this.#heldFrom());
  }

  /** Releases what is held, and all that follows. */
  open(): string {
    this.#isOpen = true;
    return this.#release(this.#text.length);
  }

  /** Judges what is held when the text has ended. */
  end(): WrittenCalls {
    return this.#isOpen ? { kind: 'prose' } : writtenCalls(this.#text, this.#tools);
  }

  #heldFrom(): number {
    if (!this.#isDecided) {
      if (MAY_THINK.test(this.#text)) return 0;
      const start = this.#afterThoughts();
      if (start === undefined) return Math.max(this.#released, this.#text.length - '</thinking>'.length);
      if (mayBeginCall(this.#text.slice(start), this.#tools)) return start;
      this.#isDecided = true;
    }
    // Searching all that is held with each piece would take the square of its length.
    if (this.#isHeld) return this.#released;
    const { place, isCertain } = callMarkerAt(this.#text, this.#released);
    this.#isHeld = isCertain;
    return place;
  }

  #afterThoughts(): number | undefined {
    if (this.#start !== 0 || !THOUGHTS_START.test(this.#text)) return this.#start;
    THOUGHTS_END.lastIndex = this.#released;
    const end = THOUGHTS_END.exec(this.#text);
    if (end !== null) this.#start = end.index + end[0].length;
    return end === null ? undefined : this.#start;
  }

  #release(end: number): string {
    const released = this.#text.slice(this.#released, end);
    this.#released = Math.max(this.#released, end);
    return released;
  }
}
