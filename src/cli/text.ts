import { stripVTControlCharacters } from 'node:util';
import failures from '../../spec/failure-effects.json' with { type: 'json' };
import { durationText } from '../duration.ts';
import { billText } from '../money.ts';
import type { AttemptEndEvent, HealthRow } from '../index.ts';
import type { Paint } from './paint.ts';

const FAILURES: Readonly<Record<string, { readonly summary: string }>> = failures.effects;

/** Control characters except tab and line feed. They could carry commands for the terminal. */
const CONTROL = /(?![\t\n])[\p{Cc}]/gu;

/** Makes an answer safe to print on a terminal. */
export function withoutControls(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(CONTROL, '');
}

/** `1 key`, `2 keys`. */
export function countText(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Pads or truncates a text to exactly `width` columns. */
export function cell(text: string, width: number): string {
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}

/** A value as JSON with a final line feed. */
export function json(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, undefined, indent)}\n`;
}

function summaryOf(outcome: AttemptEndEvent['outcome']): string {
  return FAILURES[outcome]?.summary ?? outcome;
}

export function attemptLine(event: AttemptEndEvent, paint: Paint): string {
  const good = event.outcome === 'success';
  const mark = good ? paint('green', '✓') : paint('red', '✗');
  const route = `${cell(event.provider, 10)} ${cell(event.key, 12)} ${cell(event.model, 34)}`;
  const status = event.status === undefined ? '' : ` HTTP ${event.status}`;
  const why = good ? '' : paint('yellow', ` →${status} ${summaryOf(event.outcome)}`);
  return `${mark} ${route} ${paint('dim', `${String(event.latencyMs).padStart(4)} ms`)}${why}`;
}

/** Whether nothing is known about a key: no call of this or another process with the same state has used it. */
export function isUntried({ latencyMs, lastError, rpmUsed = 0, rpdUsed = 0, breaker }: HealthRow): boolean {
  return (
    latencyMs === undefined && lastError === undefined && rpmUsed + rpdUsed === 0 && breaker === 'closed'
  );
}

function stateOf(row: HealthRow, now: number): string {
  if (row.ready && isUntried(row)) return 'not tried';
  if (row.ready) return row.breaker === 'half-open' ? 'ready (probe)' : 'ready';
  if (row.disabled) return 'disabled';
  return row.readyAt === undefined ? 'not ready' : `ready in ${durationText(row.readyAt - now)}`;
}

function usedText(used: number | undefined, limit: number | undefined): string {
  return limit === undefined ? '–' : `${used ?? 0}/${limit}`;
}

/** A table of the keys. `now` is in epoch ms. */
export function keyTable(rows: readonly HealthRow[], now: number): readonly string[] {
  return table(
    ['provider', 'key', 'state', 'breaker', 'minute', 'day', 'why'],
    rows.map((row) => [
      row.provider,
      row.key,
      stateOf(row, now),
      row.breaker,
      usedText(row.rpmUsed, row.rpm),
      usedText(row.rpdUsed, row.rpd),
      row.reason ?? row.lastError?.kind ?? '',
    ]),
  );
}

/** The total of the prices that the keys' answers stated. */
export function billed(rows: readonly HealthRow[]): readonly string[] {
  const bills = rows.map((row) => row.billed).filter((bill) => bill !== undefined);
  if (bills.length === 0) return [];
  const amount = bills.reduce((sum, bill) => sum + bill.amount, 0);
  const calls = bills.reduce((sum, bill) => sum + bill.calls, 0);
  return [`Billed: ${billText({ amount, calls })} whose answers stated a price.`];
}

/** The width of a text on a terminal. Colours take no space. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** The lines of a table. Every row has as many cells as the heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = heading.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, column) => text + ' '.repeat((widths[column] ?? 0) - widthOf(text)))
      .join('  ')
      .trimEnd();
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}
