/** Bounds what a JSON text may hold, before it is parsed. */

/** How much a JSON text may hold. */
export interface JsonBounds {
  /** The most lists and objects inside one another. */
  readonly depth: number;
  /** The most members of objects and elements of lists, counted through the whole text. */
  readonly values: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Whether the quotation mark at `index` is a character of the string that it stands in. */
function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (index - first) % 2 === 1;
}

/** The index of the quotation mark that ends the string which begins at `start`; the text's length if none does. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

/** Whether a text has more than `most` opening brackets and braces, wherever they stand. */
function hasMoreOpenings(text: string, most: number): boolean {
  let count = 0;
  for (const opening of ['[', '{']) {
    for (let index = text.indexOf(opening); index !== -1; index = text.indexOf(opening, index + 1)) {
      count += 1;
      if (count > most) return true;
    }
  }
  return false;
}

/**
 * Which bound a JSON text exceeds; undefined if none. It reads each character at most twice, parses nothing, and stops at
 * the first excess, so that a text which is too costly to parse costs little. A text that is no JSON gets an answer, too.
 */
export function jsonExcess(text: string, { depth, values }: JsonBounds): keyof JsonBounds | undefined {
  // Usual, and much faster than the loop: each value takes a character, each level an opening bracket.
  if (text.length <= values && !hasMoreOpenings(text, depth)) return undefined;
  let level = 0;
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case OPENING_BRACKET:
      case OPENING_BRACE:
        level += 1;
        if (level > depth) return 'depth';
        // Its first element has no comma before it.
        count += 1;
        break;
      case CLOSING_BRACKET:
      case CLOSING_BRACE:
        level -= 1;
        break;
      case COMMA:
        count += 1;
        break;
      default:
    }
    if (count > values) return 'values';
  }
  return undefined;
}
