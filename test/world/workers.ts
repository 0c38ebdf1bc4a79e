/** Runs days in processes beside each other, as many as there are processors. */

import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { StrategyName } from '../../src/index.ts';
import type { DayResult } from './run.ts';

/** One day to be run. */
export interface Task {
  readonly scenario: string;
  readonly strategy: StrategyName;
  readonly seed: number;
}

/** As it comes from a worker, who is this program again. */
function isResult(message: unknown): message is DayResult {
  return typeof message === 'object' && message !== null && 'scenario' in message && 'share' in message;
}

/** Runs all tasks; the results come in no particular order. Each worker is `script` with `--worker`. */
export async function runAll(
  script: string,
  tasks: readonly Task[],
  onResult: (result: DayResult) => void,
): Promise<void> {
  const waiting = tasks.toReversed();
  const work = (worker: ChildProcess): Promise<void> =>
    new Promise((resolve, reject) => {
      const next = (): void => {
        const task = waiting.pop();
        if (task === undefined) worker.disconnect();
        else worker.send(task);
      };
      worker.on('message', (message: unknown) => {
        if (isResult(message)) onResult(message);
        next();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (code === 0) resolve();
        else reject(new Error(`a worker ended with ${code}`));
      });
      next();
    });
  const count = Math.min(availableParallelism(), tasks.length);
  await Promise.all(Array.from({ length: count }, () => work(fork(script, ['--worker']))));
}
