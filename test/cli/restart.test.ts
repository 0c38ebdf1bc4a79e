/** `freelm serve` as a process: it reloads and restarts under load, and no answer is lost. */

import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../client/support.ts';
import { libraryFile } from '../support/library.ts';
import { bodyOf, completion, json, serve } from '../support/server.ts';

const MAIN = libraryFile('cli/main.js');
const WORKERS = 6;
/** The last line that a server prints when it is ready. */
const READY = /OPENAI_API_KEY/;

interface Output {
  /** Resolves with the whole output when it matches. */
  readonly says: (pattern: RegExp) => Promise<string>;
}

/** The output of a process. It waits for events, because a loop would take the processor from the process. */
function outputOf(child: ChildProcess): Output {
  let text = '';
  const emitter = new EventEmitter();
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      emitter.emit('more');
    });
  return {
    async says(pattern) {
      while (!pattern.test(text)) await once(emitter, 'more');
      return text;
    },
  };
}

interface Setup {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Changes the configuration. */
  readonly change: (rpm: number) => void;
}

/** A provider, and a configuration file that leads to it. */
async function setup(): Promise<Setup> {
  const folder = temporaryFolder();
  const file = path.join(folder, 'freelm.json');
  const upstream = await serve((request, response) => {
    const answer = completion(String(bodyOf(request)['user']));
    void setTimeout(10).then(() => json(response, answer));
  });
  const change = (rpm: number): void => {
    const mine = { baseUrl: `${upstream.url}/v1`, models: ['m'], rpm };
    writeFileSync(file, JSON.stringify({ providers: { mine }, serve: { log: 'text' } }));
  };
  change(100_000);
  const env = { PATH: process.env['PATH'] ?? '', FREELM_CACHE_DIR: folder, FREELM_PERSIST: '0' };
  return { file, env, change };
}

async function ask(url: string, user: string): Promise<string> {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], user });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
  const answer = await response.text();
  return /"content":"([^"]*)"/.exec(answer)?.[1] ?? answer;
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

interface Load {
  /** Resolves when so many more answers have come. */
  readonly more: (count: number) => Promise<void>;
  /** Stops it, and resolves with all that failed. */
  readonly stop: () => Promise<readonly unknown[]>;
}

/**
 * Sends calls in a loop until it is stopped. Each must get its own answer.
 * @param whenRefused - What a client does if nothing listens. It tries again then.
 */
function load(url: string, whenRefused?: () => Promise<unknown>): Load {
  const answered = new EventEmitter();
  const failures: unknown[] = [];
  const stopping = new AbortController();
  const work = async (worker: number): Promise<void> => {
    for (let call = 0; !stopping.signal.aborted; call += 1) {
      const user = `${worker}-${call}`;
      try {
        const answer = await ask(url, user);
        if (answer !== user) failures.push(answer);
        answered.emit('answer');
      } catch (error) {
        if (whenRefused !== undefined && isRefused(error)) await whenRefused();
        else failures.push(error);
      }
    }
  };
  const done = Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
  return {
    async more(count) {
      for (let seen = 0; seen < count && failures.length === 0; seen += 1) await once(answered, 'answer');
    },
    async stop() {
      stopping.abort();
      await done;
      return failures;
    },
  };
}

function kill(child: ChildProcess): void {
  child.kill('SIGKILL');
}

describe.skipIf(process.platform === 'win32')('under load', () => {
  it('reloads at SIGHUP, and restarts on its port: no answer is lost, and connections are refused meanwhile', async () => {
    const { file, env, change } = await setup();
    const start = (port: number): { child: ChildProcess; output: Output } => {
      const args = [MAIN, 'serve', '--config', file, '--port', String(port)];
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      onTestFinished(() => kill(child));
      return { child, output: outputOf(child) };
    };
    const first = start(0);
    const [, port] = /127\.0\.0\.1:(\d+)[^]*API_KEY/.exec(await first.output.says(READY)) ?? [];
    // OpenAI's clients do the same.
    const { more, stop } = load(`http://127.0.0.1:${port}`, () => setTimeout(20));
    for (let reload = 1; reload <= 3; reload += 1) {
      await more(20);
      change(100_000 + reload);
      first.child.kill('SIGHUP');
      await first.output.says(new RegExp(`(?:as it is now[^]*){${reload}}`));
    }
    await more(20);
    first.child.kill('SIGTERM');
    const [code] = (await once(first.child, 'exit')) as readonly unknown[];
    const second = start(Number(port));
    await second.output.says(READY);
    await more(20);
    expect(await stop()).toEqual([]);
    expect(code).toBe(0);
  });

  it('restarts behind a socket that outlives it: no answer is lost, and no connection is refused', async () => {
    const { file, env } = await setup();
    const socket = createServer();
    socket.listen(0, '127.0.0.1');
    await once(socket, 'listening');
    const address = socket.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const handle: unknown = Reflect.get(socket, '_handle');
    const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
    if (typeof fd !== 'number') throw new Error('the socket has no descriptor');
    // What systemd does: it holds the socket, and passes it as descriptor 3 to one process after the other.
    const serveOnce = `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "${MAIN}" serve --config "${file}"`;
    const script = `while read -r line; do sh -c '${serveOnce}' "$0" & echo "pid $!"; wait; done`;
    const holder = spawn('sh', ['-c', script, process.execPath], {
      env,
      stdio: ['pipe', 'pipe', 'pipe', fd],
    });
    const output = outputOf(holder);
    let pid = 0;
    onTestFinished(() => {
      kill(holder);
      if (pid !== 0) process.kill(pid, 'SIGKILL');
    });
    await once(holder, 'spawn');
    socket.close();
    const startNext = async (number: number): Promise<void> => {
      holder.stdin?.write('next\n');
      const text = await output.says(new RegExp(`(?:pid \\d+[^]*API_KEY[^]*){${number}}`));
      pid = Number([...text.matchAll(/^pid (\d+)$/gm)].at(-1)?.[1]);
    };
    await startNext(1);
    const { more, stop } = load(`http://127.0.0.1:${port}`);
    await more(20);
    process.kill(pid, 'SIGTERM');
    await startNext(2);
    await more(20);
    expect(await stop()).toEqual([]);
  });
});
