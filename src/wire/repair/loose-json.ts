/**
 * Reads JSON as models write it by hand: with trailing commas, single quotes, bare keys, comments, Python's words, raw line
 * breaks in texts, and without the last brackets. It reads in one pass and guesses nothing else.
 */

import type { JsonObject } from '../../core/json.ts';

/** A longer text is not searched for calls and not repaired: models write no such call and no such value by hand. */
export const MOST_REPAIRED: number = 256 * 1024;

/** Deeper values are not read. */
const MAX_DEPTH = 200;

const SPACE = /(?:\s|\/\/[^\n]*(?:\n|$)|\/\*[^]*?\*\/)*/y;
const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy;
const WORD = /[A-Za-z_$][\w$-]*/y;

const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
]);

const CLOSING_QUOTES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['“', '”'],
]);

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['f', '\f'],
]);

/** The text is no value. */
class NoValue extends Error {}

/** What is missing at the end of a text: nothing, brackets of objects, or content: the rest of a text, a word or a list. */
export type Missing = 'nothing' | 'brackets' | 'content';

/** Reads values one after another. Its methods throw an internal error; {@link attempt} turns it into `undefined`. */
export class LooseReader {
  readonly #text: string;
  #at: number;
  #depth = 0;
  #missing: Missing = 'nothing';

  constructor(text: string, at = 0) {
    this.#text = text;
    this.#at = at;
  }

  /** The index after what was read. */
  get at(): number {
    return this.#at;
  }

  get missing(): Missing {
    return this.#missing;
  }

  get isAtEnd(): boolean {
    this.space();
    return this.#at >= this.#text.length;
  }

  /** The result of `read`, or `undefined` if there is something else. What was read before stays read. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof NoValue) return undefined;
      throw error;
    }
  }

  space(): void {
    this.#match(SPACE);
  }

  /** Reads a sign or a word if it is next. */
  takes(expected: string): boolean {
    this.space();
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  expect(expected: string): void {
    if (!this.takes(expected)) throw new NoValue();
  }

  /** A name without quotes. */
  name(): string {
    this.space();
    const name = this.#match(WORD);
    if (name === '') throw new NoValue();
    return name;
  }

  /** The next value; `undefined` if the text ends within a word. */
  value(): unknown {
    this.space();
    const first = this.#text[this.#at];
    if (first === undefined) throw new NoValue();
    const closingQuote = CLOSING_QUOTES.get(first);
    if (closingQuote !== undefined) return this.#string(closingQuote);
    if (this.takes('{')) return this.members(':', '}');
    if (this.takes('[')) return this.#list();
    const number = this.#match(NUMBER);
    if (number === '') return this.#word();
    // More digits may have been meant.
    if (this.#depth > 0 && this.#at === this.#text.length) this.#missing = 'content';
    return Number(number);
  }

  /** Members up to `closing`: those of an object, or the named arguments of a call. */
  members(separator: ':' | '=', closing: '}' | ')'): JsonObject {
    const members: [string, unknown][] = [];
    this.#items(closing, 'brackets', () => {
      const key = this.#key();
      if (this.#isCut('content')) return;
      this.expect(separator);
      if (this.#isCut('content')) return;
      const value = this.value();
      if (value !== undefined) members.push([key, value]);
    });
    return Object.fromEntries(members);
  }

  #list(): readonly unknown[] {
    const items: unknown[] = [];
    // More elements may have been meant.
    this.#items(']', 'content', () => {
      const value = this.value();
      if (value !== undefined) items.push(value);
    });
    return items;
  }

  #items(closing: string, missing: Missing, readOne: () => void): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NoValue();
    while (!this.takes(closing)) {
      if (this.#isCut(missing)) break;
      readOne();
      if (this.takes(',')) continue;
      if (this.takes(closing) || this.#isCut(missing)) break;
      throw new NoValue();
    }
    this.#depth -= 1;
  }

  /** Whether the text ends here, before a bracket is closed. */
  #isCut(missing: Missing): boolean {
    if (!this.isAtEnd) return false;
    if (this.#missing !== 'content') this.#missing = missing;
    return true;
  }

  #key(): string {
    this.space();
    const closingQuote = CLOSING_QUOTES.get(this.#text[this.#at] ?? '');
    return closingQuote === undefined ? this.name() : this.#string(closingQuote);
  }

  #word(): unknown {
    const word = this.#match(WORD);
    if (WORDS.has(word)) return WORDS.get(word);
    const isBeginning = [...WORDS.keys()].some((known) => known.startsWith(word));
    if (word === '' || !isBeginning || !this.isAtEnd) throw new NoValue();
    this.#missing = 'content';
    return undefined;
  }

  #string(closingQuote: string): string {
    const long = this.#text.startsWith('"""', this.#at) ? '"""' : closingQuote;
    this.#at += long.length;
    const pieces: string[] = [];
    let from = this.#at;
    for (; this.#at < this.#text.length; this.#at += 1) {
      if (this.#text.startsWith(long, this.#at)) {
        pieces.push(this.#text.slice(from, this.#at));
        this.#at += long.length;
        return pieces.join('');
      }
      if (this.#text[this.#at] !== '\\') continue;
      pieces.push(this.#text.slice(from, this.#at), this.#escaped());
      from = this.#at + 1;
    }
    this.#missing = 'content';
    pieces.push(this.#text.slice(from));
    return pieces.join('');
  }

  /** The character that an escape means. Ends at its last character. */
  #escaped(): string {
    this.#at += 1;
    const sign = this.#text[this.#at] ?? '';
    const code = sign === 'u' ? /^[0-9a-f]{4}/i.exec(this.#text.slice(this.#at + 1, this.#at + 5)) : null;
    if (code === null) return ESCAPES.get(sign) ?? sign;
    this.#at += code[0].length;
    return String.fromCharCode(Number.parseInt(code[0], 16));
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }
}

/** A value that was read, and what its text lacked. */
export interface LooseValue {
  readonly value: unknown;
  readonly missing: Missing;
}

/** Reads a text that is one value and nothing else; `undefined` for any other text. */
export function looseJson(text: string): LooseValue | undefined {
  const reader = new LooseReader(text);
  const read = reader.attempt(() => ({ value: reader.value() }));
  return read === undefined || !reader.isAtEnd ? undefined : { ...read, missing: reader.missing };
}
