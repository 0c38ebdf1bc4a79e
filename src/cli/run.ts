/** Runs one command line and says with which code it ends. */

import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { FAILED, Interruption, USAGE, UsageError } from './exit.ts';
import { makeProgram } from './program.ts';
import type { Shell } from './shell.ts';

/** What of the library's advice is said in another way on the command line, by an error's code. */
const HINTS: Readonly<Record<string, string>> = {
  no_providers_available:
    'On the command line: --wait, and --max-wait-ms for more than 20 s. freelm doctor checks the keys.',
  deadline: 'On the command line: --timeout-ms.',
};

/** The library's own errors, told by their mark, so that the library is not loaded to say that an option is wrong. */
async function isLibraryError(error: unknown): Promise<boolean> {
  const { FreeLMError } = await import('../index.ts');
  return FreeLMError.is(error);
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
  if (!(await isLibraryError(error))) {
    const more = debug ? '' : ' Add --debug to see the whole of it.';
    await err.write(`${prefix}something unexpected went wrong: ${messageOf(error)}.${more}\n`);
    return FAILED;
  }
  const code = String(Reflect.get(Object(error), 'code'));
  const hint = HINTS[code];
  await err.write(`${prefix}${messageOf(error)}${hint === undefined ? '' : `\n${hint}`}\n`);
  return code === 'config' ? USAGE : FAILED;
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
