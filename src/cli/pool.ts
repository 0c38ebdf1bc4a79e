/** The pool of a command, closed when the command ends. */

import type * as library from '../index.ts';
import type { FreeLLM, FreeLLMOptions, FreeLLMEvent, StrategyName } from '../index.ts';
import { attemptLine } from './text.ts';
import type { Shell } from './shell.ts';

/** The options that a pool can be given on the command line. */
export interface PoolFlags {
  readonly model?: readonly string[];
  readonly strategy?: StrategyName;
  readonly wait?: boolean;
  readonly maxWaitMs?: number;
  readonly timeoutMs?: number;
  /** Whether models that nobody has are served as `auto`. */
  readonly anyModel?: boolean;
  /** Whether it tells of every attempt. */
  readonly verbose?: boolean;
}

/** The library, once it is loaded. */
export type Library = typeof library;
export type PoolOptions = Omit<FreeLLMOptions, 'providers'>;

/** Says on stderr what a person should know. */
function listener({ err }: Shell, verbose: boolean): (event: FreeLLMEvent) => void {
  const say = (line: string): void => {
    void err.write(`${line}\n`);
  };
  const warn = (message: string): void => {
    say(`freelm: ${err.paint('yellow', 'warning')}: ${message}`);
  };
  return (event) => {
    if (event.type === 'warning') warn(event.message);
    else if (!verbose) return;
    else if (event.type === 'attempt-end') say(attemptLine(event, err.paint));
    else if (event.type === 'wait')
      say(
        err.paint('dim', `… in line; the next route is expected at ${new Date(event.until).toISOString()}`),
      );
    else if (event.type === 'discovery' && event.message !== undefined) warn(event.message);
  };
}

/**
 * Does a job with a pool, and closes it whatever comes.
 * @param make - Default: of the keys in the environment.
 */
export async function withPool<Result>(
  shell: Shell,
  flags: PoolFlags,
  job: (llm: FreeLLM) => Promise<Result>,
  make: (library: Library, options: PoolOptions) => FreeLLM = (library, options) =>
    library.FreeLLM.fromEnv(options, shell.env),
): Promise<Result> {
  const { model, strategy, maxWaitMs, wait = maxWaitMs !== undefined, timeoutMs } = flags;
  const llm = make(await import('../index.ts'), {
    model,
    strategy,
    wait,
    maxWaitMs,
    timeoutMs,
    unknownModels: flags.anyModel === true ? 'auto' : undefined,
    onEvent: listener(shell, flags.verbose ?? false),
  });
  try {
    return await job(llm);
  } finally {
    await llm.close();
  }
}
