/** Keys to be looked for, and the search for them in everything that a program may print. */

import { inspect } from 'node:util';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key of each provider's shape, and some of shapes that nobody expects. */
export const CANARIES = {
  openrouter: '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',
  google: 'AIzaSyC4n4ryW1thM1xedC4se_and-dashes99',
  nim: 'nvapi-C4naryKEY_0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJ_end1',
  patterns: String.raw`k.y+[a]*(b)\d^$|?{2}/c=d&e<f>"g'h%i`,
  short: 'pw-7!x',
  'without letters': '!#$%&()*+-./:;<=>?@[]^_`{|}~0123456789',
} as const;

const PIECE = 12;

/** Every way in which a key, or twelve characters of it, may be written: as it is, and as JSON writes it. */
function tracesOf(key: string): readonly string[] {
  const spellings = [key, JSON.stringify(key).slice(1, -1), encodeURIComponent(key)];
  const pieces = spellings.flatMap((text) =>
    Array.from({ length: Math.max(1, text.length - PIECE + 1) }, (_, start) =>
      text.slice(start, start + PIECE),
    ),
  );
  return [...new Set(pieces)];
}

const TRACES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(CANARIES).map(([name, key]) => [name, tracesOf(key)]),
);

/** The names of the canaries that a text gives away, with what stands around them. */
export function leaksIn(text: string): readonly string[] {
  return [...TRACES].flatMap(([name, traces]) => {
    const trace = traces.find((piece) => text.includes(piece));
    if (trace === undefined) return [];
    const at = text.indexOf(trace);
    return [`${name}: ${text.slice(Math.max(0, at - 60), at + 60)}`];
  });
}

function causes(value: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let next = value; next instanceof Error && chain.length < 20; next = next.cause) chain.push(next);
  return chain;
}

/** Everything that printing a value in any way may show. */
export function printed(value: unknown): string {
  const texts = causes(value).map((error) =>
    error instanceof Error ? `${error.message}\n${error.stack}\n${String(error)}` : '',
  );
  return [
    ...texts,
    JSON.stringify(value) ?? '',
    inspect(value),
    inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: Infinity }),
  ].join('\n');
}

/** The contents of a file; empty when it was a temporary one that is already gone. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The names and contents of all files of a folder. */
export function filesOf(folder: string): string {
  return readdirSync(folder)
    .map((name) => `${name}\n${contentOf(join(folder, name))}`)
    .join('\n');
}
