/** The figures of benchmarks: each is printed, and reported to the process that collects them for the table. */

import type * as freelm from '../../src/index.ts';

/**
 * The library as users get it, from dist/. tsx would load src/ with a call wherever a function is made, to keep the name of the
 * function, which adds a fifth to the library's own cost.
 */
export async function builtLibrary(): Promise<typeof freelm> {
  // oxlint-disable-next-line typescript/no-unsafe-return -- the bundle of this very source
  return import(new URL('../../dist/index.js', import.meta.url).href);
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** What the value counts, e.g. `× by hand`. */
  readonly unit: string;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** @param details - What only people read. */
export function report({ name, value, unit }: Figure, details = ''): void {
  console.log(`${name}: ${value.toFixed(2)} ${unit}${details === '' ? '' : ` (${details})`}`);
  process.send?.({ name, value, unit });
}
