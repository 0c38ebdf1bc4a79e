import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ConfigError, type Environment, FreeLLM, type FreeLLMOptions } from '../../src/index.ts';
import { rejection } from '../support/rejection.ts';
import { serveProxy } from '../support/proxy.ts';
import { completion, serve, serveTcp, until } from '../support/server.ts';
import { temporaryFolder, textLike } from './support.ts';

function fromEnv(env: Environment, options: Omit<FreeLLMOptions, 'providers'> = {}): FreeLLM {
  const llm = FreeLLM.fromEnv(options, env);
  onTestFinished(() => llm.close());
  return llm;
}

/** `provider key tier` of every key that was found. */
function found(env: Environment): readonly string[] {
  return fromEnv(env)
    .health()
    .map(({ provider, key, tier }) => `${provider} ${key} ${tier}`);
}

/** A key whose mask ends with `end`. */
function keyEnding(end: string): string {
  return `abcdef-0123456789-0123456789${end}`;
}

const ALL: Readonly<Record<string, readonly string[]>> = {
  openrouter: ['OPENROUTER_API_KEY', 'FREELM_OPENROUTER_KEYS'],
  google: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_AI_STUDIO_KEY', 'FREELM_GOOGLE_KEYS'],
  nim: ['NVIDIA_API_KEY', 'NIM_API_KEY', 'FREELM_NIM_KEYS'],
};
const EACH = Object.entries(ALL).flatMap(([provider, names]) =>
  names.map((name) => [provider, name] as const),
);

describe('the variables with keys', () => {
  it.each(EACH)('%s: %s', (provider, name) => {
    expect(found({ [name]: keyEnding('0001') })).toEqual([`${provider} abcdef…0001 free`]);
  });

  it.each(Object.entries(ALL))('%s: the first that holds a key wins', (provider, names) => {
    const env = Object.fromEntries(names.map((name, index) => [name, keyEnding(`000${index}`)]));
    for (const [index, name] of names.entries()) {
      expect(found(env)).toEqual([`${provider} abcdef…000${index} free`]);
      env[name] = index % 2 === 0 ? '' : ' , ';
    }
  });

  it('and other values may be in quotes', () => {
    const env = {
      GEMINI_API_KEY: `"${keyEnding('0001')}"`,
      FREELM_PROVIDERS: '"google"',
      FREELM_LOCAL: "'0'",
    };
    expect(found(env)).toEqual(['google abcdef…0001 free']);
  });

  it('all three providers, in the order of the documentation', () => {
    const env = {
      NVIDIA_API_KEY: keyEnding('0003'),
      GEMINI_API_KEY: keyEnding('0002'),
      OPENROUTER_API_KEY: keyEnding('0001'),
    };
    expect(found(env)).toEqual([
      'openrouter abcdef…0001 free',
      'google abcdef…0002 free',
      'nim abcdef…0003 free',
    ]);
  });

  it.each(EACH)('%s: %s holds several, tidied', (provider, name) => {
    const list = ` ${keyEnding('0001')} ,, ${keyEnding('0002')},${keyEnding('0001')},\t`;
    expect(found({ [name]: list })).toEqual([`${provider} abcdef…0001 free`, `${provider} abcdef…0002 free`]);
  });

  it('are no others', () => {
    const others = [
      'OPENROUTER_KEY',
      'OPENAI_API_KEY',
      'GOOGLE_KEY',
      'NGC_API_KEY',
      'FREELM_KEYS',
      'openrouter_api_key',
    ];
    const env = Object.fromEntries(others.map((name) => [name, keyEnding('0001')]));
    expect(() => fromEnv(env)).toThrow(/No key was found/);
  });

  it.each([[{}], [{ OPENROUTER_API_KEY: '' }], [{ NIM_API_KEY: ' , , ' }], [{ GEMINI_API_KEY: undefined }]])(
    'that hold no key (%j) are all named by the error',
    (env) => {
      const make = (): FreeLLM => fromEnv(env);
      expect(make).toThrow(ConfigError);
      for (const [, name] of EACH) expect(make).toThrow(name);
    },
  );

  it('are named without the key if it is unusable', () => {
    const broken = `${keyEnding('0001')}\u00e9`;
    expect(() => fromEnv({ NIM_API_KEY: broken })).toThrow(/^NIM_API_KEY key number 1 contains/);
    expect(() => fromEnv({ NIM_API_KEY: broken })).not.toThrow(keyEnding('0001'));
  });
});

