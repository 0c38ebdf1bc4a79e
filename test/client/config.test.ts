/** Configuration files: what they may hold, and the pool that comes out of them. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../src/client/config/config-schema.ts';
import { ConfigError, FreeLLM, readConfig } from '../../src/index.ts';
import { open, temporaryFolder } from './support.ts';
import { says, serve } from '../support/server.ts';

const KEY = 'sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const OTHER = KEY.replaceAll('a', 'e');
const ENV = {
  OPENROUTER_API_KEY: KEY,
  SECOND_KEY: OTHER,
  NVIDIA_API_KEY: 'nvapi-0123456789',
  CLIENT_KEY: 'k',
};

describe('a configuration file', () => {
  it('without providers uses the keys in the environment', () => {
    const { options, serve: own } = readConfig({ strategy: 'priority', wait: true }, ENV);
    expect(options.providers.map(({ name }) => name)).toEqual(['openrouter', 'nim']);
    expect(options).toMatchObject({ strategy: 'priority', wait: true });
    expect(own).toEqual({});
  });

  it('names variables, accounts and limits, and only its providers are used', () => {
    const keys = ['OPENROUTER_API_KEY', { variable: 'SECOND_KEY', account: 'shared', tier: 'credit' }];
    const { options } = readConfig({ providers: { openrouter: { keys, rpm: 7, priority: 2 } } }, ENV);
    const [provider] = options.providers;
    expect(options.providers).toHaveLength(1);
    expect(provider?.keys).toMatchObject([
      { mask: 'sk-or-…cdef', tier: 'free' },
      { account: 'shared', tier: 'credit' },
    ]);
    expect(provider?.options).toMatchObject({ rpm: 7, priority: 2 });
    expect(provider?.accounts[0]?.limits('z-ai/glm-5.2:free')).toMatchObject([{ max: 7, isOwn: true }, {}]);
  });

  it('takes the usual variables of a provider that names none', () => {
    const env = { ...ENV, FREELM_NIM_BASE_URL: 'https://proxy.example/v1' };
    const { options } = readConfig({ providers: { nim: {} } }, env);
    expect(options.providers[0]).toMatchObject({ name: 'nim', baseUrl: 'https://proxy.example/v1' });
    expect(options.providers[0]?.keys).toHaveLength(1);
  });

  it('describes endpoints of your own, with and without keys', async () => {
    const server = await serve(says('Hi'));
    const mine = { baseUrl: `${server.url}/v1`, models: ['m'] };
    const providers = { mine: { ...mine, keys: ['CLIENT_KEY'] }, keyless: { ...mine, models: ['n'] } };
    const { options } = readConfig({ providers }, ENV);
    const llm = open(options);
    expect([await llm.text('Hello', { model: 'm' }), await llm.text('Hello', { model: 'n' })]).toEqual([
      'Hi',
      'Hi',
    ]);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer k', 'Bearer none']);
  });

  it.each<[what: string, config: unknown, message: RegExp]>([
    ['no object', [], /^config: must be an object\.$/],
    [
      'an unknown member',
      { strategi: 'priority' },
      /^config has no option "strategi"\. Did you mean "strategy"\?/,
    ],
    [
      'an unknown member of a provider',
      { providers: { nim: { rmp: 3 } } },
      /^config\.providers\.nim has no option "rmp"\. Did you mean "rpm"\?/,
    ],
    [
      'an unknown member of serve',
      { serve: { prot: 80 } },
      /^config\.serve has no option "prot"\. Did you mean "port"\?/,
    ],
    [
      'a wrong type',
      { providers: { nim: { rpm: '3' } } },
      /^config\.providers\.nim\.rpm: must be a number\.$/,
    ],
    ['a wrong strategy', { strategy: 'random' }, /^config\.strategy: must be one of priority, /],
    [
      'a wrong format of the log',
      { serve: { log: 'xml' } },
      /^config\.serve\.log: must be "json", "text" or "off"\.$/,
    ],
    ['no provider', { providers: {} }, /^config\.providers: must not be empty/],
    [
      'an unknown provider',
      { providers: { openruter: {} } },
      /^config\.providers\.openruter: freelm knows no provider of this name/,
    ],
    [
      'a variable that is not set',
      { providers: { nim: { keys: ['MISSING'] } } },
      /^config\.providers\.nim\.keys\[0\]: the environment variable MISSING is not set/,
    ],
    [
      'a provider without its key',
      { providers: { groq: {} } },
      /^config\.providers\.groq: GROQ_API_KEY or \S+ is not set/,
    ],
    [
      'a key itself',
      { providers: { openrouter: { keys: [KEY] } } },
      /^config\.providers\.openrouter\.keys\[0\]: must be the name of an environment variable/,
    ],
    ['a key itself, in an object', { providers: { openrouter: { keys: [{ variable: KEY }] } } }, /keys\[0\]/],
    [
      'keys as one text',
      { providers: { openrouter: { keys: KEY } } },
      /keys: must be a list of names of environment variables/,
    ],
    ['headers', { providers: { nim: { headers: { a: 'b' } } } }, /has no option "headers"/],
    [
      'a tier of an own endpoint',
      { providers: { mine: { baseUrl: 'https://a.example/v1', tier: 'x' } } },
      /^config\.providers\.mine\.tier: /,
    ],
  ])('with %s is refused and says where, without a key', (_what, config, message) => {
    let error: unknown;
    try {
      readConfig(config, ENV);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(new RegExp(message.source.replace('^', '^ConfigError: ')));
    expect(String(error)).not.toContain(KEY.slice(0, 16));
  });

  it('has a JSON Schema that is up to date', () => {
    const shipped: unknown = JSON.parse(
      readFileSync(new URL('../../config.schema.json', import.meta.url), 'utf8'),
    );
    // Otherwise: npm run generate
    expect(shipped).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });
});

describe('modelMap', () => {
  it('serves other names, lists them, and leaves all others as they are', async () => {
    const server = await serve(says('Hi'));
    const { options } = readConfig(
      {
        providers: { mine: { baseUrl: `${server.url}/v1`, models: ['small', 'big'] } },
        modelMap: { 'gpt-4o': 'big', 'gpt-4o-mini': ['small', 'big'], constructor: 'small' },
        model: 'gpt-4o',
      },
      {},
    );
    const llm = new FreeLLM({ ...options, cacheDir: temporaryFolder() });
    const served = async (model?: string): Promise<string> => (await llm.chat('Hello', { model })).model;
    expect(await served()).toBe('big');
    expect(await served('gpt-4o-mini')).toBe('small');
    expect(await served('constructor')).toBe('small');
    expect(await served('big')).toBe('big');
    expect(llm.explain({ model: 'gpt-4o-mini' }).map(({ model }) => model)).toEqual(['small', 'big']);
    const list = await (await llm.fetch('/v1/models')).text();
    const ids = Array.from(list.matchAll(/"id":"([^"]*)"/g), ([, id]) => id);
    expect(ids).toEqual(expect.arrayContaining(['gpt-4o', 'gpt-4o-mini', 'small']));
    expect((await llm.fetch('/v1/models/gpt-4o')).status).toBe(200);
    await llm.close();
  });
});
