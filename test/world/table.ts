/** The table on the terminal. */

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
  { title: 'calls', cell: ({ hungriest }) => String(hungriest.calls) },
  { title: 'served/oracle', cell: ({ hungriest: day }) => `${day.served}/${day.oracle}` },
  { title: 'worst', cell: ({ hungriest }) => percent(hungriest.share) },
  { title: 'mean', cell: ({ meanShare }) => percent(meanShare) },
  { title: 'wasted/allowed', cell: ({ wasteful: day }) => `${day.wasted}/${Math.floor(day.wasteAllowed)}` },
  { title: 'wasted/served', cell: ({ wasteful }) => wasteful.wastedPerServed.toFixed(4) },
  { title: 'p50 s', cell: ({ hungriest }) => (hungriest.p50Ms / 1000).toFixed(1) },
  { title: 'p95 s', cell: ({ hungriest }) => (hungriest.p95Ms / 1000).toFixed(1) },
  {
    title: 'refusal ms',
    cell: ({ refusalMs, slowestRefusalMs }) => `${refusalMs.toFixed(2)} (${slowestRefusalMs.toFixed(1)})`,
  },
  { title: 'verdict', cell: ({ misses }) => (misses.length === 0 ? 'holds' : misses.join(', ')) },
  { title: 'wasted by', cell: ({ wasteful }) => topOf(wasteful.wastedBy, CAUSES_SHOWN).join(', ') },
];

/** One line for each row. */
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

/** What calls were lost to on a row's worst days, and how much of the gap the margins are that the road asks for. */
export function reasonsOf({ scenario, strategy, hungriest: day, wasteful, oracleSlack }: Row): string {
  const lines = [
    `${scenario} (${strategy}), seed ${day.seed}: ${day.oracle - day.served} of ${day.oracle} lost, ` +
      `${Math.max(0, day.oracle - day.oracleWithMargins)} of them by the margins for the road; ` +
      `the oracle may be too high by ${percent(oracleSlack)}`,
    ...topOf(day.lostBy, REASONS_SHOWN).map((reason) => `    lost ${reason}`),
    ...topOf(wasteful.wastedBy, REASONS_SHOWN * 2).map(
      (cause) => `    wasted ${cause} (seed ${wasteful.seed})`,
    ),
  ];
  return lines.join('\n');
}
