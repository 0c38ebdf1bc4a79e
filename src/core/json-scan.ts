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

/** The index of the quotation mark that ends the string which begins at `start`; the text's length if none does. */
function endOfString(text: string, start: number): number {
  const first = text.indexOf('"', start + 1);
  // Usual, and much faster than the loop.
  if (first === -1) return text.length;
  if (text.charCodeAt(first - 1) !== BACKSLASH) return first;
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index;
    if (code === BACKSLASH) index += 1;
  }
  return text.length;
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
export function jsonExcess(text: string, bounds: JsonBounds): keyof JsonBounds | undefined {
  // Usual, and much faster than the loop: each value takes a character, each level an opening bracket.
  if (text.length <= bounds.values && !hasMoreOpenings(text, bounds.depth)) return undefined;
  const values = jsonValues(text, bounds);
  return typeof values === 'number' ? undefined : values;
}

/** How many values a JSON text holds, or which bound it exceeds. */
export function jsonValues(text: string, { depth, values }: JsonBounds): number | keyof JsonBounds {
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
  return count;
}
