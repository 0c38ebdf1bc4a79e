/** The command line as a person and a pipe meet it: a process of its own. Few, since each takes its time to start. */

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/index.ts';
import { until } from '../support/server.ts';
import { ended, envOf, start, world } from './support.ts';

const ESCAPE = '\u001B';

describe('freelm', () => {
  it('says its version without loading more than it needs', async () => {
    const child = start(['--version'], { NODE_DEBUG: 'esm' });
    const { code, out, err } = await ended(child);
    expect({ code, out }).toEqual({ code: 0, out: `${VERSION}\n` });
    expect(err).not.toMatch(/undici|zod|src\/client/);
  });

  it('reads a pipe, and answers plainly', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const { code, out, err } = await ended(
      start(['chat', '-m', 'z-ai/glm-5.3'], envOf(simulated, ['nim'])),
      'hi\n',
    );
    expect({ code, out, err }).toEqual({ code: 0, out: 'z-ai/glm-5.3 heard: hi\n', err: '' });
  });

  it('ends with 1 when a call fails', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'unauthorized' }] } });
    const { code, out, err } = await ended(start(['chat', 'hi'], envOf(simulated, ['nim'])));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^freelm: .*\n/);
  });

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)(
    'ends with $code and without a word at $signal, though its input is open',
    async ({ signal, code }) => {
      const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'stall', afterTokens: 1 }] } });
      const child = start(['chat', '--stream', '-m', 'z-ai/glm-5.3', 'hi'], envOf(simulated, ['nim']));
      child.stdin.end();
      let out = '';
      let err = '';
      child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
      child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
      await until(() => out !== '');
      child.kill(signal);
      const [status]: readonly unknown[] = await once(child, 'close');
      expect({ status, out, err }).toEqual({ status: code, out: 'z-ai/glm-5.3\n', err: '' });
    },
  );

  it('waits for its input, and ends at a signal meanwhile', async () => {
    const child = start(['chat', '-'], { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123' });
    child.stdin.write('Hello');
    let err = '';
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    await until(() => err.includes('waiting for standard input to end'));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
  });
});

describe('freelm demo', () => {
  it.each([
    { env: {}, coloured: false },
    { env: { FORCE_COLOR: '1' }, coloured: true },
    { env: { FORCE_COLOR: '1', NO_COLOR: '1' }, coloured: false },
  ])(
    'shows every attempt, why the call moved on, and how the keys stand; with $env coloured: $coloured',
    async ({ env, coloured }) => {
      const { code, out, err } = await ended(start(['demo'], env));
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out.includes(ESCAPE)).toBe(coloured);
      const shown = out.replaceAll(/\u001B\[\d+m/g, '');
      expect(shown).toMatch(/✗ nim {8}nvapi-… ?\S+ +\S+ +\d+ ms → HTTP 502/);
      expect(shown).toMatch(/→ no answer in time/);
      expect(shown).toMatch(/→ HTTP 401 dead key/);
      expect(shown).toMatch(/→ HTTP 402 no credit/);
      expect(shown).toContain('60 of 60 served');
      expect(shown).toContain('0 upstream refusals');
      expect(shown).toMatch(/openrouter {2}sk-or-…\w{4} {2}disabled/);
      expect(shown).not.toMatch(/sk-or-v1-\w{8}|AIza\w{8}|nvapi-\w{8}/);
    },
  );

  it('ends quietly when its reader has seen enough', async () => {
    const child = start(['demo']);
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const closed: readonly unknown[] = await once(child, 'close');
    expect({ code: closed[0], err }).toEqual({ code: 0, err: '' });
  });
});

describe('freelm serve', () => {
  it('answers until SIGTERM, lets what is under way end, and ends with 0', async () => {
    const simulated = await world({ nim: { keys: 1, latencyMs: 300 }, reply: () => 'Yes.' });
    const child = start(['serve', '--port', '0'], envOf(simulated, ['nim']));
    let out = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    await until(() => out.includes('OPENAI_API_KEY'));
    const url = /OPENAI_BASE_URL=(\S+)/.exec(out)?.[1] ?? '';
    const answer = fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] }),
    });
    await until(() => simulated.calls.length === 1);
    child.kill('SIGTERM');
    expect(await (await answer).json()).toMatchObject({ choices: [{ message: { content: 'Yes.' } }] });
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  it('ends at once at the second signal', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'hang' }] } });
    const child = start(['serve', '--port', '0'], envOf(simulated, ['nim']));
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    await until(() => out.includes('OPENAI_API_KEY'));
    const url = /OPENAI_BASE_URL=(\S+)/.exec(out)?.[1] ?? '';
    const answer = fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] }),
    });
    const failure = answer.then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(() => simulated.calls.length === 1);
    child.kill('SIGINT');
    await until(() => err.includes('a second signal ends at once'));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(await failure).toBeInstanceOf(TypeError);
  });
});
