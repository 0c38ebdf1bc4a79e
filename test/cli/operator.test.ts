/** The walk of an operator who leaves `freelm serve` running: in the order in which the manual of the gateway describes it. */

import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import parse from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../client/support.ts';
import { ended, start, world } from './support.ts';

const TOKEN = 'token-of-the-operator';
const QUESTION = 'the secret question';

/** A server in a process of its own. */
interface Served {
  readonly url: string;
  /** Resolves when its log matches. */
  readonly logs: (pattern: RegExp) => Promise<string>;
  readonly signal: (name: 'SIGHUP' | 'SIGTERM') => void;
  /** Resolves with its exit code. */
  readonly exited: Promise<unknown>;
}

async function served(folder: string, env: Readonly<Record<string, string>>): Promise<Served> {
  const child = start(['serve', '--config', path.join(folder, 'freelm.config.json')], env);
  const more = new EventEmitter();
  let out = '';
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    more.emit('more');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    more.emit('more');
  });
  const finished = ended(child);
  const failed = finished.then(({ code }) => {
    throw new Error(`the server ended with ${String(code)}: ${log}`);
  });
  failed.catch(() => undefined);
  const wait = async (text: () => string, pattern: RegExp): Promise<string> => {
    while (!pattern.test(text())) await Promise.race([once(more, 'more'), failed]);
    return text();
  };
  const [, url = ''] = /OPENAI_BASE_URL=(\S+)\/v1/.exec(await wait(() => out, /OPENAI_API_KEY/)) ?? [];
  return {
    url,
    logs: (pattern) => wait(() => log, pattern),
    signal: (name) => child.kill(name),
    exited: finished.then(({ code }) => code),
  };
}

function get(url: string, token = TOKEN): Promise<Response> {
  return fetch(url, { headers: { authorization: `Bearer ${token}` } });
}

function post(url: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

function ask(url: string, model = 'auto'): Promise<Response> {
  return post(`${url}/v1/chat/completions`, { model, messages: [{ role: 'user', content: QUESTION }] });
}

/** How many successful calls `/metrics` counts, as a parser of Prometheus' text reads it. */
async function successes(url: string): Promise<number> {
  const families = parse(await (await get(`${url}/metrics`)).text());
  const calls = families.find(({ name }) => name === 'freelm_calls_total')?.metrics ?? [];
  return calls
    .filter(({ labels }) => labels?.['outcome'] === 'success')
    .reduce((sum, { value }) => sum + Number(value), 0);
}

describe.skipIf(process.platform === 'win32')('an operator', () => {
  it('starts the server, watches it, changes and restarts it', async () => {
    const { openrouter, nim } = await world({
      openrouter: { keys: 1 },
      nim: { keys: 1 },
      google: { keys: [] },
    });
    const folder = temporaryFolder();
    const configure = (config: string | object): void => {
      const text = typeof config === 'string' ? config : JSON.stringify(config);
      writeFileSync(path.join(folder, 'freelm.config.json'), text);
    };
    const first = { openrouter: { keys: ['TEAM_KEY'], baseUrl: openrouter.baseUrl } };
    const both = { ...first, nim: { baseUrl: nim.baseUrl } };
    configure({ providers: first, serve: { log: 'json', drainMs: 5000 } });
    const env = {
      FREELM_CACHE_DIR: folder,
      FREELM_TOKEN: TOKEN,
      TEAM_KEY: openrouter.keys.join(','),
      NVIDIA_API_KEY: nim.keys.join(','),
      PORT: '0',
    };

    // The server runs, and answers with the token only.
    const server = await served(folder, env);
    const { url } = server;
    expect((await get(`${url}/live`, 'none')).status).toBe(200);
    expect((await get(`${url}/health`)).status).toBe(200);
    expect((await get(`${url}/metrics`, 'none')).status).toBe(401);
    expect(await (await fetch(url)).text()).toContain('<!doctype html>');
    expect(await (await ask(url)).text()).toContain(`heard: ${QUESTION}`);
    expect(await successes(url)).toBe(1);

    // The log has a line for the call, and no secret.
    const log = await server.logs(/"path":"\/v1\/chat\/completions".*\n/);
    const line = log.split('\n').find((text) => text.includes('/v1/chat/completions')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ status: 200, provider: 'openrouter', attempts: 1 });
    for (const secret of [QUESTION, TOKEN, ...openrouter.keys]) expect(log).not.toContain(secret);

    // A wrong configuration changes nothing, and the log says what is wrong with it.
    configure('{ "providers": { "openrouter": { "kyes": [] } } }');
    server.signal('SIGHUP');
    await server.logs(/kyes/);
    expect((await ask(url)).status).toBe(200);

    // The only key is refused: nothing can serve, but the server runs. The operator adds a provider.
    openrouter.script({ kind: 'unauthorized' });
    expect((await ask(url)).status).toBe(503);
    expect((await get(`${url}/health`)).status).toBe(503);
    expect((await get(`${url}/live`)).status).toBe(200);
    configure({ providers: both, serve: { log: 'json', drainMs: 5000 } });
    server.signal('SIGHUP');
    await server.logs(/as it is now/);
    expect((await get(`${url}/health`)).status).toBe(200);
    expect((await ask(url)).headers.get('x-freelm-provider')).toBe('nim');

    // The key works again, and is enabled as by the button of the page.
    openrouter.clear();
    expect((await post(`${url}/reset`, { provider: 'openrouter' })).status).toBe(200);
    const keys = await (await get(`${url}/health`)).text();
    expect(keys).not.toContain('"disabled":true');

    // At SIGTERM the answer under way is finished. The next process goes on on the same port.
    nim.script({ kind: 'slow', delayMs: 300 });
    openrouter.script({ kind: 'slow', delayMs: 300 });
    const underWay = ask(url);
    await server.logs(/as it is now/);
    await expect.poll(() => openrouter.counts.total + nim.counts.total).toBeGreaterThan(4);
    server.signal('SIGTERM');
    expect((await underWay).status).toBe(200);
    expect(await server.exited).toBe(0);
    const next = await served(folder, { ...env, PORT: new URL(url).port });
    expect(next.url).toBe(url);
    expect((await ask(next.url)).status).toBe(200);
    // What was used is known to the new process.
    expect(await (await get(`${next.url}/health`)).text()).toMatch(
      /"provider":"openrouter"[^}]*"rpdUsed":2,/,
    );
    next.signal('SIGTERM');
    expect(await next.exited).toBe(0);
  });
});
