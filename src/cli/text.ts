/** Texts as people read them. */

import { stripVTControlCharacters } from 'node:util';
import failures from '../../spec/failure-effects.json' with { type: 'json' };
import { durationText } from '../duration.ts';
import type { AttemptEndEvent, HealthRow } from '../index.ts';
import type { Paint } from './paint.ts';

/** Control characters but tab and line break: in an answer they could steer the terminal that shows it. */
const STEERING = /(?![\t\n])[\p{Cc}]/gu;

/** An answer as a terminal may show it. */
export function harmless(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(STEERING, '');
}

/** `1 key`, `2 keys`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** A text in exactly `width` columns, cut where it is longer. */
export function cell(text: string, width: number): string {
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}

/** A value as JSON that ends in a line break; `indent` for people. */
export function json(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, undefined, indent)}\n`;
}

function summaryOf(outcome: AttemptEndEvent['outcome']): string {
  return outcome === 'success' || outcome === 'aborted' ? outcome : failures.effects[outcome].summary;
}

export function attemptLine(event: AttemptEndEvent, paint: Paint): string {
  const good = event.outcome === 'success';
  const mark = good ? paint('green', '✓') : paint('red', '✗');
  const route = `${cell(event.provider, 10)} ${cell(event.key, 12)} ${cell(event.model, 34)}`;
  const status = event.status === undefined ? '' : ` HTTP ${event.status}`;
  const why = good ? '' : paint('yellow', ` →${status} ${summaryOf(event.outcome)}`);
  return `${mark} ${route} ${paint('dim', `${String(event.latencyMs).padStart(4)} ms`)}${why}`;
}

function stateOf(row: HealthRow, now: number): string {
  if (row.ready) return row.breaker === 'half-open' ? 'ready (probe)' : 'ready';
  if (row.disabled) return 'disabled';
  return row.readyAt === undefined ? 'resting' : `resting for ${durationText(row.readyAt - now)}`;
}

function used(count: number | undefined, limit: number | undefined): string {
  return limit === undefined ? '–' : `${count ?? 0}/${limit}`;
}

/** A line for every key, under a heading. `now` is in epoch ms. */
export function keyTable(rows: readonly HealthRow[], now: number): readonly string[] {
  return table(
    ['provider', 'key', 'state', 'breaker', 'minute', 'day', 'why'],
    rows.map((row) => [
      row.provider,
      row.key,
      stateOf(row, now),
      row.breaker,
      used(row.rpmUsed, row.rpm),
      used(row.rpdUsed, row.rpd),
      row.reason ?? row.lastError?.kind ?? '',
    ]),
  );
}

/** How wide a text is on a terminal, colours apart. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Lines of a table; every row has as many cells as the heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = heading.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd();
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}
