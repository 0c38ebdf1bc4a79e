/**
 * Simulates days and compares the pool with a scheduler that knows everything: the share of served calls, and the wasted
 * requests. Run it with `npm run bench:day`. Flags:
 *
 * --strategy quota_aware|round_robin|priority|latency   repeatable; default quota_aware, the only one with a bar
 * --scenario name                                       repeatable; default all
 * --seeds 20                                            number of days per row; the worst one counts
 * --why                                                 prints the reasons for lost calls and wasted requests
 * --json file, --svg file                               writes all figures, or a plot
 *
 * The exit code is 1 if a row misses the bar.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { StrategyName } from '../../src/index.ts';
import { plotOf } from './plot.ts';
import { type DayResult, runDay } from './run.ts';
import { SCENARIOS } from './scenarios.ts';
import { reasonsOf, tableOf } from './table.ts';
import { type Row, rowOf } from './verdict.ts';
import { runAll, type Task } from './workers.ts';

const STRATEGIES: readonly StrategyName[] = ['quota_aware', 'round_robin', 'priority', 'latency'];

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function isTask(message: unknown): message is Task {
  return typeof message === 'object' && message !== null && 'strategy' in message && 'seed' in message;
}

/** Runs one day per message. Warms up first, because the first days of a process are slow. */
async function work(): Promise<void> {
  const [warmUp] = SCENARIOS;
  if (warmUp !== undefined) await runDay({ ...warmUp, lastsMs: warmUp.lastsMs / 4 }, 'quota_aware', 1);
  process.on('message', (task: unknown) => {
    const scenario = SCENARIOS.find(({ name }) => isTask(task) && task.scenario === name);
    if (!isTask(task) || scenario === undefined) return;
    void runDay(scenario, task.strategy, task.seed).then((result) => process.send?.(result));
  });
}

function rowsOf(results: readonly DayResult[]): Row[] {
  return SCENARIOS.flatMap((scenario) =>
    STRATEGIES.flatMap((strategy) => {
      const days = results.filter((day) => day.scenario === scenario.name && day.strategy === strategy);
      return days.length === 0
        ? []
        : [
            rowOf(
              scenario,
              days.toSorted((a, b) => a.seed - b.seed),
            ),
          ];
    }),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      strategy: { type: 'string', multiple: true, default: ['quota_aware'] },
      scenario: { type: 'string', multiple: true },
      seeds: { type: 'string', default: '20' },
      why: { type: 'boolean', default: false },
      json: { type: 'string' },
      svg: { type: 'string' },
    },
  });
  const strategies = STRATEGIES.filter((name) => values.strategy.includes(name));
  const scenarios = SCENARIOS.filter(({ name }) => values.scenario?.includes(name) ?? true);
  const seeds = Number(values.seeds);
  if (strategies.length !== new Set(values.strategy).size) fail(`Strategies: ${STRATEGIES.join(', ')}.`);
  if (scenarios.length < (values.scenario?.length ?? 1))
    fail(`Scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}.`);
  if (!Number.isInteger(seeds) || seeds < 1) fail('--seeds must be a positive integer.');
  const tasks = strategies.flatMap((strategy) =>
    scenarios.flatMap(({ name }) =>
      Array.from({ length: seeds }, (_, index): Task => ({ scenario: name, strategy, seed: index + 1 })),
    ),
  );
  const results: DayResult[] = [];
  const began = performance.now();
  await runAll(fileURLToPath(import.meta.url), tasks, (result) => {
    results.push(result);
    if (process.stderr.isTTY) process.stderr.write(`\r${results.length}/${tasks.length} days `);
  });
  if (process.stderr.isTTY) process.stderr.write('\r');
  const rows = rowsOf(results);
  console.log(tableOf(rows));
  if (values.why) console.log(`\n${rows.map(reasonsOf).join('\n')}`);
  const calls = results.reduce((sum, day) => sum + day.calls, 0);
  const seconds = (performance.now() - began) / 1000;
  console.log(`\n${results.length} days, ${calls} calls, ${seconds.toFixed(0)} s`);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ rows, days: results }, undefined, 1)}\n`);
  if (values.svg !== undefined) writeFileSync(values.svg, plotOf(rows));
  const missed = rows.filter(({ strategy, misses }) => strategy === 'quota_aware' && misses.length > 0);
  if (missed.length > 0) {
    console.log(`${missed.length} of ${scenarios.length} scenarios miss the bar.`);
    process.exitCode = 1;
  }
}

await (process.argv.includes('--worker') ? work() : main());
