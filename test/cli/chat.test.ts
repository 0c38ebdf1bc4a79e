/** `freelm chat` writes the answer to stdout and everything else to stderr. */

import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Interruption } from '../../src/cli/exit.ts';
import type { ReplyFunction } from '../../src/testing.ts';
import { until } from '../support/server.ts';
import { command, envOf, interruptible, openPipe, type Setting, terminal, world } from './support.ts';

interface Chat {
  readonly code: unknown;
  readonly out: string;
  readonly err: string;
  /** The messages that the model received. */
  readonly asked: readonly unknown[];
}

/** Runs `freelm chat` with NIM, which answers with `reply`. */
async function chat(
  args: readonly string[],
  { reply = () => 'Yes.', ...setting }: Setting & { reply?: ReplyFunction } = {},
): Promise<Chat> {
  const asked: unknown[] = [];
  const simulated = await world({
    nim: { keys: 1 },
    reply: (request) => {
      asked.push(request.messages);
      return reply(request);
    },
  });
  const finished = await command(['chat', ...args], {
    ...setting,
    env: { ...envOf(simulated, ['nim']), ...setting.env },
  });
  return { ...finished, asked };
}

describe('the prompt', () => {
  it.each<{ what: string; args: readonly string[]; stdin?: Setting['stdin']; prompt: string }>([
    { what: 'words', args: ['Is', 'it', 'so?'], prompt: 'Is it so?' },
    { what: 'words at a terminal', args: ['Is it so?'], stdin: terminal(), prompt: 'Is it so?' },
    { what: 'piped text', args: [], stdin: 'Is it so?\n', prompt: 'Is it so?' },
    { what: 'a dash for piped text', args: ['-'], stdin: 'Is it so?\n', prompt: 'Is it so?' },
    {
      what: 'words, then piped text',
      args: ['Is this so?'],
      stdin: 'one\ntwo\n',
      prompt: 'Is this so?\n\none\ntwo',
    },
    {
      what: 'the same with a dash',
      args: ['Is this so?', '-'],
      stdin: 'one\n',
      prompt: 'Is this so?\n\none',
    },
    { what: 'a dash between words', args: ['3', '-', '2?'], prompt: '3 - 2?' },
    { what: 'words that look like options', args: ['--', '--help', 'me'], prompt: '--help me' },
    { what: 'more than ASCII', args: [], stdin: 'ça va? 日本 🙂', prompt: 'ça va? 日本 🙂' },
  ])('is $what', async ({ args, stdin = '', prompt }) => {
    const { code, out, err, asked } = await chat(args, { stdin });
    expect({ code, out, err }).toEqual({ code: 0, out: 'Yes.\n', err: '' });
    expect(asked).toEqual([[{ role: 'user', content: prompt }]]);
  });

  it.each([
    { what: 'nothing at a terminal', args: [], stdin: terminal(), says: /Write a question/ },
    { what: 'nothing piped in', args: [], stdin: '', says: /standard input was empty/ },
    { what: 'white space', args: [], stdin: ' \n', says: /standard input was empty/ },
  ])('cannot be $what', async ({ args, stdin, says }) => {
    const { code, out, err } = await command(['chat', ...args], { stdin });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(says);
  });

  it('is read until the pipe closes: a hint explains the wait, and a signal ends it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { signal, interrupt } = interruptible(new Interruption('SIGINT'));
    const finished = command(['chat', 'hi'], { stdin: openPipe(), signal });
    await until(() => vi.getTimerCount() > 0);
    vi.advanceTimersByTime(3000);
    interrupt();
    expect(await finished).toEqual({
      code: 130,
      out: '',
      err: 'freelm: waiting for standard input to end. To ask without it, add < /dev/null.\n',
    });
  });

  it('is not waited for if a program may hold it open, and words were given', async () => {
    const stdin = openPipe();
    expect(await chat(['hi'], { stdin, mayStdinStayOpen: true })).toMatchObject({
      code: 0,
      asked: [[{ role: 'user', content: 'hi' }]],
    });
    expect(stdin.destroyed).toBe(true);
  });

  it('is read if such a program writes to it', async () => {
    const stdin = new PassThrough();
    stdin.end('one');
    expect(await chat(['hi'], { stdin, mayStdinStayOpen: true })).toMatchObject({
      asked: [[{ role: 'user', content: 'hi\n\none' }]],
    });
  });

  it('has at most 20000000 characters', async () => {
    const stdin = Readable.from(Array.from({ length: 21 }, () => Buffer.alloc(1_000_000, 'a')));
    const { code, out, err } = await command(['chat'], { stdin });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/longer than 20000000 characters/);
  });

  it('follows a system message', async () => {
    const { asked } = await chat(['--system', 'Be brief.', 'Hello']);
    expect(asked[0]).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ]);
  });
});

