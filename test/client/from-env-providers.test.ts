import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { providersFromEnv } from '../../src/client/env/from-env.ts';
import { ConfigError, type Environment, type Provider } from '../../src/index.ts';
import { type ProviderSpec, SPECS } from '../../src/providers/spec.ts';

const KEY = 'abcdef-0123456789-0123456789';
const ACCOUNT = '0123456789abcdef0123456789abcdef';

const SPEC: readonly ProviderSpec[] = Object.values(SPECS);
const ordinary = SPEC.filter(({ access }) => access === 'default');
const optIn = SPEC.filter(({ access }) => access === 'opt-in');
const local = SPEC.filter(({ access }) => access === 'local');

function found(env: Environment): readonly string[] {
  return providersFromEnv(env).map(({ name }) => name);
}

/** The only provider that the environment gives. */
function only(env: Environment): Provider {
  const [provider, ...others] = providersFromEnv(env);
  expect(others.map(({ name }) => name)).toEqual([]);
  if (provider === undefined) throw new Error('no provider was found');
  return provider;
}

/** What else a provider needs. */
function beside({ vars = {} }: ProviderSpec): Environment {
  return Object.fromEntries(Object.values(vars).map(({ env: [name = ''] }) => [name, ACCOUNT]));
}

describe('providers that are used if their key is set', () => {
  const each = ordinary.flatMap((spec) =>
    spec.env.keys.map((variable) => [spec.name, variable, spec] as const),
  );

  it.each(each)('%s: %s', (name, variable, spec) => {
    const provider = only({ [variable]: KEY, ...beside(spec) });
    expect([provider.name, provider.keys.map(({ mask }) => mask)]).toEqual([name, ['abcdef\u20266789']]);
  });

  it('all of them, in the order of their files', () => {
    const all = ordinary.map((spec) => ({ [spec.env.keys[0] ?? '']: KEY, ...beside(spec) }));
    const env = Object.fromEntries(all.toReversed().flatMap((some) => Object.entries(some)));
    expect(found(env)).toEqual(ordinary.map(({ name }) => name));
  });

  it('the variable selects the address for its keys', () => {
    const china = 'https://open.bigmodel.cn/api/paas/v4';
    const bases = ['ZAI_API_KEY', 'ZHIPU_API_KEY', 'ZHIPUAI_API_KEY', 'FREELM_ZAI_KEYS'].map(
      (variable) => only({ [variable]: KEY }).baseUrl,
    );
    const global = SPECS.zai.baseUrl;
    expect(bases).toEqual([global, china, china, global]);
  });

  it('a token without the account that it needs is ignored', () => {
    expect(() => found({ CLOUDFLARE_API_TOKEN: KEY })).toThrow(
      /CLOUDFLARE_API_TOKEN .* with CLOUDFLARE_ACCOUNT_ID/,
    );
    expect(found({ CLOUDFLARE_API_TOKEN: KEY, GROQ_API_KEY: KEY })).toEqual(['groq']);
    expect(only({ CLOUDFLARE_API_TOKEN: KEY, CLOUDFLARE_ACCOUNT_ID: ACCOUNT }).baseUrl).toContain(ACCOUNT);
  });

  it('the account is not read from the real environment', () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', ACCOUNT);
    onTestFinished(() => void vi.unstubAllEnvs());
    const env = { CLOUDFLARE_API_TOKEN: KEY, FREELM_PROVIDERS: 'cloudflare' };
    expect(() => found(env)).toThrow(/but CLOUDFLARE_API_TOKEN .* with CLOUDFLARE_ACCOUNT_ID is not set/);
  });
});

