/** `freelm serve`: where it listens, who may call, and how it says so. */

import { describe, expect, it } from 'vitest';
import { Interruption } from '../../src/cli/exit.ts';
import { serve as serveHttp, until } from '../support/server.ts';
import { command, envOf, type Finished, interruptible, world } from './support.ts';

interface Serving {
  readonly url: string;
  readonly said: string;
  readonly stop: () => Promise<Finished>;
}

async function serving(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Serving> {
  const env = { ...envOf(await world({ nim: { keys: 1 }, reply: () => 'Yes.' }), ['nim']), ...more };
  const { signal, interrupt } = interruptible(new Interruption('SIGTERM'));
  let said = '';
  const onOut = (text: string): void => {
    said += text;
  };
  const finished = command(['serve', '--port', '0', ...args], { env, signal, onOut });
  await Promise.race([finished, until(() => said.includes('OPENAI_API_KEY'))]);
  const stop = (): Promise<Finished> => {
    interrupt();
    return finished;
  };
  return { url: /OPENAI_BASE_URL=(\S+)/.exec(said)?.[1] ?? '', said, stop };
}

function ask(url: string, model: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
  });
}

describe('freelm serve', () => {
  it('says where it is and how to use it, answers there, and ends with 0', async () => {
    const { url, said, stop } = await serving([]);
    expect(said).toMatch(
      /^freelm serves http:\/\/127\.0\.0\.1:\d+\/v1, .*\n.*\n {2}OPENAI_BASE_URL=http:\S+\/v1\n {2}OPENAI_API_KEY=any\n$/,
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
  ])('asks for the token of $how, and does not say it', async ({ args, env }) => {
    const { url, said, stop } = await serving(args, env);
    expect((await ask(url, 'auto')).status).toBe(401);
    expect((await ask(url, 'auto', { authorization: 'Bearer sesame' })).status).toBe(200);
    expect(said).not.toContain('sesame');
    const { err } = await stop();
    expect(err).not.toContain('sesame');
  });

  it('serves a model that nobody has only with --any-model', async () => {
    const strict = await serving([]);
    expect((await ask(strict.url, 'gpt-9')).status).toBe(404);
    await strict.stop();
    const lenient = await serving(['--any-model']);
    expect((await ask(lenient.url, 'gpt-9')).status).toBe(200);
    await lenient.stop();
  });

  it('may be called by pages of --allow-origin', async () => {
    const { url, stop } = await serving(['--allow-origin', 'https://chat.example.org']);
    const origin = (name: string): Promise<Response> => ask(url, 'auto', { origin: name });
    expect((await origin('https://chat.example.org')).status).toBe(200);
    expect((await origin('https://evil.example.org')).status).toBe(403);
    await stop();
  });

  it.each<{ args: readonly string[]; says: RegExp }>([
    { args: ['--host', '0.0.0.0'], says: /set a token/ },
    { args: ['--allow-origin', '*'], says: /is not an origin/ },
    {
      args: ['--host', '203.0.113.1', '--token', 'sesame'],
      says: /no such address\. Choose another with --host/,
    },
  ])('$args: 2, and what to do', async ({ args, says }) => {
    const env = { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123' };
    const { code, out, err } = await command(['serve', '--port', '0', ...args], { env });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(says);
  });

  it('a port that is taken: 2, and what to do', async () => {
    const { port } = await serveHttp(() => undefined);
    const env = { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123' };
    const { code, err } = await command(['serve', '--port', String(port)], { env });
    expect(code).toBe(2);
    expect(err).toBe(
      `freelm: 127.0.0.1:${port} cannot be served: the port is taken. Choose another with --port, or 0 for any that is free.\n`,
    );
  });
});
