/** What a command runs in: where it reads and writes, its environment, and the signal that ends it. */

import { once, setMaxListeners } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { ENDING_SIGNALS, FAILED, Interruption } from './exit.ts';
import { type Paint, painter, type Surface } from './paint.ts';

/** Where text goes. */
export interface Output {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  readonly paint: Paint;
  /** Resolves when the reader has kept up. */
  readonly write: (text: string) => Promise<void>;
}

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & Surface;
  readonly out: Output;
  readonly err: Output;
  /** Aborted with an {@link Interruption}. */
  readonly signal: AbortSignal;
}

/** Writes to a stream; resolves when it takes more, or is broken: the listener for its errors says what follows. */
function output(stream: Writable & Surface, env: Shell['env']): Output {
  return {
    isTerminal: stream.isTTY === true,
    paint: painter(stream, env),
    write: async (text) => {
      if (!stream.write(text)) await once(stream, 'drain').catch(() => undefined);
    },
  };
}

/** A reader that has seen enough, such as head, is no failure; a full disk is one. */
function onWriteError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE')
    process.stderr.write(`freelm: the output cannot be written: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : FAILED);
}

/**
 * The signal for a command: aborted by the first signal to the process. The second ends the process at once, and so does
 * the first where nobody reads the output: what is written of it would be waited for.
 */
function interruptions(stdout: Writable): AbortSignal {
  const controller = new AbortController();
  // Every call under way listens, however many there are.
  setMaxListeners(0, controller.signal);
  for (const signal of ENDING_SIGNALS) {
    process.on(signal, () => {
      const reason = new Interruption(signal);
      if (controller.signal.aborted || stdout.writableNeedDrain) process.exit(reason.exitCode);
      controller.abort(reason);
    });
  }
  return controller.signal;
}

/** The shell of this process. */
export function processShell(): Shell {
  const { env, stdout, stderr } = process;
  stdout.on('error', onWriteError);
  // Whoever hears no remarks still wants to know how it ended.
  stderr.on('error', () => undefined);
  return {
    env,
    // Opened when it is read: a terminal that was opened would be waited for.
    get stdin() {
      return process.stdin;
    },
    out: output(stdout, env),
    err: output(stderr, env),
    signal: interruptions(stdout),
  };
}
