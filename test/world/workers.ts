/** Runs days in parallel, with one process per CPU core. */

import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { StrategyName } from '../../src/index.ts';
import type { DayResult } from './run.ts';

export interface Task {
  readonly scenario: string;
  readonly strategy: StrategyName;
  readonly seed: number;
}

function isResult(message: unknown): message is DayResult {
  return typeof message === 'object' && message !== null && 'scenario' in message && 'share' in message;
}

/** Runs all tasks in workers (`script --worker`). Results come in any order. */
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
        else reject(new Error(`a worker exited with code ${code}`));
      });
      next();
    });
  const count = Math.min(availableParallelism(), tasks.length);
  await Promise.all(Array.from({ length: count }, () => work(fork(script, ['--worker']))));
}
