import { once, setMaxListeners } from 'node:events';
import { fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { withEnvFile } from './env-file.ts';
import { INTERRUPT_SIGNALS, FAILED, Interruption } from './exit.ts';
import { type Paint, painter, type Surface } from './paint.ts';

export interface Output {
  readonly isTerminal: boolean;
  readonly paint: Paint;
  /** Resolves when the stream can take more. */
  readonly write: (text: string) => Promise<void>;
}

/** What a command needs of its process. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current folder. */
  readonly folder: string;
  readonly stdin: Readable & Surface;
  /** Whether another program may hold standard input open without ever writing to it. */
  readonly mayStdinStayOpen: boolean;
  readonly out: Output;
  readonly err: Output;
  /** Aborted with an {@link Interruption}. */
  readonly signal: AbortSignal;
  /** The environment, with `.env` as it is now. */
  readonly readEnv: () => Shell['env'];
  /** Calls `listener` at each SIGHUP, which then no longer ends the process. The returned function undoes this. */
  readonly onHangup: (listener: () => void) => () => void;
  /** A listening socket that the process was started with: systemd's socket activation. */
  readonly listenFd: number | undefined;
}

/** The first socket that systemd passes. */
const FIRST_FD = 3;

/** The socket that was passed to this very process, and not to the one that started it. */
function passedSocket({ LISTEN_FDS, LISTEN_PID }: NodeJS.ProcessEnv): number | undefined {
  return LISTEN_FDS === '1' && Number(LISTEN_PID) === process.pid ? FIRST_FD : undefined;
}

/** Errors of the stream do not reach `write`: the stream's own listener handles them. */
function output(stream: Writable & Surface, env: Shell['env']): Output {
  return {
    isTerminal: stream.isTTY === true,
    paint: painter(stream, env),
    write: async (text) => {
      if (!stream.write(text)) await once(stream, 'drain').catch(() => undefined);
    },
  };
}

/** It is no failure if a reader, such as head, closes the pipe early. A full disk is one. */
function onWriteError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE')
    process.stderr.write(`freelm: the output cannot be written: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : FAILED);
}

/**
 * Aborted by the first signal to the process. A second one ends the process at once, and so does the first if the
 * output is blocked: the process would otherwise wait for a reader.
 */
function interruptions(stdout: Writable): AbortSignal {
  const controller = new AbortController();
  // Every running call adds a listener, and there can be many.
  setMaxListeners(0, controller.signal);
  for (const signal of INTERRUPT_SIGNALS) {
    process.on(signal, () => {
      const reason = new Interruption(signal);
      if (controller.signal.aborted || stdout.writableNeedDrain) process.exit(reason.exitCode);
      controller.abort(reason);
    });
  }
  return controller.signal;
}

/** Programs such as Node's `exec` give their children a socket. A shell's pipe ends with the command before it. */
function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

/** The shell of this process. */
export function processShell(): Shell {
  const { stdout, stderr } = process;
  const env = withEnvFile(process.env);
  stdout.on('error', onWriteError);
  // A closed stderr must not change the exit code.
  stderr.on('error', () => undefined);
  return {
    env,
    folder: process.cwd(),
    // Opened only when it is read, because an open terminal keeps the process alive.
    get stdin() {
      return process.stdin;
    },
    mayStdinStayOpen: isSocket(0),
    out: output(stdout, env),
    err: output(stderr, env),
    signal: interruptions(stdout),
    readEnv: () => withEnvFile(process.env),
    onHangup(listener) {
      process.on('SIGHUP', listener);
      return () => process.off('SIGHUP', listener);
    },
    listenFd: passedSocket(process.env),
  };
}
