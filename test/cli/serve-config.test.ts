/** `freelm serve` for operators: its configuration file, the request log, and SIGHUP. */

import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Interruption } from '../../src/cli/exit.ts';
import { ServeLog } from '../../src/cli/serve-log.ts';
import { temporaryFolder, textLike } from '../client/support.ts';
import { completion, hangs, json, says, serve as serveHttp, until } from '../support/server.ts';
import { command, type Finished, interruptible, type Setting } from './support.ts';

interface Serving {
  readonly url: string;
  /** What was written to stderr so far. */
  readonly log: () => string;
  readonly hangups: EventEmitter;
  readonly stop: () => Promise<Finished>;
}

/** Writes a configuration file. */
function fileWith(config: unknown, name = 'my.json'): string {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return file;
}

async function serving(args: readonly string[], setting: Setting = {}): Promise<Serving> {
  const { signal, interrupt } = interruptible(new Interruption('SIGTERM'));
  const hangups = new EventEmitter();
  let out = '';
  let err = '';
  const finished = command(['serve', ...args], {
    signal,
    hangups,
    onOut: (text) => (out += text),
    onErr: (text) => (err += text),
    ...setting,
    env: { FREELM_CACHE_DIR: temporaryFolder(), ...setting.env },
  });
  await Promise.race([finished, until(() => out.includes('OPENAI_API_KEY'))]);
  const stop = (): Promise<Finished> => {
    interrupt();
    return finished;
  };
  onTestFinished(() => void stop());
  return { url: /OPENAI_BASE_URL=(\S+)/.exec(out)?.[1] ?? '', log: () => err, hangups, stop };
}

async function ask(url: string, model = 'auto'): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'the secret question' }] }),
  });
  return response.text();
}

function endpointAt(url: string, more: object = {}): object {
  return { providers: { mine: { baseUrl: `${url}/v1`, models: ['m'] } }, serve: { port: 0 }, ...more };
}

const linesOf = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

