import type { Row } from './verdict.ts';
export function plotOf(rows: readonly Row[]): string {
  return String(rows.length);
}
