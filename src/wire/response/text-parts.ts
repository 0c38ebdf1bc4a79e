import { endsInHalfCharacter } from './message.ts';
import type { StreamPart } from './stream-part.ts';
import { type Split, ThoughtSplitter } from './thoughts.ts';

/** Makes parts of the text of a stream: thoughts apart, no blank text before the first word, and no half a character. */
// spec 14.3
export class TextParts {
  readonly #thoughts = new ThoughtSplitter();
  /** Text held back: white space at the beginning, which alone is no answer, or half a character at the end. */
  #held = '';
  #hasText = false;

  /** Whether a word has come. */
  get hasText(): boolean {
    return this.#hasText;
  }

  /** Adds the parts of a piece of the text to `parts`. */
  add(text: string, parts: StreamPart[]): void {
    if (this.#thoughts.isOver) this.#addText(text, parts);
    else this.#addSplit(this.#thoughts.add(text), parts);
  }

  /** Adds what may have been the beginning of a tag, when nothing follows. */
  end(parts: StreamPart[]): void {
    this.#addSplit(this.#thoughts.end(), parts);
  }

  /** Adds text that was held back, before a later part. */
  release(parts: StreamPart[]): void {
    this.end(parts);
    if (this.#held !== '') parts.push({ type: 'text', text: this.#held });
    this.#held = '';
  }

  #addSplit({ reasoning, text }: Split, parts: StreamPart[]): void {
    if (reasoning !== '') parts.push({ type: 'reasoning', text: reasoning });
    this.#addText(text, parts);
  }

  #addText(text: string, parts: StreamPart[]): void {
    if (text === '') return;
    this.#hasText ||= text.trim() !== '';
    const whole = this.#held + text;
    this.#held = '';
    if (!this.#hasText) this.#held = whole;
    else if (endsInHalfCharacter(whole)) this.#held = whole.slice(-1);
    const sent = whole.slice(0, whole.length - this.#held.length);
    if (sent !== '') parts.push({ type: 'text', text: sent });
  }
}