describe('the variables with tiers', () => {
  it.each([
    ['OPENROUTER_API_KEY', 'FREELM_OPENROUTER_TIER', 'credit'],
    ['GEMINI_API_KEY', 'FREELM_GOOGLE_TIER', 'tier1'],
    ['NVIDIA_API_KEY', 'FREELM_NIM_TIER', 'free'],
  ])('%s with %s', (name, tierName, tier) => {
    expect(found({ [name]: keyEnding('0001'), [tierName]: ` ${tier} ` })[0]).toMatch(new RegExp(` ${tier}$`));
    expect(found({ [name]: keyEnding('0001'), [tierName]: ' ' })[0]).toMatch(/ free$/);
  });

  it.each([
    ['OPENROUTER_API_KEY', 'FREELM_OPENROUTER_TIER', 'tier1', 'free, credit'],
    ['GEMINI_API_KEY', 'FREELM_GOOGLE_TIER', 'Free', 'free, tier1'],
    ['NVIDIA_API_KEY', 'FREELM_NIM_TIER', 'constructor', 'free'],
  ])('%s with an unknown %s = %s', (name, tierName, tier, known) => {
    const make = (): FreeLLM => fromEnv({ [name]: keyEnding('0001'), [tierName]: tier });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(new RegExp(`^${tierName} is "${tier}", .* Known tiers: ${known}\\.$`));
  });

  it('of a provider without keys are ignored', () => {
    expect(found({ NVIDIA_API_KEY: keyEnding('0001'), FREELM_OPENROUTER_TIER: 'none' })).toHaveLength(1);
  });
});

describe('the variables of the cache', () => {
  const env = { OPENROUTER_API_KEY: keyEnding('0001') };
  const list = { data: [{ id: 'a/b:free', context_length: 8192 }] };

  /** How often the provider is asked for its list by a pool that has it, and by another one that finds it kept. */
  async function asked(more: Environment): Promise<number> {
    const server = await serve((request, response) => {
      response.end(JSON.stringify(request.url.endsWith('/models') ? list : completion('fine')));
    });
    const go: NonNullable<FreeLLMOptions['fetch']> = (url, init) =>
      fetch(server.url + new URL(url).pathname, init);
    await fromEnv({ ...env, ...more }, { fetch: go }).refreshModels();
    await fromEnv({ ...env, ...more }, { fetch: go }).text('Hello');
    return server.requests.filter(({ url }) => url.endsWith('/models')).length;
  }

  it('FREELM_CACHE_DIR holds the lists and the state', async () => {
    const folder = join(temporaryFolder(), 'made', 'when needed');
    expect(existsSync(folder)).toBe(false);
    expect(await asked({ FREELM_CACHE_DIR: ` ${folder} ` })).toBe(1);
    expect(readdirSync(folder).toSorted()).toEqual([textLike(/^models-\w+\.json$/), 'state']);
  });

  it('the option cacheDir overrides it', async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    const llm = fromEnv(
      { ...env, FREELM_CACHE_DIR: other },
      { cacheDir: folder, fetch: () => Promise.resolve(Response.json(list)) },
    );
    await llm.refreshModels();
    expect([readdirSync(folder).length, readdirSync(other).length]).toEqual([1, 0]);
  });

  it.each([
    ['3600', 1],
    [' 0.5e4 ', 1],
    ['', 1],
    ['0', 2],
  ])('FREELM_CACHE_TTL=%j, in seconds, makes %i requests in two runs', async (ttl, requests) => {
    expect(await asked({ FREELM_CACHE_DIR: temporaryFolder(), FREELM_CACHE_TTL: ttl })).toBe(requests);
  });

  it.each(['1h', '-1', 'NaN', 'Infinity', '1,5', '60 s'])('FREELM_CACHE_TTL=%j is a ConfigError', (ttl) => {
    const make = (): FreeLLM => fromEnv({ ...env, FREELM_CACHE_TTL: ttl });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(`FREELM_CACHE_TTL is "${ttl}"; it must be a number of seconds`);
  });
});

