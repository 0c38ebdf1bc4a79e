/** Takes keys out of texts that come from outside: the pool's own, and whatever looks like one. */

import { maskKey } from './key.ts';

/** Replaces every key in a text by its mask. */
export type Redact = (text: string) => string;

/** Shorter keys are replaced only where they stand alone, lest they eat parts of words. */
const DISTINCT_LENGTH = 8;

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}

/**
 * @param keys - The pool's keys in clear text.
 * @param patterns - Regular expressions of the providers' keys.
 */
export function redactor(keys: readonly string[], patterns: readonly string[]): Redact {
  // Longest first: a key that begins with another one must not be cut.
  const exact = keys
    .toSorted((a, b) => b.length - a.length)
    .map((key) => (key.length >= DISTINCT_LENGTH ? escaped(key) : `(?<![\\w-])${escaped(key)}(?![\\w-])`));
  const sources = [...exact, ...patterns.filter((source) => source !== '')];
  if (sources.length === 0) return (text) => text;
  const pattern = new RegExp(sources.join('|'), 'g');
  return (text) => text.replaceAll(pattern, (key) => maskKey(key));
}
