/** The figures of benchmarks: each is printed, and reported to the process that collects them for the table. */

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
