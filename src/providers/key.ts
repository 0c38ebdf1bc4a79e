/** Keys: identified by a hash, shown masked, and redacted from every text. */

import { createHash } from 'node:crypto';
import { tidySetting } from './setting.ts';

/** One credential as the user passes it. */
export interface KeyInput {
  readonly key: string;
  /** The provider's account; keys with the same account share its quota. Default: an account for each key. */
  readonly account?: string | undefined;
  /** The account's tier. Default: the provider's `tier` option. */
  readonly tier?: string | undefined;
}

/** One key, several, or a comma-separated list. */
export type KeysInput = string | KeyInput | readonly (string | KeyInput)[];

const SHOWN_START = 6;
const SHOWN_END = 4;
/** The mask of a shorter key would reveal too much of it. */
const MASKABLE_LENGTH = 24;

/** An id that does not reveal the key. */
// spec 2.3
export function hashKey(key: string): string {
  return createHash('sha256').update(`freelm:${key}`).digest('hex').slice(0, 16);
}

/** E.g. `sk-or-…9f2c`; for a short key, a part of its hash. */
// spec 12.6
export function maskKey(key: string): string {
  if (key.length < MASKABLE_LENGTH) return `…#${hashKey(key).slice(0, 6)}`;
  return `${key.slice(0, SHOWN_START)}…${key.slice(-SHOWN_END)}`;
}

/** A key without what people copy along with it: quotes, white space, and the `Bearer` of a header. */
function tidyKey(text: string): string {
  return tidySetting(tidySetting(text).replace(/^(?:authorization:\s*)?bearer\s+/i, ''));
}

/** The keys as one list, tidied, without empty items and duplicates; the first mention of a key wins. */
// spec 15.4
export function tidyKeys(keys: KeysInput): readonly KeyInput[] {
  const list = Array.isArray(keys) ? keys : [keys];
  const tidy = new Map<string, KeyInput>();
  for (const item of list) {
    const inputs: readonly KeyInput[] =
      typeof item === 'string' ? item.split(',').map((key) => ({ key })) : [item];
    for (const input of inputs) {
      const key = tidyKey(input.key);
      if (key !== '' && !tidy.has(key)) tidy.set(key, { ...input, key });
    }
  }
  return [...tidy.values()];
}

/** Replaces every key in a text by its mask. */
export type Redact = (text: string) => string;

/** A shorter key can be a part of a word, so it is replaced only where it stands alone. */
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

/** A key in plain text, in JSON, in JSON within JSON, in a URL and in HTML. */
function spellings(key: string): readonly string[] {
  const inPage = key.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
  // Half a character cannot be written into a URL.
  const inUrl = encodeURIComponent(key.replaceAll(/\p{Cs}/gu, '\ufffd'));
  return [key, inJson(key), inJson(inJson(key)), inUrl, inPage];
}

/**
 * @param keys - The pool's keys in clear text.
 * @param patterns - Regular expressions of the providers' keys.
 */
// spec 12.6
export function redactor(keys: readonly string[], patterns: readonly string[]): Redact {
  const masks = new Map(keys.flatMap((key) => spellings(key).map((text) => [text, maskKey(key)])));
  // Longest first: another key can be the beginning of a key.
  const exact = [...masks.keys()].toSorted((a, b) => b.length - a.length).map(pattern);
  const sources = [...exact, ...patterns.filter((source) => source !== '')];
  if (sources.length === 0) return (text) => text;
  const anyKey = new RegExp(sources.join('|'), 'g');
  return (text) => text.replaceAll(anyKey, (key) => masks.get(key) ?? maskKey(key));
}
