/** The pool of a command: the keys of the environment, closed when the command ends. */

import type { FreeLLM, FreeLMEvent, StrategyName } from '../index.ts';
import { attemptLine } from './attempt-line.ts';
import type { Shell } from './shell.ts';

/** The options that a pool can be given on the command line. */
export interface PoolFlags {
  readonly model?: readonly string[];
  readonly strategy?: StrategyName;
  readonly wait?: boolean;
  readonly maxWaitMs?: number;
  readonly timeoutMs?: number;
  readonly verbose?: boolean;
  /** Whether models that nobody has are served as `auto`. */
  readonly anyModel?: boolean;
}

/** Says on stderr what a person should know; with `verbose` every attempt. */
export function eventsTo(err: Shell['err'], verbose: boolean): (event: FreeLMEvent) => void {
  return (event) => {
    if (event.type === 'warning') {
      void err.write(`freelm: ${err.paint('yellow', 'warning')}: ${event.message}\n`);
    } else if (verbose && (event.type === 'success' || event.type === 'failure')) {
      void err.write(`${attemptLine(event, err.paint)}\n`);
    } else if (verbose && event.type === 'wait') {
      const at = new Date(event.until).toISOString();
      void err.write(`${err.paint('dim', `… in line; the next route is expected at ${at}`)}\n`);
    }
  };
}

/** Does a job with a pool, and closes it whatever comes. */
export async function withPool<Result>(
  { env, err }: Pick<Shell, 'env' | 'err'>,
  { model, strategy, wait, maxWaitMs, timeoutMs, verbose = false, anyModel }: PoolFlags,
  job: (llm: FreeLLM) => Promise<Result>,
): Promise<Result> {
  const { FreeLLM: Pool } = await import('../index.ts');
  const unknownModels = anyModel === true ? ('auto' as const) : undefined;
  const options = {
    model,
    strategy,
    wait: wait ?? maxWaitMs !== undefined,
    maxWaitMs,
    timeoutMs,
    unknownModels,
  };
  const llm = Pool.fromEnv({ ...options, onEvent: eventsTo(err, verbose) }, env);
  try {
    return await job(llm);
  } finally {
    await llm.close();
  }
}
