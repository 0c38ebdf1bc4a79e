/** Takes keys out of texts that come from outside: the pool's own, and whatever looks like one. */

import { maskKey } from './key.ts';

/** Replaces every key in a text by its mask. */
export type Redact = (text: string) => string;

/** A shorter key that could be a part of a word is replaced only where it stands alone. */
const DISTINCT_LENGTH = 8;

function pattern(text: string): string {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
  const isWordLike = text.length < DISTINCT_LENGTH && /^[\w-]+$/.test(text);
  return isWordLike ? `(?<![\\w-])${escaped}(?![\\w-])` : escaped;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** A key as it stands, in JSON, in JSON within JSON, in a URL and in a page. */
function spellings(key: string): readonly string[] {
  const inPage = key.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
  return [key, inJson(key), inJson(inJson(key)), encodeURIComponent(key), inPage];
}

/**
 * @param keys - The pool's keys in clear text.
 * @param patterns - Regular expressions of the providers' keys.
 */
export function redactor(keys: readonly string[], patterns: readonly string[]): Redact {
  const masks = new Map(keys.flatMap((key) => spellings(key).map((text) => [text, maskKey(key)])));
  // Longest first: a key that begins with another one must not be cut.
  const exact = [...masks.keys()].toSorted((a, b) => b.length - a.length).map(pattern);
  const sources = [...exact, ...patterns.filter((source) => source !== '')];
  if (sources.length === 0) return (text) => text;
  const anyKey = new RegExp(sources.join('|'), 'g');
  return (text) => text.replaceAll(anyKey, (key) => masks.get(key) ?? maskKey(key));
}
