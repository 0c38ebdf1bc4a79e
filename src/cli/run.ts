/** Runs one command line and says with which code it ends. */

import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import type { FreeLLMError } from '../index.ts';
import { FAILED, Interruption, USAGE, UsageError } from './exit.ts';
import { makeProgram } from './program.ts';
import type { Shell } from './shell.ts';

/** What of the library's advice is said in another way on the command line, by an error's name. */
const HINTS: Readonly<Record<string, string>> = {
  ModelNotFoundError: 'freelm models lists what your keys have.',
  NoProvidersAvailableError:
    'Here that is --wait, and --max-wait-ms for more than 20 s; freelm doctor checks the keys.',
  DeadlineError: 'Here that is --timeout-ms.',
};
/** Where waiting is in vain, nothing is said of it. */
const NOT_BY_WAITING = 'freelm doctor checks the keys.';

function hintFor(error: FreeLLMError): string | undefined {
  const isInVain = 'readyAt' in error && error.readyAt === undefined;
  return isInVain ? NOT_BY_WAITING : HINTS[error.name];
}

/** The library is not loaded to say that an option is wrong. */
async function libraryErrorOf(error: unknown): Promise<FreeLLMError | undefined> {
  const library = await import('../index.ts');
  return library.FreeLLMError.is(error) ? error : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Says what went wrong, and with which code that ends. */
async function failed(error: unknown, shell: Shell, debug: boolean): Promise<number> {
  const { signal, err } = shell;
  if (signal.aborted && signal.reason instanceof Interruption) return signal.reason.exitCode;
  // The parser has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  const prefix = `${err.paint('red', 'freelm')}: `;
  if (debug) await err.write(`${inspect(error)}\n`);
  if (error instanceof UsageError) {
    await err.write(`${prefix}${error.message}\n`);
    return USAGE;
  }
  const known = await libraryErrorOf(error);
  if (known === undefined) {
    const more = debug ? '' : ' Add --debug to see the whole of it.';
    await err.write(`${prefix}something unexpected went wrong: ${messageOf(error)}.${more}\n`);
    return FAILED;
  }
  const hint = hintFor(known);
  await err.write(`${prefix}${known.message}\n${hint === undefined ? '' : `${hint}\n`}`);
  return known.code === 'config' ? USAGE : FAILED;
}

/** Runs `args`, as they follow the program's name. Never rejects. */
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
    return failed(error, shell, debug);
  }
}
