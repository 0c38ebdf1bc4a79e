/** What was delivered of an answer before it broke. */
export interface Delivered {
  readonly text: boolean;
  readonly toolCalls: boolean;
  /** The answer has to be JSON, in which a wrong continuation could be neither seen nor repaired. */
  readonly json: boolean;
}

/**
 * How a broken answer is resumed. `restart`: nothing that counts was delivered, so another route answers anew.
 * `continue`: another route continues the text. `no`: part of a tool call or of a JSON text cannot be taken back.
 */
// spec 14.5
export function continuationOf({ text, toolCalls, json }: Delivered): 'restart' | 'continue' | 'no' {
  if (toolCalls) return 'no';
  if (!text) return 'restart';
  return json ? 'no' : 'continue';
}

/** How a model is made to continue: with a prefilled assistant message, or with an instruction after it. */
export type ContinuationStyle = 'prefill' | 'instruction';

/** A message that continues a conversation. */
export type ContinuationMessage = {
  readonly role: 'assistant' | 'user';
  readonly content: string;
};

const ANCHOR_LENGTH = 48;

/** The last words of a text; begins with a whole word if it can. */
function lastWords(text: string): string {
  const end = text.slice(-ANCHOR_LENGTH);
  if (end.length === text.length) return end;
  const space = end.search(/\s\S/u);
  return space < 0 ? end : end.slice(space + 1);
}

/**
 * The messages to append to the conversation. The instruction asks the model to repeat the last words, because it cannot
 * begin with a space or within a word. {@link OverlapTrimmer} removes the repetition.
 */
export function continuationMessages(
  delivered: string,
  style: ContinuationStyle,
): readonly ContinuationMessage[] {
  const answer = { role: 'assistant', content: delivered } as const;
  if (style === 'prefill') return [answer];
  const request = `Your answer was cut off. Go on from exactly where it stopped: first say its last words again, ${JSON.stringify(lastWords(delivered))}, then what follows. Do not start again, and do not comment on this.`;
  return [answer, { role: 'user', content: request }];
}

/** How far back a repetition may begin: a model repeats its last words, not its last pages. */
const OVERLAP_SEARCHED = 240;
/** A shorter match may be coincidence, and removing it would lose text. */
const OVERLAP_CHARACTERS = 8;
const OVERLAP_WORDS = 3;
/** A match of this length is no coincidence, wherever it begins. */
const CERTAIN_CHARACTERS = 12;
/** A common beginning of this length is no coincidence: the model has begun its answer again. */
const RESTART_CHARACTERS = 24;

function wordsOf(text: string): number {
  return text.trim() === '' ? 0 : text.trim().split(/\s+/u).length;
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/**
 * Removes from a continuation what repeats the delivered text. It holds text back only while that may be a repetition,
 * and never more than was delivered. If the delivered text ends in a repetition of its own, another one is kept: it may
 * be meant.
 */
// spec 14.6
export class OverlapTrimmer {
  readonly #delivered: string;
  readonly #tail: string;
  #held = '';
  /** Whether what is held is the beginning of what was delivered. */
  #isBeginning = true;
  #open = true;
  #diverged = false;

  /** @param delivered - The whole text that the caller has received. */
  constructor(delivered: string) {
    this.#delivered = delivered;
    this.#tail = delivered.slice(-OVERLAP_SEARCHED);
  }

  /** The model began its answer again and then diverged from the delivered text. */
  get diverged(): boolean {
    return this.#diverged;
  }

  /** Returns the new text that can be delivered now. */
  feed(text: string): string {
    if (!this.#open) return this.#diverged ? '' : text;
    // Only the new text is compared: comparing all that is held each time would take the square of its length.
    this.#isBeginning &&= this.#delivered.startsWith(text, this.#held.length);
    this.#held += text;
    return this.#mayRepeat() ? '' : this.#close();
  }

  /** Returns the rest at the end of the continuation. */
  end(): string {
    return this.#open ? this.#close() : '';
  }

  #mayRepeat(): boolean {
    const held = this.#held;
    if (this.#isBeginning && held.length < this.#delivered.length + this.#lookahead) return true;
    return held.length < this.#tail.length && this.#tail.includes(held);
  }

  /** After a short text, the next character shows whether its last word is whole. */
  get #lookahead(): number {
    return this.#delivered.length < OVERLAP_CHARACTERS ? 1 : 0;
  }

  #close(): string {
    this.#open = false;
    const held = this.#held;
    this.#held = '';
    if (this.#repeatsAll(held)) return held.slice(this.#delivered.length);
    const overlap = this.#overlapOf(held);
    if (overlap > 0) return held.slice(overlap);
    this.#diverged = commonLength(held, this.#delivered) >= RESTART_CHARACTERS;
    return this.#diverged ? '' : held;
  }

  /** Whether all of the delivered text is repeated; a short text must consist of whole words. */
  #repeatsAll(held: string): boolean {
    const delivered = this.#delivered;
    if (!held.startsWith(delivered)) return false;
    if (delivered.length >= OVERLAP_CHARACTERS) return true;
    const next = held[delivered.length];
    if (next === undefined || !/[\p{L}\p{N}]/u.test(delivered)) return false;
    return !isWordPart(delivered.at(-1)) || !isWordPart(next);
  }

  /** The length of the beginning of `held` that repeats the end of the delivered text. */
  #overlapOf(held: string): number {
    for (let length = Math.min(held.length, this.#tail.length); length > 0; length -= 1) {
      const repeated = held.slice(0, length);
      if (this.#tail.endsWith(repeated) && this.#isRepetition(repeated)) return length;
    }
    return 0;
  }

  #isRepetition(repeated: string): boolean {
    const start = this.#delivered.length - repeated.length;
    if (repeated.length < CERTAIN_CHARACTERS && !this.#isUnlikely(repeated, start)) return false;
    // The delivered text ends in the same words twice: a third time may be meant.
    return !this.#delivered.endsWith(repeated, start);
  }

  /** Whether a short match is hardly a coincidence: it has some words and does not begin within one. */
  #isUnlikely(repeated: string, start: number): boolean {
    if (repeated.trim().length < OVERLAP_CHARACTERS && wordsOf(repeated) < OVERLAP_WORDS) return false;
    return !(isWordPart(this.#delivered[start]) && isWordPart(this.#delivered[start - 1]));
  }
}
