/** How the keys stand, as a table. */

import type { HealthRow } from '../index.ts';
import { table } from './table.ts';
import { duration } from './text.ts';

function stateOf(row: HealthRow, now: number): string {
  if (row.ready) return row.breaker === 'half-open' ? 'ready (probe)' : 'ready';
  if (row.disabled) return 'disabled';
  return row.readyAt === undefined ? 'resting' : `resting for ${duration(row.readyAt - now)}`;
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