describe('the configuration file', () => {
  it('describes the pool and the server', async () => {
    const { url: upstream } = await serveHttp(says('Hi'));
    const config = endpointAt(upstream, {
      modelMap: { 'gpt-4o': 'm' },
      serve: { port: 0, maxBodyBytes: 1000 },
    });
    const { url, stop } = await serving(['--config', fileWith(config)]);
    expect(await ask(url, 'gpt-4o')).toContain('Hi');
    expect(await ask(url, 'x'.repeat(1000))).toContain('request_too_large');
    expect(await stop()).toMatchObject({ code: 0 });
  });

  it('comes after the environment, and that after the command line', async () => {
    const { url: upstream, port: used } = await serveHttp(says('Hi'));
    const file = fileWith(endpointAt(upstream, { serve: { port: used } }));
    const fromEnv = await serving(['--config', file], { env: { PORT: '0' } });
    expect(await ask(fromEnv.url)).toContain('Hi');
    const fromFlag = await serving(['--config', file, '--port', '0'], { env: { PORT: String(used) } });
    expect(await ask(fromFlag.url)).toContain('Hi');
    const { code, err } = await command(['serve', '--config', file], { env: {} });
    expect([code, err]).toEqual([2, expect.stringContaining(`cannot listen on 127.0.0.1:${used}`)]);
  });

  it.each<[what: string, config: unknown, message: RegExp]>([
    ['no JSON', '{\n"serve": }', /my\.json is not JSON\./],
    ['an unknown member', { serv: {} }, /my\.json: config has no option "serv"\. Did you mean "serve"\?/],
    [
      'a key',
      { providers: { nim: { keys: ['nvapi-secret'] } } },
      /my\.json: config\.providers\.nim\.keys\[0\]: must be the name/,
    ],
    ['a wrong option of the server', { serve: { host: '0.0.0.0' } }, /set a token/],
  ])('with %s: exits with 2 and says what is wrong', async (_what, config, message) => {
    const env = { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123' };
    const { code, err } = await command(['serve', '--port', '0', '--config', fileWith(config)], { env });
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toContain('secret');
  });

  it('that is missing: exits with 2', async () => {
    const { code, err } = await command(['serve', '--config', '/no/such/file.json']);
    expect([code, err]).toEqual([2, 'freelm: /no/such/file.json cannot be read (ENOENT).\n']);
  });

  it('PORT that is no port: exits with 2', async () => {
    const env = { NVIDIA_API_KEY: 'nvapi-0123456789012345678901234567890123', PORT: 'x' };
    const { code, err } = await command(['serve'], { env });
    expect([code, err]).toEqual([2, 'freelm: PORT is "x"; it must be a port, 0 to 65535.\n']);
  });
});

describe('the configuration file in the current folder', () => {
  it.each<[what: string, config: object, member: string]>([
    [
      'an address',
      { providers: { mine: { baseUrl: 'https://evil.example/v1', keys: ['NVIDIA_API_KEY'] } } },
      'providers.mine.baseUrl',
    ],
    ['money', { spend: 'allow' }, 'spend'],
    ['web pages', { serve: { allowedOrigins: ['https://evil.example'] } }, 'serve.allowedOrigins'],
    ['the network', { serve: { host: '0.0.0.0' } }, 'serve.host'],
  ])('may not decide about %s', async (_what, config, member) => {
    const folder = path.dirname(fileWith(config, 'freelm.config.json'));
    const { code, err } = await command(['serve', '--port', '0'], { folder });
    expect(code).toBe(2);
    expect(err).toBe(
      `freelm: freelm.config.json sets ${member}, which is allowed only in a file that you name explicitly: add --config freelm.config.json if you trust it.\n`,
    );
  });

  it('is used otherwise', async () => {
    const folder = path.dirname(fileWith({ timeoutMs: -1 }, 'freelm.config.json'));
    const { err } = await command(['serve', '--port', '0'], { folder });
    expect(err).toBe('freelm: freelm.config.json: config.timeoutMs: must not be negative.\n');
  });
});

const A_NUMBER: unknown = expect.any(Number);

describe('the request log', () => {
  it('is a line of JSON for each request, with no prompt and no key', async () => {
    const { url: upstream } = await serveHttp(says('the secret answer'));
    const { url, log } = await serving(['--config', fileWith(endpointAt(upstream))]);
    await ask(url);
    await ask(url, 'm2');
    await until(() => linesOf(log()).length === 2);
    expect(linesOf(log())).toEqual([
      {
        time: textLike(/^\d{4}-\d\d-\d\dT/),
        level: 'info',
        message: 'request',
        id: textLike(/^chatcmpl-/),
        method: 'POST',
        path: '/v1/chat/completions',
        status: 200,
        ms: A_NUMBER,
        model: 'auto',
        provider: 'mine',
        servedModel: 'm',
        attempts: 1,
        promptTokens: 3,
        completionTokens: 2,
        bytesIn: A_NUMBER,
        bytesOut: A_NUMBER,
      },
      expect.objectContaining({ status: 200, model: 'm2' }),
    ]);
    expect(log()).not.toContain('secret');
  });

  it('is text on a terminal, and off with --log off', async () => {
    const { url: upstream } = await serveHttp(says('Hi'));
    const file = fileWith(endpointAt(upstream));
    const text = await serving(['--config', file], { isTerminal: true });
    await ask(text.url);
    await until(() => text.log().includes('\n'));
    expect(text.log()).toMatch(
      /^\S+Z POST \/v1\/chat\/completions 200 \d+ ms auto → mine m, 3 \+ 2 tokens, \d+ B in, \d+ B out, chatcmpl-\w+\n$/,
    );
    const off = await serving(['--config', file, '--log', 'off']);
    await ask(off.url);
    const { err } = await off.stop();
    expect(err).toBe('freelm: finishing the running requests. A second signal ends at once.\n');
  });

  it('drops lines that nothing reads, and says how many', async () => {
    const written: string[] = [];
    const reading: (() => void)[] = [];
    const err = {
      isTerminal: false,
      paint: (_style: unknown, text: string) => text,
      write: (text: string) => {
        written.push(text);
        return new Promise<void>((resolve) => reading.push(resolve));
      },
    };
    const log = new ServeLog(err, 'json', () => 0);
    for (let line = 0; line < 1500; line += 1) log.info('line');
    expect(written).toHaveLength(1000);
    for (const read of reading) read();
    await new Promise((resolve) => setImmediate(resolve));
    log.info('next');
    expect(written.slice(1000)).toEqual([
      expect.stringContaining('500 lines of this log could not be written in time.'),
      expect.stringContaining('next'),
    ]);
  });
});

describe('SIGHUP', () => {
  it('serves new requests by the file as it is now; running ones end as they began', async () => {
    const held: (() => void)[] = [];
    const first = await serveHttp((_request, response) => {
      held.push(() => json(response, completion('from the first')));
    });
    const second = await serveHttp(says('from the second'));
    const file = fileWith(endpointAt(first.url));
    const { url, hangups, log } = await serving(['--config', file, '--log', 'text']);
    const running = ask(url);
    await until(() => held.length === 1);
    writeFileSync(file, JSON.stringify(endpointAt(second.url)));
    hangups.emit('SIGHUP');
    await until(() => log().includes('as it is now'));
    expect(await ask(url)).toContain('from the second');
    held[0]?.();
    expect(await running).toContain('from the first');
  });

  it('keeps the configuration if the file is broken, and says so', async () => {
    const { url: upstream } = await serveHttp(says('Hi'));
    const file = fileWith(endpointAt(upstream));
    const { url, hangups, log } = await serving(['--config', file, '--log', 'text']);
    for (const broken of ['{', '{ "strategie": 1 }', '{ "providers": { "nim": {} } }']) {
      writeFileSync(file, broken);
      const before = log();
      hangups.emit('SIGHUP');
      await until(() => log() !== before);
      expect(log().slice(before.length)).toMatch(
        /^freelm: warning: the configuration stays as it was: .*my\.json/,
      );
      expect(await ask(url)).toContain('Hi');
    }
  });

  it('says which options need a start, and ends with requests that never end', async () => {
    const server = await serveHttp(hangs);
    const file = fileWith(endpointAt(server.url));
    const { url, hangups, log, stop } = await serving(['--config', file, '--drain-ms', '0']);
    const running = ask(url).catch(() => 'cut');
    await until(() => server.requests.length === 1);
    writeFileSync(file, JSON.stringify(endpointAt(server.url, { serve: { port: 1 } })));
    hangups.emit('SIGHUP');
    await until(() => log().includes('used from the next start on'));
    expect(await stop()).toMatchObject({ code: 0 });
    expect(await running).toBe('cut');
  });
});
