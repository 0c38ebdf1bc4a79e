import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import type { FreeLLMError } from '../index.ts';
import { FAILED, Interruption, USAGE, UsageError } from './exit.ts';
import { makeProgram } from './program.ts';
import type { Shell } from './shell.ts';

/** Translates the library's advice into options of the command line, by the name of the error. */
const HINTS: Readonly<Record<string, string>> = {
  ModelNotFoundError: 'freelm models lists the models that your keys can use.',
  NoProvidersAvailableError:
    'On the command line, use --wait, and --max-wait-ms for more than 20 s. freelm doctor checks the keys.',
  DeadlineError: 'On the command line, use --timeout-ms.',
};
/** The hint for errors that waiting cannot fix. */
const CHECK_KEYS_HINT = 'freelm doctor checks the keys.';

function hintFor(error: FreeLLMError): string | undefined {
  const isPermanent = 'readyAt' in error && error.readyAt === undefined;
  return isPermanent ? CHECK_KEYS_HINT : HINTS[error.name];
}

/** Loads the library only now, since a wrong option can be reported without it. */
async function libraryErrorOf(error: unknown): Promise<FreeLLMError | undefined> {
  const library = await import('../index.ts');
  return library.FreeLLMError.is(error) ? error : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Reports an error on stderr and returns the exit code. */
async function report(error: unknown, shell: Shell, debug: boolean): Promise<number> {
  const { signal, err } = shell;
  if (signal.aborted && signal.reason instanceof Interruption) return signal.reason.exitCode;
  // Commander has printed its own error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  const prefix = `${err.paint('red', 'freelm')}: `;
  if (debug) await err.write(`${inspect(error)}\n`);
  if (error instanceof UsageError) {
    await err.write(`${prefix}${error.message}\n`);
    return USAGE;
  }
  const known = await libraryErrorOf(error);
  if (known === undefined) {
    const more = debug ? '' : ' Add --debug for the full error.';
    await err.write(`${prefix}unexpected error: ${messageOf(error)}.${more}\n`);
    return FAILED;
  }
  const hint = hintFor(known);
  await err.write(`${prefix}${known.message}\n${hint === undefined ? '' : `${hint}\n`}`);
  return known.code === 'config' ? USAGE : FAILED;
}

/** Runs the command line `args` and returns the exit code. Never rejects. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  let code = 0;
  const program = makeProgram(shell, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    const debug = program.opts()['debug'] === true || (shell.env['FREELM_DEBUG'] ?? '') !== '';
    return report(error, shell, debug);
  }
}
