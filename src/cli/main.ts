#!/usr/bin/env node
/** `freelm`: the command line. */

import { parseArgs } from 'node:util';
import { FreeLMError, VERSION } from '../index.ts';
import { demo } from './demo.ts';
import { painter } from './paint.ts';

const HELP = `freelm ${VERSION}: one LLM call that is always up, over free-tier keys

Usage: freelm <command>

Commands:
  demo         shows the failover on simulated providers on this machine; needs no key

Options:
  --help       shows this
  --version    shows the version`;

/** A failed call. */
const FAILED = 1;
/** Wrong usage or configuration. */
const USAGE = 2;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
  });
  const [command, ...rest] = positionals;
  if (values.version === true) {
    say(VERSION);
    return 0;
  }
  if (values.help === true) {
    say(HELP);
    return 0;
  }
  if (command === 'demo' && rest.length === 0) {
    await demo({ paint: painter(process.stdout, process.env), write: say });
    return 0;
  }
  complain(
    command === undefined ? HELP : `freelm: there is no command "${positionals.join(' ')}".\n\n${HELP}`,
  );
  return USAGE;
}

function isUsage(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (isUsage(error)) {
    complain(`freelm: ${error.message}\n\n${HELP}`);
    process.exitCode = USAGE;
  } else if (FreeLMError.is(error)) {
    complain(`freelm: ${error.message}`);
    process.exitCode = error.code === 'config' ? USAGE : FAILED;
  } else {
    throw error;
  }
}