describe('providers that are used only if they are named', () => {
  const withKeys = Object.fromEntries(optIn.flatMap(({ env }) => env.keys.map((name) => [name, KEY])));

  it('are not used because of their keys alone', () => {
    expect(() => found(withKeys)).toThrow(/No key was found/);
  });

  it.each(optIn.map(({ name }) => name))('%s is, by FREELM_PROVIDERS', (name) => {
    expect(found({ ...withKeys, FREELM_PROVIDERS: ` ${name.toUpperCase()} ,` })).toEqual([name]);
  });

  it('are used beside those whose keys are set', () => {
    const env = { GROQ_API_KEY: KEY, FREELM_PROVIDERS: 'kilo,groq,ovhcloud' };
    expect(found(env)).toEqual(['groq', 'kilo', 'ovhcloud']);
  });

  it('need no key if the provider needs none', () => {
    expect(only({ FREELM_PROVIDERS: 'ovhcloud' }).keys.map(({ mask }) => mask)).toEqual(['(no key)']);
    expect(only({ FREELM_PROVIDERS: 'kilo', KILO_API_KEY: KEY }).secrets()).toEqual([KEY]);
  });

  it.each(['cohere', 'groq'])('%s without its key is a ConfigError that names the variable', (name) => {
    const [variable = ''] = SPEC.find((spec) => spec.name === name)?.env.keys ?? [];
    const make = (): unknown => found({ FREELM_PROVIDERS: name });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(
      new RegExp(`^FREELM_PROVIDERS names "${name}", but ${variable} or .* is not set\\.$`),
    );
  });

  it.each(['kilo,none', 'constructor', 'free'])(
    '%s, which is no provider, is a ConfigError that lists them',
    (names) => {
      const make = (): unknown => found({ GROQ_API_KEY: KEY, FREELM_PROVIDERS: names });
      expect(make).toThrow(ConfigError);
      for (const { name } of SPEC) expect(make).toThrow(name);
    },
  );
});

describe('servers on this machine', () => {
  it.each(['1', 'true', ' TRUE '])('are all used with FREELM_LOCAL=%s', (value) => {
    expect(found({ FREELM_LOCAL: value })).toEqual(local.map(({ name }) => name));
  });

  it.each(
    local.flatMap((spec) => (spec.env.baseUrl ?? []).map((variable) => [spec.name, variable] as const)),
  )('%s is with %s, at that address', (name, variable) => {
    const provider = only({ [variable]: 'gpu.lan:4711' });
    expect([provider.name, provider.baseUrl, provider.lastResort]).toEqual([
      name,
      'http://gpu.lan:4711/v1',
      true,
    ]);
    expect(provider.secrets()).toEqual([]);
  });

  it('the first variable with an address wins', () => {
    const env = { OLLAMA_BASE_URL: ' ', OLLAMA_HOST: '0.0.0.0:4711' };
    expect(only(env).baseUrl).toBe('http://127.0.0.1:4711/v1');
    expect(only({ ...env, OLLAMA_BASE_URL: 'http://gpu.lan:1/v1' }).baseUrl).toBe('http://gpu.lan:1/v1');
  });

  it.each(['0', 'false'])(
    'are not used with FREELM_LOCAL=%s, whatever else is set, but for those named',
    (value) => {
      const env = { GROQ_API_KEY: KEY, OLLAMA_HOST: 'gpu', FREELM_LOCAL: value };
      expect(found(env)).toEqual(['groq']);
      expect(found({ ...env, FREELM_PROVIDERS: 'ollama' })).toEqual(['groq', 'ollama']);
    },
  );

  it('are named one by one', () => {
    expect(only({ FREELM_PROVIDERS: 'llamacpp' }).baseUrl).toBe(SPECS.llamacpp.baseUrl);
  });

  it('are sent a key if there is one', () => {
    expect(only({ VLLM_BASE_URL: '127.0.0.1:8000', VLLM_API_KEY: KEY }).secrets()).toEqual([KEY]);
  });

  it("are not sent a key for their maker's cloud service", () => {
    const env = { OLLAMA_HOST: 'gpu', OLLAMA_API_KEY: KEY, FREELM_PROVIDERS: 'ollama-cloud' };
    expect(providersFromEnv(env).map((one) => [one.name, one.secrets()])).toEqual([
      ['ollama-cloud', [KEY]],
      ['ollama', []],
    ]);
  });

  it.each([
    [{ FREELM_LOCAL: 'yes' }, 'FREELM_LOCAL is "yes"; it must be 1 or 0.'],
    [{ OLLAMA_HOST: 'a b' }, 'OLLAMA_HOST is not an address.'],
    [{ VLLM_BASE_URL: 'http://gpu.lan/v1', VLLM_API_KEY: KEY }, 'VLLM_API_KEY: baseUrl must use https:'],
  ])('%j is a ConfigError', (env, message) => {
    expect(() => found(env)).toThrow(ConfigError);
    expect(() => found(env)).toThrow(message);
  });
});

it('without any variable, the error names what needs no key', () => {
  expect(() => found({})).toThrow('Without a key: FREELM_PROVIDERS=kilo,ovhcloud, or FREELM_LOCAL=1');
});
