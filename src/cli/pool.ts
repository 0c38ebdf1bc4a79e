import type * as library from '../index.ts';
import type { FreeLLM, FreeLLMOptions, FreeLLMEvent, StrategyName } from '../index.ts';
import { attemptLine } from './text.ts';
import type { Paint } from './paint.ts';
import type { Shell } from './shell.ts';

/** The options of a pool on the command line. */
export interface PoolFlags {
  readonly model?: readonly string[];
  readonly strategy?: StrategyName;
  readonly wait?: boolean;
  readonly maxWaitMs?: number;
  readonly timeoutMs?: number;
  /** The context length that model lists report. */
  readonly context?: number;
  /** Whether unknown models are served as `auto`. */
  readonly anyModel?: boolean;
  /** Whether every attempt is shown on stderr. */
  readonly verbose?: boolean;
}

/** The library is loaded only when a command needs it. */
export type Library = typeof library;
export type PoolOptions = Omit<FreeLLMOptions, 'providers'>;

interface EventLog {
  info(message: string): void;
  warn(message: string): void;
}

/** Writes warnings to the log, and with `verbose` every attempt and wait. */
export function listener(paint: Paint, verbose: boolean, log: EventLog): (event: FreeLLMEvent) => void {
  return (event) => {
    if (event.type === 'warning') log.warn(event.message);
    else if (!verbose) return;
    else if (event.type === 'attempt-end') log.info(attemptLine(event, paint));
    else if (event.type === 'wait')
      log.info(
        paint('dim', `… waiting; the next route is expected at ${new Date(event.until).toISOString()}`),
      );
    else if (event.type === 'discovery' && event.message !== undefined) log.warn(event.message);
  };
}

function logTo({ err }: Shell): EventLog {
  return {
    info: (message) => void err.write(`${message}\n`),
    warn: (message) => void err.write(`freelm: ${err.paint('yellow', 'warning')}: ${message}\n`),
  };
}

/** The options that the command line sets. */
export function poolOptions({
  model,
  strategy,
  maxWaitMs,
  wait,
  timeoutMs,
  anyModel,
  context,
}: PoolFlags): PoolOptions {
  const options: PoolOptions = {
    model,
    strategy,
    wait: wait ?? (maxWaitMs === undefined ? undefined : true),
    maxWaitMs,
    timeoutMs,
    contextTokens: context,
    unknownModels: anyModel === true ? 'auto' : undefined,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
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
  const onEvent = listener(shell.err.paint, flags.verbose ?? false, logTo(shell));
  const llm = make(await import('../index.ts'), { ...poolOptions(flags), onEvent });
  try {
    return await job(llm);
  } finally {
    await llm.close();
  }
}
