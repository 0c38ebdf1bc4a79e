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

  add(text: string): readonly StreamPart[] {
    return this.#partsOf(this.#thoughts.add(text));
  }

  /** The parts of what may have been the beginning of a tag, when nothing follows. */
  end(): readonly StreamPart[] {
    return this.#partsOf(this.#thoughts.end());
  }

  /** Releases held text before a later part. */
  release(): readonly StreamPart[] {
    const parts = this.end();
    const held = this.#held;
    this.#held = '';
    return held === '' ? parts : [...parts, { type: 'text', text: held }];
  }

  #partsOf({ reasoning, text }: Split): readonly StreamPart[] {
    const parts: StreamPart[] = reasoning === '' ? [] : [{ type: 'reasoning', text: reasoning }];
    if (text === '') return parts;
    this.#hasText ||= text.trim() !== '';
    const whole = this.#held + text;
    this.#held = '';
    if (!this.#hasText) this.#held = whole;
    else if (endsInHalfCharacter(whole)) this.#held = whole.slice(-1);
    const sent = whole.slice(0, whole.length - this.#held.length);
    if (sent !== '') parts.push({ type: 'text', text: sent });
    return parts;
  }
}
