/** Runs the command line inside the test, with a shell of its own, or as a process. */

import path from 'node:path';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { PassThrough, Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Interruption } from '../../src/cli/exit.ts';
import { painter } from '../../src/cli/paint.ts';
import { run } from '../../src/cli/run.ts';
import type { Output, Shell } from '../../src/cli/shell.ts';
import { type ServedWorldOptions, startWorld, type World } from '../../src/testing.ts';
import { libraryFile } from '../support/library.ts';

type Environment = Readonly<Record<string, string>>;

export interface Finished {
  readonly code: unknown;
  readonly out: string;
  readonly err: string;
}

export interface Setting {
  readonly env?: Shell['env'];
  /** The piped text, or a stream. Default: nothing. */
  readonly stdin?: string | Shell['stdin'];
  readonly mayStdinStayOpen?: boolean;
  /** The current folder. Default: that of the test. */
  readonly folder?: string;
  /** Whether the outputs are terminals. */
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
  /** Receives every text written to stdout. */
  readonly onOut?: (text: string) => void;
  /** Receives every text written to stderr. */
  readonly onErr?: (text: string) => void;
  /** Emits `SIGHUP`. */
  readonly hangups?: EventEmitter;
}

function collector(setting: Setting, onText: (text: string) => void): Output {
  const { env = {}, isTerminal = false } = setting;
  return {
    isTerminal,
    paint: painter({ isTTY: isTerminal }, env),
    write: (text) => {
      onText(text);
      return Promise.resolve();
    },
  };
}

/** A terminal without input. */
export function terminal(): Shell['stdin'] {
  return Object.assign(Readable.from([]), { isTTY: true });
}

/** A pipe that is never closed. */
export function openPipe(...chunks: readonly string[]): Shell['stdin'] {
  const pipe = new PassThrough();
  for (const chunk of chunks) pipe.write(chunk);
  return pipe;
}

function stdinOf(given: string | Shell['stdin']): Shell['stdin'] {
  return typeof given === 'string' ? Readable.from(given === '' ? [] : [Buffer.from(given)]) : given;
}

/** Runs a command inside the test. */
export async function command(args: readonly string[], setting: Setting = {}): Promise<Finished> {
  let out = '';
  let err = '';
  const shell: Shell = {
    env: setting.env ?? {},
    folder: setting.folder ?? '.',
    stdin: stdinOf(setting.stdin ?? ''),
    mayStdinStayOpen: setting.mayStdinStayOpen ?? false,
    out: collector(setting, (text) => {
      out += text;
      setting.onOut?.(text);
    }),
    err: collector(setting, (text) => {
      err += text;
      setting.onErr?.(text);
    }),
    signal: setting.signal ?? new AbortController().signal,
    readEnv: () => setting.env ?? {},
    onHangup: (listener) => {
      setting.hangups?.on('SIGHUP', listener);
      return () => setting.hangups?.off('SIGHUP', listener);
    },
    listenFd: undefined,
  };
  const code = await run(args, shell);
  return { code, out, err };
}

export function interruptible(reason: Interruption): { signal: AbortSignal; interrupt: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, interrupt: () => controller.abort(reason) };
}

/** A simulated world, stopped at the end of the test. */
export async function world(options?: ServedWorldOptions): Promise<World> {
  const started = await startWorld(options);
  onTestFinished(() => started.close());
  return started;
}

const NAMES = { openrouter: 'OPENROUTER', google: 'GOOGLE', nim: 'NIM' } as const;

/** An environment for a simulated world, with a cache folder of its own. */
export function envOf(
  simulated: World,
  names: readonly (keyof typeof NAMES)[] = ['openrouter', 'google', 'nim'],
): Environment {
  const cacheDir = mkdtempSync(path.join(tmpdir(), 'freelm-cli-'));
  onTestFinished(() => rm(cacheDir, { recursive: true, force: true, maxRetries: 9 }));
  const env: Record<string, string> = { FREELM_CACHE_DIR: cacheDir };
  for (const name of names) {
    env[`FREELM_${NAMES[name]}_KEYS`] = simulated[name].keys.join(',');
    env[`FREELM_${NAMES[name]}_BASE_URL`] = simulated[name].baseUrl;
  }
  return env;
}

/** Starts the command line as a process. */
export function start(args: readonly string[], env: Environment = {}): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [libraryFile('cli/main.js'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Sends `stdin` to a process and waits until it has exited. */
export async function ended(child: ChildProcessWithoutNullStreams, stdin = ''): Promise<Finished> {
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.end(stdin);
  const closed: readonly unknown[] = await once(child, 'close');
  return { code: closed[0] ?? closed[1], out, err };
}
