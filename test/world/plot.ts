/** Plots the share of lost calls and of wasted requests for each strategy, on the worst day of each scenario. */

import type { StrategyName } from '../../src/index.ts';
import type { Row } from './verdict.ts';

const ROW = 22;
const TOP = 66;
const LABELS = 176;
const PANEL = 300;
const GAP = 40;
const WIDTH = LABELS + 2 * PANEL + GAP + 24;
/** The bounds of the logarithmic scale. Values outside are drawn at the bounds. */
const LEAST = 0.0005;
const MOST = 1;
/** The bars. */
const MOST_LOST = 0.01;
const MOST_WASTED = 0.005;

/** The mark of a strategy. Strategies differ in shape and in colour. */
interface Mark {
  readonly name: StrategyName;
  readonly draw: (x: number, y: number) => string;
}

function polygon(name: StrategyName, points: readonly (readonly [number, number])[]): string {
  return `<polygon class="${name}" points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`;
}

/** In drawing order: the last mark is on top. */
const MARKS: readonly Mark[] = [
  {
    name: 'latency',
    draw: (x, y) =>
      polygon('latency', [
        [x - 5, y],
        [x, y - 5],
        [x + 5, y],
        [x, y + 5],
      ]),
  },
  {
    name: 'priority',
    draw: (x, y) =>
      polygon('priority', [
        [x - 5, y + 4],
        [x, y - 5],
        [x + 5, y + 4],
      ]),
  },
  {
    name: 'round_robin',
    draw: (x, y) => `<rect class="round_robin" x="${(x - 4).toFixed(1)}" y="${y - 4}" width="8" height="8"/>`,
  },
  {
    name: 'quota_aware',
    draw: (x, y) => `<circle class="quota_aware" cx="${x.toFixed(1)}" cy="${y}" r="5"/>`,
  },
];

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2430; }
  .title { font-weight: 600; font-size: 13px; }
  .quiet { fill: #667085; }
  line { stroke: #d5dae2; }
  .bar { stroke: #98a2b3; stroke-dasharray: 3 3; }
  circle, rect, polygon { stroke-width: 1.6; fill: none; }
  .quota_aware { fill: #0f766e; stroke: #0f766e; }
  .round_robin { stroke: #b45309; }
  .priority { stroke: #6d28d9; }
  .latency { stroke: #475467; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ef; }
    .quiet { fill: #98a2b3; }
    line { stroke: #39414f; }
    .bar { stroke: #98a2b3; }
    .quota_aware { fill: #2dd4bf; stroke: #2dd4bf; }
    .round_robin { stroke: #f59e0b; }
    .priority { stroke: #a78bfa; }
    .latency { stroke: #98a2b3; }
  }`;

const LOST_AT = LABELS;
const WASTED_AT = LABELS + PANEL + GAP;

function xOf(share: number, from: number): number {
  const value = Math.min(MOST, Math.max(LEAST, share));
  return from + (Math.log(value / LEAST) / Math.log(MOST / LEAST)) * PANEL;
}

function line(x: number, bottom: number, className: string): string {
  return `<line class="${className}" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP - 10}" y2="${bottom}"/>`;
}

function label(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${text}</text>`;
}

const TICKS = [0.001, 0.01, 0.1, 1];

function scale(from: number, bar: number, bottom: number): string[] {
  return [
    ...TICKS.flatMap((tick) => [
      line(xOf(tick, from), bottom, 'tick'),
      label(xOf(tick, from), TOP - 14, `${tick * 100} %`, 'class="quiet" text-anchor="middle"'),
    ]),
    label(from, TOP - 14, '0', 'class="quiet" text-anchor="middle"'),
    line(xOf(bar, from), bottom, 'bar'),
  ];
}

function legend(strategies: readonly StrategyName[]): string[] {
  return MARKS.toReversed()
    .filter(({ name }) => strategies.includes(name))
    .flatMap(({ name, draw }, index) => [
      draw(LOST_AT + 6 + index * 110, 12),
      label(LOST_AT + 16 + index * 110, 16, name),
    ]);
}

/** An SVG with one row of marks per scenario, for light and dark backgrounds. */
export function plotOf(rows: readonly Row[]): string {
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))];
  const strategies = [...new Set(rows.map(({ strategy }) => strategy))];
  const height = TOP + scenarios.length * ROW + 8;
  const marks = scenarios.flatMap((scenario, index) => {
    const y = TOP + index * ROW + ROW / 2;
    const own = rows.filter((row) => row.scenario === scenario);
    return [
      label(LABELS - 14, y + 4, scenario, 'text-anchor="end"'),
      ...MARKS.flatMap(({ name, draw }) =>
        own
          .filter(({ strategy }) => strategy === name)
          .flatMap(({ leastServed, mostWasteful }) => [
            draw(xOf(1 - leastServed.share, LOST_AT), y),
            draw(xOf(mostWasteful.wastedPerServed, WASTED_AT), y),
          ]),
      ),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>Lost calls and wasted requests on the worst day of each scenario</title>`,
    `<style>${STYLE}\n</style>`,
    ...legend(strategies),
    label(LOST_AT, 36, 'lost calls, as a share of the oracle’s', 'class="title"'),
    label(WASTED_AT, 36, 'wasted requests per served call', 'class="title"'),
    ...scale(LOST_AT, MOST_LOST, height - 8),
    ...scale(WASTED_AT, MOST_WASTED, height - 8),
    ...marks,
    '</svg>',
    '',
  ].join('\n');
}
