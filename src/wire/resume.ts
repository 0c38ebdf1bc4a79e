/** How a broken answer is gone on with: by whom it can be, and what the next model is asked. */

/** What of an answer was handed out before it broke. */
export interface HandedOut {
  readonly text: boolean;
  readonly toolCalls: boolean;
  /** The answer is to be JSON: a seam in it could not be seen, and not be mended. */
  readonly json: boolean;
}

/**
 * `restart`: nothing that counts was handed out, so that another route answers anew. `continue`: another route goes on
 * with the text. `no`: half a tool call or half a JSON text is of no use, and cannot be taken back.
 */
export function continuationOf({ text, toolCalls, json }: HandedOut): 'restart' | 'continue' | 'no' {
  if (toolCalls) return 'no';
  if (!text) return 'restart';
  return json ? 'no' : 'continue';
}

/** How a model is brought to go on: by a beginning put into its mouth, or by being asked. */
export type ContinuationStyle = 'prefill' | 'instruction';

/** A message that continues a conversation. */
export type ContinuationMessage = {
  readonly role: 'assistant' | 'user';
  readonly content: string;
};

const ANCHOR_LENGTH = 48;

/** The last words of a text, from the beginning of a word on where that is near. */
function lastWords(text: string): string {
  const end = text.slice(-ANCHOR_LENGTH);
  if (end.length === text.length) return end;
  const space = end.search(/\s\S/u);
  return space < 0 ? end : end.slice(space + 1);
}

/**
 * The messages to append to the conversation. Asked to go on, a model is told to say the last words again: it cannot
 * begin with a space or in the middle of a word, and what it repeats is trimmed at the seam.
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

/** A model repeats its last words, not its last pages. */
const OVERLAP_SEARCHED = 240;
/** A shorter match of the two ends is chance, and cutting it would cost text that was meant. */
const OVERLAP_CHARACTERS = 8;
const OVERLAP_WORDS = 3;
/** From so many characters on, a common beginning is no chance: the model has begun its answer again. */
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
 * The seam of one continuation. What comes is held back only while it may still turn out to be a repetition, and never
 * by more than was delivered. A text that says the same thing several times in a row is left as it comes: whether the
 * next time is a repetition or meant cannot be known.
 */
export class OverlapTrimmer {
  readonly #delivered: string;
  readonly #tail: string;
  #held = '';
  #open = true;
  #diverged = false;

  /** @param delivered - All the text that the caller has already. */
  constructor(delivered: string) {
    this.#delivered = delivered;
    this.#tail = delivered.slice(-OVERLAP_SEARCHED);
  }

  /** The model began again and then said something else: its answer does not fit what was delivered. */
  get diverged(): boolean {
    return this.#diverged;
  }

  /** Takes what comes; gives what is new of it and can be handed out. */
  feed(text: string): string {
    if (!this.#open) return this.#diverged ? '' : text;
    this.#held += text;
    return this.#mayRepeat() ? '' : this.#close();
  }

  /** What is left when nothing more comes. */
  end(): string {
    return this.#open ? this.#close() : '';
  }

  #mayRepeat(): boolean {
    const held = this.#held;
    if (held.length < this.#delivered.length + this.#lookahead && this.#delivered.startsWith(held))
      return true;
    return held.length < this.#tail.length && this.#tail.includes(held);
  }

  /** Of a short text, what follows tells whether its last word is whole. */
  get #lookahead(): number {
    return this.#delivered.length < OVERLAP_CHARACTERS ? 1 : 0;
  }

  #close(): string {
    this.#open = false;
    const held = this.#held;
    this.#held = '';
    if (this.#beginsAgain(held)) return held.slice(this.#delivered.length);
    const overlap = this.#overlapOf(held);
    if (overlap > 0) return held.slice(overlap);
    this.#diverged = commonLength(held, this.#delivered) >= RESTART_CHARACTERS;
    return this.#diverged ? '' : held;
  }

  /** Whether the whole of what was delivered is said again; of a short text, only whole words count. */
  #beginsAgain(held: string): boolean {
    const delivered = this.#delivered;
    if (!held.startsWith(delivered)) return false;
    if (delivered.length >= OVERLAP_CHARACTERS) return true;
    const next = held[delivered.length];
    if (next === undefined || !/[\p{L}\p{N}]/u.test(delivered)) return false;
    return !isWordPart(delivered.at(-1)) || !isWordPart(next);
  }

  /** The length of the beginning of `held` that repeats the end of what was delivered. */
  #overlapOf(held: string): number {
    for (let length = Math.min(held.length, this.#tail.length); length > 0; length -= 1) {
      const repeated = held.slice(0, length);
      if (this.#tail.endsWith(repeated) && this.#isRepetition(repeated)) return length;
    }
    return 0;
  }

  #isRepetition(repeated: string): boolean {
    if (repeated.trim().length < OVERLAP_CHARACTERS && wordsOf(repeated) < OVERLAP_WORDS) return false;
    const start = this.#delivered.length - repeated.length;
    // Nobody repeats from the middle of a word on.
    if (isWordPart(this.#delivered[start]) && isWordPart(this.#delivered[start - 1])) return false;
    // Said twice in a row already: it is the text's own way.
    return !this.#delivered.slice(0, start).endsWith(repeated);
  }
}
