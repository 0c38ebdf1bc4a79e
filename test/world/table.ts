/** The result tables of the benchmark. */

import type { Row } from './verdict.ts';

const CAUSES_SHOWN = 3;
const REASONS_SHOWN = 4;

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function topOf(counts: Readonly<Record<string, number>>, most: number): string[] {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, count]) => `${count} ${name}`);
}

const COLUMNS: readonly { readonly title: string; readonly cell: (row: Row) => string }[] = [
  { title: 'scenario', cell: ({ scenario }) => scenario },
  { title: 'strategy', cell: ({ strategy }) => strategy },
  { title: 'calls', cell: ({ leastServed }) => String(leastServed.calls) },
  { title: 'served/oracle', cell: ({ leastServed: day }) => `${day.served}/${day.oracle}` },
  { title: 'worst', cell: ({ leastServed }) => percent(leastServed.share) },
  { title: 'mean', cell: ({ meanShare }) => percent(meanShare) },
  {
    title: 'wasted/allowed',
    cell: ({ mostWasteful: day }) => `${day.wasted}/${Math.floor(day.wasteAllowed)}`,
  },
  { title: 'wasted/served', cell: ({ mostWasteful }) => mostWasteful.wastedPerServed.toFixed(4) },
  { title: 'p50 s', cell: ({ leastServed }) => (leastServed.p50Ms / 1000).toFixed(1) },
  { title: 'p95 s', cell: ({ leastServed }) => (leastServed.p95Ms / 1000).toFixed(1) },
  {
    title: 'refusal ms',
    cell: ({ refusalMs, slowestRefusalMs }) => `${refusalMs.toFixed(2)} (${slowestRefusalMs.toFixed(1)})`,
  },
  { title: 'verdict', cell: ({ misses }) => (misses.length === 0 ? 'holds' : misses.join(', ')) },
  { title: 'wasted by', cell: ({ mostWasteful }) => topOf(mostWasteful.wastedBy, CAUSES_SHOWN).join(', ') },
];

/** A table with one line per row. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    COLUMNS.map(({ title }) => title),
    ...rows.map((row) => COLUMNS.map(({ cell }) => cell(row))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The reasons for lost calls and wasted requests on the worst days, and the part that is due to the pool's margins. */
export function reasonsOf({ scenario, strategy, leastServed: day, mostWasteful, oracleSlack }: Row): string {
  const lines = [
    `${scenario} (${strategy}), seed ${day.seed}: ${day.oracle - day.served} of ${day.oracle} lost, ` +
      `${Math.max(0, day.oracle - day.oracleWithMargins)} of them by the safety margins; ` +
      `the oracle may be too high by ${percent(oracleSlack)}`,
    ...(day.oracleKnowing > day.oracle
      ? [
          `    ${percent(day.served / day.oracleKnowing)} of what is possible for somebody who knows the limits`,
        ]
      : []),
    ...topOf(day.lostBy, REASONS_SHOWN).map((reason) => `    lost ${reason}`),
    ...topOf(mostWasteful.wastedBy, REASONS_SHOWN * 2).map(
      (cause) => `    wasted ${cause} (seed ${mostWasteful.seed})`,
    ),
  ];
  return lines.join('\n');
}
