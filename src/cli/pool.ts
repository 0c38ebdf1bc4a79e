import type * as library from '../index.ts';
import type { FreeLLM, FreeLLMOptions, FreeLLMEvent, StrategyName } from '../index.ts';
import { attemptLine } from './text.ts';
import type { Shell } from './shell.ts';

/** The options of a pool on the command line. */
export interface PoolFlags {
  readonly model?: readonly string[];
  readonly strategy?: StrategyName;
  readonly wait?: boolean;
  readonly maxWaitMs?: number;
  readonly timeoutMs?: number;
  /** Whether unknown models are served as `auto`. */
  readonly anyModel?: boolean;
  /** Whether every attempt is shown on stderr. */
  readonly verbose?: boolean;
}

/** The library is loaded only when a command needs it. */
export type Library = typeof library;
export type PoolOptions = Omit<FreeLLMOptions, 'providers'>;

/** Writes warnings to stderr, and with `verbose` every attempt and wait. */
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
        err.paint('dim', `… waiting; the next route is expected at ${new Date(event.until).toISOString()}`),
      );
    else if (event.type === 'discovery' && event.message !== undefined) warn(event.message);
  };
}

/**
 * Runs `job` with a pool and closes the pool afterwards.
 * @param make - Creates the pool. Default: from the keys in the environment.
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
