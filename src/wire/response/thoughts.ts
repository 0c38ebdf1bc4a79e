/** Tells the thoughts that a model writes in tags at the beginning of its text from the text. */

import dialect from '../../../spec/dialect.json' with { type: 'json' };

interface Tag {
  readonly open: string;
  readonly close: string;
}

/** The pieces of a text. */
export interface Split {
  readonly reasoning: string;
  readonly text: string;
}

const TAGS: readonly Tag[] = dialect.thoughts.tags;

/**
 * Splits a text that comes in pieces. No piece is joined to what came long before, so that splitting takes linear time.
 *
 *   state     | what has come                     | held back
 *   ----------+-----------------------------------+------------------------------
 *   beginning | white space, or a part of a tag   | all
 *   thinking  | thoughts that have not ended      | what may be a part of the end
 *   after     | their end                         | white space, which is dropped
 *   text      | anything else                     | nothing
 */
// spec 13.3
export class ThoughtSplitter {
  #state: 'beginning' | 'thinking' | 'after' | 'text' = 'beginning';
  #blank = '';
  #held = '';
  #close = '';

  /** Whether all that comes is text. */
  get isOver(): boolean {
    return this.#state === 'text';
  }

  add(piece: string): Split {
    if (this.#state === 'text') return { reasoning: '', text: piece };
    return this.#state === 'beginning' ? this.#begin(piece) : this.#think(piece);
  }

  /** What is still held when the text has ended. */
  end(): Split {
    const held = this.#held;
    this.#held = '';
    if (this.#state !== 'beginning') return { reasoning: held, text: '' };
    this.#state = 'text';
    return { reasoning: '', text: this.#blank + held };
  }

  #begin(piece: string): Split {
    const begun = this.#held === '' ? piece.trimStart() : this.#held + piece;
    if (this.#held === '') this.#blank += piece.slice(0, piece.length - begun.length);
    const tag = TAGS.find(({ open }) => begun.startsWith(open));
    if (tag !== undefined) {
      this.#state = 'thinking';
      this.#close = tag.close;
      this.#held = '';
      return this.#think(begun.slice(tag.open.length));
    }
    this.#held = begun;
    return TAGS.some(({ open }) => open.startsWith(begun)) ? { reasoning: '', text: '' } : this.end();
  }

  #think(piece: string): Split {
    if (this.#state === 'after') return this.#resume('', piece);
    const thoughts = this.#held + piece;
    const end = thoughts.indexOf(this.#close);
    if (end !== -1) return this.#resume(thoughts.slice(0, end), thoughts.slice(end + this.#close.length));
    const tail = thoughts.lastIndexOf(this.#close.charAt(0));
    const mayEnd = tail !== -1 && this.#close.startsWith(thoughts.slice(tail));
    this.#held = mayEnd ? thoughts.slice(tail) : '';
    return { reasoning: thoughts.slice(0, thoughts.length - this.#held.length), text: '' };
  }

  #resume(reasoning: string, piece: string): Split {
    const text = piece.trimStart();
    this.#held = '';
    this.#state = text === '' ? 'after' : 'text';
    return { reasoning, text };
  }
}

/** The thoughts and the text of a whole text. */
export function splitThoughts(whole: string): Split {
  const splitter = new ThoughtSplitter();
  const first = splitter.add(whole);
  const last = splitter.end();
  return { reasoning: first.reasoning + last.reasoning, text: first.text + last.text };
}
