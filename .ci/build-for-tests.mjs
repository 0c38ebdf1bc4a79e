/** Vitest runs this before tests that start processes: those run the built library, because compiling it takes longer than they do. */
import { buildIfNeeded } from './build.mjs';
import { at } from './support.mjs';

export async function setup({ provide }) {
  if ((await buildIfNeeded()) !== 0) throw new Error('The library does not compile.');
  provide('library', at('dist'));
}
