/** The attacked library in a process of its own, so that its memory and its event loop are measured alone. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { type ClientCall, inProcess, type Subject } from './subject.ts';
import { type Figures, Watch } from '../support/watch.ts';

const HOW = z.enum(['chat', 'stream', 'parts', 'models', 'check']);
const call = z.object({
  how: HOW,
  input: z.string(),
  options: z.string(),
  reads: z.number(),
  abortsAfterMs: z.optional(z.number()),
});
const question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('open'), upstream: z.string() }),
  z.object({ ask: z.literal('close') }),
  z.object({ ask: z.literal('call'), upstream: z.string(), calls: z.array(call) }),
  z.object({ ask: z.literal('figures') }),
]);
type Question = z.infer<typeof question>;

const reply = z.union([z.object({ value: z.unknown() }), z.object({ error: z.string() })]);
const faultList = z.array(z.string());
const figures: z.ZodMiniType<Figures> = z.object({
  blockedMs: z.number(),
  rssMb: z.number(),
  strays: faultList,
});

/** Sends one question at a time to the process. */
class InChild implements Subject {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then((exit: readonly unknown[]) => {
      throw new Error(`the process ended: ${String(exit[0] ?? exit[1])}`);
    });
    this.#ended.catch(() => undefined);
  }

  async #ask(asked: Question): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(asked);
    const messages: readonly unknown[] = await Promise.race([answer, this.#ended]);
    const read = reply.parse(messages[0]);
    if ('error' in read) throw new Error(read.error);
    return read.value;
  }

  async open(upstream: string): Promise<number> {
    return z.number().parse(await this.#ask({ ask: 'open', upstream }));
  }

  async close(): Promise<readonly string[]> {
    return faultList.parse(await this.#ask({ ask: 'close' }));
  }

  async call(upstream: string, calls: readonly ClientCall[]): Promise<readonly string[]> {
    return faultList.parse(await this.#ask({ ask: 'call', upstream, calls: [...calls] }));
  }

  async figures(): Promise<Figures> {
    return figures.parse(await this.#ask({ ask: 'figures' }));
  }
}

export interface SubjectProcess {
  readonly subject: Subject;
  /** Ends the process, and returns what it has written to stdout and stderr. */
  end(): Promise<string>;
}

export function startSubject(): SubjectProcess {
  const child = fork(fileURLToPath(import.meta.url), ['subject'], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the output of the process is not piped');
  const written = Promise.all([text(stdout), text(stderr)]);
  return {
    subject: new InChild(child),
    async end() {
      child.kill();
      return (await written).join('\n');
    },
  };
}

function answerTo(subject: Subject, asked: Question): Promise<unknown> {
  switch (asked.ask) {
    case 'open':
      return subject.open(asked.upstream);
    case 'close':
      return subject.close();
    case 'call':
      return subject.call(asked.upstream, asked.calls);
    case 'figures':
      return subject.figures();
  }
}

function beSubject(): void {
  const subject = inProcess(new Watch());
  process.on('message', (message) => {
    answerTo(subject, question.parse(message)).then(
      (value) => process.send?.({ value }),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

if (process.argv[2] === 'subject') beSubject();