describe('the answer', () => {
  it.each(['Yes.', 'Yes.\n'])('ends with one line feed: %j', async (text) => {
    expect(await chat(['hi'], { reply: () => text })).toMatchObject({ code: 0, out: 'Yes.\n' });
    expect(await chat(['--stream', 'hi'], { reply: () => text })).toMatchObject({ code: 0, out: 'Yes.\n' });
  });

  it('is streamed part by part', async () => {
    const pieces: string[] = [];
    const { code, out } = await chat(['--stream', 'hi'], {
      reply: () => 'one two three four',
      onOut: (text) => pieces.push(text),
    });
    expect({ code, out }).toEqual({ code: 0, out: 'one two three four\n' });
    expect(pieces.length).toBeGreaterThan(3);
  });

  const CONTROLS = 'a\u001B]0;title\u0007b\tc\r\nd\u009B2J';
  it('loses control characters on a terminal, and is unchanged in a pipe', async () => {
    expect((await chat(['hi'], { reply: () => CONTROLS, isTerminal: true, stdin: terminal() })).out).toBe(
      'a]0;titleb\tc\nd2J\n',
    );
    expect((await chat(['hi'], { reply: () => CONTROLS })).out).toContain('\u001B]0;title\u0007');
  });

  it('is the response as JSON with --json, without the raw body', async () => {
    const { code, out } = await chat(['--json', 'hi']);
    expect(code).toBe(0);
    const response: unknown = JSON.parse(out);
    expect(response).toMatchObject({
      text: 'Yes.',
      provider: 'nim',
      finishReason: 'stop',
      attempts: [{ outcome: 'success' }],
    });
    expect(response).not.toHaveProperty('raw');
  });

  it('is one line of JSON per part, then the response, with --stream --json', async () => {
    const { code, out } = await chat(['--stream', '--json', 'hi'], { reply: () => 'one two' });
    expect(code).toBe(0);
    const parts = out
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(parts[0]).toMatchObject({ type: 'text' });
    expect(parts.at(-2)).toEqual({ type: 'finish', reason: 'stop' });
    expect(parts.at(-1)).toMatchObject({ type: 'response', text: 'one two', provider: 'nim' });
  });

  it('has a note on stderr if --max-tokens cut it off', async () => {
    const { code, out, err } = await chat(['--max-tokens', '2', 'hi'], {
      reply: () => ({ text: 'one two', finishReason: 'length' }),
    });
    expect({ code, out }).toEqual({ code: 0, out: 'one two\n' });
    expect(err).toContain('--max-tokens');
  });
});

describe('the route', () => {
  it('takes a chain of models, by commas and by repetition', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const args = ['chat', '--json', '-m', 'meta/gone,z-ai/glm-5.3', '-m', 'large', 'hi'];
    const { code, out } = await command(args, { env: envOf(simulated, ['nim']) });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ model: 'z-ai/glm-5.3' });
  });

  it('is shown with --verbose, on stderr', async () => {
    const simulated = await world({
      openrouter: { keys: 1, faults: [{ kind: 'unauthorized' }] },
      nim: { keys: 1 },
    });
    const args = ['chat', '--verbose', '--strategy', 'priority', 'hi'];
    const { code, out, err } = await command(args, { env: envOf(simulated, ['openrouter', 'nim']) });
    expect(code).toBe(0);
    expect(out).toMatch(/heard: hi\n$/);
    expect(err).toMatch(/✗ openrouter .* HTTP 401 key refused/);
    expect(err).toMatch(/warning: openrouter refused the key/);
    expect(err).toMatch(/✓ nim /);
  });

  it('waits with --max-wait-ms, and the error names it', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'congested' }] } });
    const args = ['chat', '--max-wait-ms', '10', 'hi'];
    const { code, err } = await command(args, { env: envOf(simulated, ['nim']) });
    expect(code).toBe(1);
    expect(err).toContain('maxWaitMs = 10 ms');
  });
});

describe('a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends a call and prints nothing', async (name) => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'hang' }] } });
    const reason = new Interruption(name);
    const { signal, interrupt } = interruptible(reason);
    const finished = command(['chat', 'hi'], { env: envOf(simulated, ['nim']), signal });
    await until(() => simulated.calls.length === 1);
    interrupt();
    expect(await finished).toEqual({ code: reason.exitCode, out: '', err: '' });
  });

  it('in the middle of a stream keeps the text so far and ends its line', async () => {
    const simulated = await world({
      nim: { keys: 1, faults: [{ kind: 'stall', afterTokens: 2 }] },
      reply: () => 'one two three',
    });
    const { signal, interrupt } = interruptible(new Interruption('SIGINT'));
    const onOut = (text: string): void => {
      if (text.includes('two')) interrupt();
    };
    const finished = await command(['chat', '--stream', 'hi'], {
      env: envOf(simulated, ['nim']),
      signal,
      onOut,
    });
    expect(finished).toEqual({ code: 130, out: 'one two\n', err: '' });
  });
});
