/** The command line as a process of its own. There are few such tests, because each process starts slowly. */

import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/index.ts';
import { until } from '../support/server.ts';
import { ended, envOf, start, world } from './support.ts';

describe('freelm', () => {
  it('prints its version without loading the library', async () => {
    const child = start(['--version'], { NODE_DEBUG: 'esm' });
    const { code, out, err } = await ended(child);
    expect({ code, out }).toEqual({ code: 0, out: `${VERSION}\n` });
    expect(err).not.toMatch(/undici|zod|eventsource/);
  });

  it('reads a pipe, and writes plain text', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const { code, out, err } = await ended(
      start(['chat', '-m', 'z-ai/glm-5.3'], envOf(simulated, ['nim'])),
      'hi\n',
    );
    expect({ code, out, err }).toEqual({ code: 0, out: 'z-ai/glm-5.3 heard: hi\n', err: '' });
  });

  it('answers a program that never closes its standard input', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const child = start(['chat', '-m', 'z-ai/glm-5.3', 'hi'], envOf(simulated, ['nim']));
    let out = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(out).toBe('z-ai/glm-5.3 heard: hi\n');
  });

  it('exits with 1 if a call fails', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'unauthorized' }] } });
    const { code, out, err } = await ended(start(['chat', 'hi'], envOf(simulated, ['nim'])));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^freelm: .*\n/);
  });

  it('keeps its exit code if stderr is closed', async () => {
    const child = start(['chat', '--strategy', 'none', 'hi']);
    child.stderr.destroy();
    expect(await ended(child)).toEqual({ code: 2, out: '', err: '' });
  });

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)('exits with $code on $signal and prints nothing', async ({ signal, code }) => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'stall', afterTokens: 1 }] } });
    const child = start(['chat', '--stream', '-m', 'z-ai/glm-5.3', 'hi'], envOf(simulated, ['nim']));
    child.stdin.end();
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    await until(() => out !== '');
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([code, null]);
    expect({ out, err }).toEqual({ out: 'z-ai/glm-5.3\n', err: '' });
  });

  it('exits on the first signal even if its output is blocked', async () => {
    const simulated = await world({ nim: { keys: 1 }, reply: () => 'on and on '.repeat(100_000) });
    const child = start(['chat', '-m', 'z-ai/glm-5.3', 'hi'], envOf(simulated, ['nim']));
    child.stdin.end();
    await until(() => child.stdout.readableLength > 0);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  });
});

describe('freelm demo', () => {
  it('shows every attempt, the reason for each failover, and the keys, masked and without colours in a pipe', async () => {
    const { code, out, err } = await ended(start(['demo']));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(stripVTControlCharacters(out)).toBe(out);
    expect(out).toMatch(/✗ nim {8}nvapi-… ?\S+ +\S+ +\d+ ms → HTTP 502/);
    expect(out).toMatch(/→ no answer in time/);
    expect(out).toMatch(/→ HTTP 401 key refused/);
    expect(out).toMatch(/→ HTTP 402 no credit/);
    expect(out).toContain('60 of 60 served');
    expect(out).toContain('0 refused by a provider');
    expect(out).toMatch(/openrouter {2}sk-or-…\w{4} {2}disabled/);
    expect(out).not.toMatch(/sk-or-v1-\w{8}|AIza\w{8}|nvapi-\w{8}/);
  });

  it('exits quietly if its reader closes the pipe', async () => {
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
  it('on SIGTERM finishes running requests and exits with 0', async () => {
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

  it('exits at once on the second signal', async () => {
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
    await until(() => err.includes('A second signal ends at once'));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(await failure).toBeInstanceOf(TypeError);
  });
});
