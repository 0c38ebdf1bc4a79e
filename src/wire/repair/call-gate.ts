/**
 * Holds back the text of a stream while it may be a tool call that the model wrote as text.
 *
 *   state     | what has come                           | held back
 *   ----------+-----------------------------------------+--------------------------------
 *   beginning | nothing, or a part of `<think>`         | all
 *   thinking  | thoughts that have not ended            | what may be a part of their end
 *   undecided | what may be nothing but calls           | all after the thoughts
 *   searching | prose without the marker of a call      | what may be a part of a marker
 *   held      | a marker, or much that may be only calls | all from there on
 *   open      | too much for a call, or a proper call   | nothing
 */

import type { DeclaredTools } from '../request/declared-tools.ts';
import { MOST_REPAIRED } from './loose-json.ts';
import { callMarkerAt, fencesIn, mayBeginCall, type WrittenCalls, writtenCalls } from './written-calls.ts';

/** What a longer text may be is decided by its beginning. */
const MAX_BEGINNING = 4096;
/** So much of the released text is kept, to tell whether a marker is quoted or begins a line. */
const KEPT = 4096;

const THOUGHTS_START = /^\s*<think(?:ing)?>/;
const THOUGHTS_END = /<\/think(?:ing)?>/g;
/** The beginning of a text that may begin with thoughts. */
const MAY_THINK = /^\s*(?:<(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)?$/;

export class CallGate {
  readonly #tools: DeclaredTools;
  #state: 'beginning' | 'thinking' | 'undecided' | 'searching' | 'held' | 'open';
  /** All pieces of the text. They are joined once: joining them with each piece would take the square of their length. */
  #pieces: string[] = [];
  #length = 0;
  /** The end of the text, which is searched: what is held, and what was released shortly before. */
  #window = '';
  /** How much of the window is released. */
  #released = 0;
  /** The fences of code before the window. */
  #fences = 0;
  /** What came after the window, once no more text changes what is held. */
  #later: string[] = [];

  constructor(tools: DeclaredTools) {
    this.#tools = tools;
    this.#state = tools.size === 0 ? 'open' : 'beginning';
  }

  /** Adds a piece of the text. Returns what is released. */
  add(piece: string): string {
    if (this.#state === 'open') return piece;
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#state === 'held') this.#later.push(piece);
    else this.#window += piece;
    if (this.#length > MOST_REPAIRED) return this.open();
    if (this.#state === 'held') return '';
    return this.#passThoughts() + this.#passAnswer();
  }

  /** Releases what is held, and all that follows. */
  open(): string {
    const held = this.#window.slice(this.#released) + this.#later.join('');
    this.#state = 'open';
    this.#pieces = [];
    this.#later = [];
    this.#window = '';
    this.#released = 0;
    return held;
  }

  /** Judges what is held when the text has ended. */
  end(): WrittenCalls {
    return this.#state === 'open' ? { kind: 'prose' } : writtenCalls(this.#pieces.join(''), this.#tools);
  }

  #passThoughts(): string {
    if (this.#state === 'beginning' && !MAY_THINK.test(this.#window))
      this.#state = THOUGHTS_START.test(this.#window) ? 'thinking' : 'undecided';
    if (this.#state !== 'thinking') return '';
    THOUGHTS_END.lastIndex = this.#released;
    const end = THOUGHTS_END.exec(this.#window);
    if (end === null) return this.#release(this.#window.length - '</thinking>'.length);
    const thoughts = this.#release(end.index + end[0].length);
    this.#forget(this.#released);
    this.#fences = 0;
    this.#state = 'undecided';
    return thoughts;
  }

  #passAnswer(): string {
    if (this.#state === 'undecided' && !mayBeginCall(this.#window, this.#tools)) this.#state = 'searching';
    if (this.#state === 'searching') {
      const { place, isCertain } = callMarkerAt(this.#window, this.#released, this.#fences);
      if (isCertain) this.#state = 'held';
      return this.#release(place);
    }
    if (this.#state !== 'thinking' && this.#window.length > MAX_BEGINNING) this.#state = 'held';
    return '';
  }

  #release(upTo: number): string {
    const end = Math.max(this.#released, upTo);
    const released = this.#window.slice(this.#released, end);
    this.#released = end;
    if (this.#released > 2 * KEPT) {
      const from = this.#released - KEPT;
      this.#forget(this.#window.lastIndexOf('\n', from) + 1 || from);
    }
    return released;
  }

  /** Cuts the beginning of the window off. */
  #forget(length: number): void {
    this.#fences += fencesIn(this.#window.slice(0, length));
    this.#window = this.#window.slice(length);
    this.#released -= length;
  }
}
