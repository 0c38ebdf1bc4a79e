/**
 * Counts tokens without a tokenizer (spec 12.10). All tokenizers cut where words, numbers and signs begin, and cut rare
 * words, which are the longer ones, into more pieces. The weights are in hundredths of a token, so that every
 * implementation computes the same sum. They were fitted to two vocabularies of 100,000 and 200,000 tokens, over prose in
 * twenty languages, code, markup and data (2026-11).
 */

/** Tokens of a text. */
export interface TextCount {
  /** The expected number. */
  readonly likely: number;
  /** A lower bound for any vocabulary in use. */
  readonly least: number;
}

/** Kinds of characters. `LOWER` and later ones form words; `LETTER` is a letter beyond ASCII of a script with spaces. */
const SPACE = 0;
const BREAK = 1;
const DIGIT = 2;
const SIGN = 3;
const MARK = 4;
const LOWER = 5;
const UPPER = 6;
const LETTER = 7;
const KINDS = 8;

/** Scripts beyond ASCII: the code unit after the last one, the kind, and the weight of one code unit. */
const SCRIPTS: readonly (readonly [end: number, kind: number, weight: number])[] = [
  [0xc0, MARK, 70], // signs
  [0x250, LETTER, 60], // Latin with accents
  [0x370, LETTER, 60], // phonetic signs, combining accents
  [0x530, LETTER, 25], // Greek, Cyrillic
  [0x700, LETTER, 28], // Armenian, Hebrew, Arabic
  [0xe00, LETTER, 40], // scripts of India
  [0x1100, MARK, 55], // Thai to Georgian
  [0x1e00, MARK, 80], // Ethiopic to Mongolian
  [0x2000, LETTER, 45], // Latin with two accents
  [0x3040, MARK, 80], // signs, East Asian punctuation
  [0x3100, MARK, 70], // Kana
  [0xac00, MARK, 80], // Chinese characters
  [0xd800, LETTER, 55], // Hangul
  [0xe000, MARK, 75], // surrogates, mostly of emoji
  [0x10000, MARK, 80],
];

function asciiKind(code: number): number {
  const character = String.fromCodePoint(code);
  if (character === ' ') return SPACE;
  if (code < 0x20) return BREAK;
  if (/\d/.test(character)) return DIGIT;
  if (/[a-z]/.test(character)) return LOWER;
  return /[A-Z]/.test(character) ? UPPER : SIGN;
}

/** Indexed by code unit. */
interface Characters {
  readonly kinds: Uint8Array;
  readonly weights: Uint8Array;
}

function readCharacters(): Characters {
  const kinds = Uint8Array.from({ length: 128 }, (_, code) => asciiKind(code));
  const characters = { kinds: new Uint8Array(0x10000), weights: new Uint8Array(0x10000) };
  characters.kinds.set(kinds);
  let begin = 128;
  for (const [end, kind, weight] of SCRIPTS) {
    characters.kinds.fill(kind, begin, end);
    characters.weights.fill(weight, begin, end);
    begin = end;
  }
  return characters;
}

/** Built when the first text is counted: most programs never count one. */
let characters: Characters | undefined;

/** By kind: the weight of the first character of a run. */
const FIRST: readonly number[] = [0, 50, 100, 70, 0, 100, 100, 60];
/** A capital after a lower-case letter begins a new word, but tokenizers may know both words as one token. */
const CAMEL = 85;
/** A repeated sign, as in a line of dashes. */
const SAME_SIGN = 4;
/** Later characters of a run weigh as much as this one. */
const LONG = 32;

/** By kind: the weight of the character that makes a run `length` long. */
const NEXT: readonly ((length: number) => number)[] = [
  (length) => (length === 2 ? 70 : 1),
  (length) => (length === 2 ? 20 : 3),
  (length) => (length === 2 ? 0 : 50),
  () => 30,
  () => 0,
  (length) => (length <= 4 ? 0 : length <= 12 ? 8 : 20),
  (length) => (length === 2 ? 10 : 22),
  () => 0,
];

/** A word has at least one token, or half of one if a sign joins it; a word longer than the longest token has more. */
const WORD = 100;
const JOINED_WORD = 50;
const LONGEST_TOKEN = 24;
const LETTER_BEYOND = 5;

/** By kind: the lower bound for the same character, where a word is a run of any letters. */
const LEAST: readonly ((length: number) => number)[] = [
  () => 0,
  () => 0,
  (length) => (length >= LONG ? 33 : length % 3 === 1 ? WORD : 0),
  (length) => (length === 1 ? 0 : 20),
  () => 20,
  (length) => (length > LONGEST_TOKEN ? LETTER_BEYOND : 0),
  (length) => (length > LONGEST_TOKEN ? LETTER_BEYOND : 0),
  (length) => (length > LONGEST_TOKEN ? LETTER_BEYOND : 0),
];

/** Tabulates the rules by kind and length: lookups are several times faster. */
function tabulate(rules: readonly ((length: number) => number)[]): Uint8Array {
  return Uint8Array.from({ length: KINDS * (LONG + 1) }, (_, index) => {
    const rule = rules[Math.floor(index / (LONG + 1))];
    return rule?.(index % (LONG + 1)) ?? 0;
  });
}

const nextWeights = tabulate(NEXT);
const leastWeights = tabulate(LEAST);

/** In `neighbours`: the second character continues the run of the first. */
const CONTINUES = 255;
/** By the kinds of two neighbours: `CONTINUES`, or the weight of the second one as the first of a new run. */
const neighbours: Uint8Array = Uint8Array.from({ length: KINDS * KINDS }, (_, index) => {
  const [previous, kind] = [Math.floor(index / KINDS), index % KINDS];
  if (kind === previous || (kind === LOWER && previous >= LOWER)) return CONTINUES;
  if (kind < LOWER || previous < LOWER) return FIRST[kind] ?? 0;
  return kind === UPPER ? CAMEL : 0;
});

function at(table: Uint8Array, index: number): number {
  return table[index] ?? 0;
}

export function countText(text: string): TextCount {
  characters ??= readCharacters();
  const { kinds, weights } = characters;
  let likely = 0;
  let least = 0;
  let length = 0;
  let wordLength = 0;
  let previous: number = MARK;
  let last = -1;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const kind = at(kinds, code);
    const first = at(neighbours, previous * KINDS + kind);
    const continues = first === CONTINUES;
    length = continues ? Math.min(length + 1, LONG) : 1;
    wordLength = kind < LOWER ? 0 : Math.min(wordLength + 1, LONG);
    likely += at(weights, code);
    if (code === last && kind === SIGN) {
      likely += SAME_SIGN;
    } else {
      likely += continues ? at(nextWeights, kind * (LONG + 1) + length) : first;
      if (wordLength === 1) least += previous === SIGN ? JOINED_WORD : WORD;
      else least += at(leastWeights, kind * (LONG + 1) + Math.max(wordLength, length));
    }
    previous = kind;
    last = code;
  }
  return { likely: likely / 100, least: least / 100 };
}
