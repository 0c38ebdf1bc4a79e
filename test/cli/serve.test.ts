/** `freelm serve`: where it listens, who may call it, and what it prints. */

import { describe, expect, it } from 'vitest';
import { Interruption } from '../../src/cli/exit.ts';
import { serve as serveHttp, until } from '../support/server.ts';
import { command, envOf, type Finished, interruptible, world } from './support.ts';

interface Serving {
  readonly url: string;
  readonly output: string;
  readonly stop: () => Promise<Finished>;
}

async function serving(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Serving> {
  const env = { ...envOf(await world({ nim: { keys: 1 }, reply: () => 'Yes.' }), ['nim']), ...more };
  const { signal, interrupt } = interruptible(new Interruption('SIGTERM'));
  let output = '';
  const onOut = (text: string): void => {
    output += text;
  };
  const finished = command(['serve', '--port', '0', ...args], { env, signal, onOut });
  await Promise.race([finished, until(() => output.includes('OPENAI_API_KEY'))]);
  const stop = (): Promise<Finished> => {
    interrupt();
    return finished;
  };
  return { url: /OPENAI_BASE_URL=(\S+)/.exec(output)?.[1] ?? '', output, stop };
}

function ask(url: string, model: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
  });
}

describe('freelm serve', () => {
  it('prints its URL and how to use it, answers there, and exits with 0', async () => {
    const { url, output, stop } = await serving([]);
    expect(output).toMatch(
      /^freelm serves http:\/\/127\.0\.0\.1:\d+\/v1\. .*\n.*\n {2}OPENAI_BASE_URL=http:\S+\/v1\n {2}OPENAI_API_KEY=any\n$/,
    );
    expect(await (await ask(url, 'auto')).json()).toMatchObject({
      choices: [{ message: { content: 'Yes.' } }],
    });
    expect(await stop()).toMatchObject({ code: 0 });
    await expect(ask(url, 'auto')).rejects.toBeInstanceOf(TypeError);
  });

  it.each([
    { how: '--token', args: ['--token', 'sesame'], env: {} },
    { how: 'FREELM_TOKEN', args: [], env: { FREELM_TOKEN: 'sesame' } },
    { how: '--token before FREELM_TOKEN', args: ['--token', 'sesame'], env: { FREELM_TOKEN: 'other' } },
  ])('requires the token of $how, and does not print it', async ({ args, env }) => {
    const { url, output, stop } = await serving(args, env);
    expect((await ask(url, 'auto')).status).toBe(401);
    expect((await ask(url, 'auto', { authorization: 'Bearer sesame' })).status).toBe(200);
    expect(output).not.toContain('sesame');
    const { err } = await stop();
    expect(err).not.toContain('sesame');
  });

  it('serves an unknown model only with --any-model', async () => {
    const strict = await serving([]);
    expect((await ask(strict.url, 'model-9')).status).toBe(404);
    await strict.stop();
    const lenient = await serving(['--any-model']);
    expect((await ask(lenient.url, 'model-9')).status).toBe(200);
    await lenient.stop();
  });

  it('bounds bodies, connections and requests', async () => {
    const bounds = ['--max-memory', '1k', '--max-connections', '9', '--max-client-requests', '9'];
    const { url, stop } = await serving(['--max-body', '1k', ...bounds]);
    expect((await ask(url, 'auto')).status).toBe(200);
    expect((await ask(url, 'a'.repeat(1024))).status).toBe(413);
    await stop();
  });

  it('accepts calls from pages of --allow-origin', async () => {
    const { url, stop } = await serving(['--allow-origin', 'https://chat.example.org']);
    const origin = (name: string): Promise<Response> => ask(url, 'auto', { origin: name });
    expect((await origin('https://chat.example.org')).status).toBe(200);
    expect((await origin('https://evil.example.org')).status).toBe(403);
    await stop();
  });

  it.each<{ args: readonly string[]; says: RegExp }>([
    { args: ['--host', '0.0.0.0'], says: /set a token/ },
    { args: ['--allow-origin', '*'], says: /is not an origin/ },
    { args: ['--max-body', '1k', '--max-memory', '1023'], says: /maxMemoryBytes: .* from 1024 to / },
    {
      args: ['--host', '203.0.113.1', '--token', 'sesame'],
      says: /no such address\. Choose another one with --host/,
    },
  ])('$args: exits with 2 and says what to do', async ({ args, says }) => {
    const env = { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123' };
    const { code, out, err } = await command(['serve', '--port', '0', ...args], { env });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(says);
  });

  it('a port in use: exits with 2 and says what to do', async () => {
    const { port } = await serveHttp(() => undefined);
    const env = { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123' };
    const { code, err } = await command(['serve', '--port', String(port)], { env });
    expect(code).toBe(2);
    expect(err).toBe(
      `freelm: cannot listen on 127.0.0.1:${port}: the port is in use. Choose another one with --port, or 0 for a free one.\n`,
    );
  });
});