describe('the environment', () => {
  it('is the one that is passed', () => {
    vi.stubEnv('OPENROUTER_API_KEY', keyEnding('0001'));
    vi.stubEnv('FREELM_NIM_TIER', 'none');
    vi.stubEnv('FREELM_CACHE_TTL', 'none');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(() => fromEnv({})).toThrow(/No key was found/);
    expect(found({ NVIDIA_API_KEY: keyEnding('0002') })).toEqual(['nim abcdef…0002 free']);
  });

  it("is the process's own if none is passed", () => {
    for (const [, name] of EACH) vi.stubEnv(name, '');
    vi.stubEnv('FREELM_OPENROUTER_KEYS', keyEnding('0001'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const llm = FreeLLM.fromEnv();
    onTestFinished(() => llm.close());
    expect(llm.health().map((row) => row.key)).toEqual(['abcdef…0001']);
  });

  it('names the proxy for requests', async () => {
    const proxy = await serveProxy(await serveTcp());
    const env = { NVIDIA_API_KEY: keyEnding('0001'), HTTPS_PROXY: proxy.url };
    const stop = new AbortController();
    const reason = rejection(fromEnv(env).text('Hello', { signal: stop.signal }));
    await until(() => proxy.tunnels.length > 0);
    stop.abort('seen');
    expect(await reason).toBe('seen');
    expect(proxy.tunnels).toEqual(['integrate.api.nvidia.com:443']);
  });
});

it('accepts every option of a pool except providers', () => {
  const llm = fromEnv(
    { NVIDIA_API_KEY: keyEnding('0001') },
    { model: 'z-ai/glm-5.3', strategy: 'priority', timeoutMs: undefined },
  );
  expect(llm.explain().map(({ model }) => model)).toEqual(['z-ai/glm-5.3']);
  // @ts-expect-error -- what plain JavaScript can pass
  expect(() => fromEnv({ NVIDIA_API_KEY: keyEnding('0001') }, { strategie: 'priority' })).toThrow(
    /has no option "strategie"/,
  );
});

describe('a lazy pool', () => {
  it('reads the environment when it is first used, and again after an error', async () => {
    const env: Record<string, string> = {};
    const llm = FreeLLM.fromEnv({ lazy: true }, env);
    await expect(llm.text('Hi')).rejects.toThrow(/No key was found/);
    expect(() => llm.health()).toThrow(ConfigError);
    env['OPENROUTER_API_KEY'] = 'sk-or-v1-0123456789abcdef';
    expect(llm.health()).toHaveLength(1);
    await llm.close();
  });

  it('is closed without having been used', async () => {
    const llm = FreeLLM.fromEnv({ lazy: true }, {});
    await llm.close();
    await expect(llm.text('Hi')).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('an environment without keys', () => {
  it('says where keys are made, and which variable may have been meant', () => {
    const env = { OPENROUTER_KEY: 'sk-or-v1-0123456789abcdef', NOT_A_KEY: 'x', GOOGLE_API_KEYS: 'y' };
    let message = '';
    try {
      FreeLLM.fromEnv({}, env);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(
      'OpenRouter: OPENROUTER_API_KEY or FREELM_OPENROUTER_KEYS (https://openrouter.ai/settings/keys)',
    );
    expect(message).toContain('OPENROUTER_KEY is set. Did you mean OPENROUTER_API_KEY?');
    expect(message).toContain('GOOGLE_API_KEYS is set. Did you mean GOOGLE_API_KEY?');
    expect(message).not.toMatch(/NOT_A_KEY|0123456789/);
    expect(message).toContain('--env-file=.env');
  });
});
