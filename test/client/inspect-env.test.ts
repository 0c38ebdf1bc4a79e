/** What is found in an environment: what is used, what is not, and why. */

import { describe, expect, it } from 'vitest';
import { ConfigError, type Environment, FreeLLM, inspectEnv, type ProviderReport } from '../../src/index.ts';

const OPENROUTER = `sk-or-v1-${'a'.repeat(64)}`;
const GOOGLE = `AIza${'b'.repeat(35)}`;
const OTHER_GOOGLE = `AIza${'c'.repeat(35)}`;

function reportOf(env: Environment, name: string): ProviderReport | undefined {
  return inspectEnv(env).providers.find(({ provider }) => provider === name);
}

describe('a provider', () => {
  it('is used without a remark if its key is set', () => {
    expect(reportOf({ OPENROUTER_API_KEY: OPENROUTER }, 'openrouter')).toMatchObject({
      title: 'OpenRouter',
      access: 'default',
      isUsed: true,
      variables: ['OPENROUTER_API_KEY'],
      problems: [],
    });
  });

  it('is not used if nothing is set, and says what to set', () => {
    expect(reportOf({}, 'google')).toMatchObject({ isUsed: false, variables: [], problems: [] });
    expect(reportOf({}, 'google')?.needs).toContain('GEMINI_API_KEY');
  });

  it.each<{ what: string; env: Environment; name: string; isUsed: boolean; says: RegExp }>([
    {
      what: 'a second variable',
      env: { GEMINI_API_KEY: GOOGLE, GOOGLE_API_KEY: OTHER_GOOGLE },
      name: 'google',
      isUsed: true,
      says: /GOOGLE_API_KEY is set but not used: GEMINI_API_KEY comes first/,
    },
    {
      what: 'a variable of commas',
      env: { GEMINI_API_KEY: ' ,, ' },
      name: 'google',
      isUsed: false,
      says: /GEMINI_API_KEY is set, but holds no key/,
    },
    {
      what: "another provider's key",
      env: { GEMINI_API_KEY: OPENROUTER },
      name: 'google',
      isUsed: true,
      says: /GEMINI_API_KEY: its key does not look like one of Google/,
    },
    {
      what: 'one strange key of two',
      env: { GEMINI_API_KEY: `${GOOGLE},changeme` },
      name: 'google',
      isUsed: true,
      says: /1 of its 2 keys do not look like/,
    },
    {
      what: 'an unknown tier',
      env: { OPENROUTER_API_KEY: OPENROUTER, FREELM_OPENROUTER_TIER: 'gold' },
      name: 'openrouter',
      isUsed: false,
      says: /FREELM_OPENROUTER_TIER is "gold"/,
    },
    {
      what: 'a base URL that is none',
      env: { OPENROUTER_API_KEY: OPENROUTER, FREELM_OPENROUTER_BASE_URL: 'here' },
      name: 'openrouter',
      isUsed: false,
      says: /FREELM_OPENROUTER_BASE_URL: baseUrl is not a URL/,
    },
    {
      what: 'a base URL that anybody can read',
      env: { OPENROUTER_API_KEY: OPENROUTER, FREELM_OPENROUTER_BASE_URL: 'http://example.com/v1' },
      name: 'openrouter',
      isUsed: false,
      says: /must use https/,
    },
    {
      what: 'a key with a space',
      env: { OPENROUTER_API_KEY: 'sk or' },
      name: 'openrouter',
      isUsed: false,
      says: /HTTP headers do not allow/,
    },
    {
      what: 'a missing part of the address',
      env: { CLOUDFLARE_API_TOKEN: 'd'.repeat(40) },
      name: 'cloudflare',
      isUsed: false,
      says: /CLOUDFLARE_API_TOKEN is set, but .* needs .* Set CLOUDFLARE_ACCOUNT_ID/,
    },
    {
      what: 'a key of a provider to opt in to',
      env: { COHERE_API_KEY: 'e'.repeat(40) },
      name: 'cohere',
      isUsed: false,
      says: /Set FREELM_PROVIDERS=cohere/,
    },
    {
      what: 'a name without its key',
      env: { FREELM_PROVIDERS: 'cohere' },
      name: 'cohere',
      isUsed: false,
      says: /COHERE_API_KEY .* is not set/,
    },
  ])('with $what: used $isUsed, and it is said', ({ env, name, isUsed, says }) => {
    const report = reportOf(env, name);
    expect(report?.isUsed).toBe(isUsed);
    expect(report?.problems.join('\n')).toMatch(says);
    for (const key of [OPENROUTER, GOOGLE, OTHER_GOOGLE]) expect(JSON.stringify(report)).not.toContain(key);
  });

  it('is without a remark if two variables hold the same key', () => {
    expect(reportOf({ GEMINI_API_KEY: GOOGLE, GOOGLE_API_KEY: GOOGLE }, 'google')?.problems).toEqual([]);
  });

  it('warns once its facts have expired', () => {
    const { expires, asOf, isExpired } = reportOf({}, 'openrouter') ?? {};
    expect(Date.parse(expires ?? '')).toBeGreaterThan(Date.parse(asOf ?? ''));
    expect(isExpired).toBe(Date.now() >= Date.parse(expires ?? '') + 86_400_000);
  });
});

describe('what can be used', () => {
  it('is used even if another provider cannot be', () => {
    const env = { OPENROUTER_API_KEY: OPENROUTER, GEMINI_API_KEY: GOOGLE, FREELM_GOOGLE_TIER: 'gold' };
    expect(inspectEnv(env).usable.map(({ name }) => name)).toEqual(['openrouter']);
    expect(() => FreeLLM.fromEnv({}, env)).toThrow(ConfigError);
  });

  it('is empty if nothing is set', () => {
    expect(inspectEnv({}).usable).toEqual([]);
  });

  it.each([{ FREELM_PROVIDERS: 'nobody' }, { FREELM_LOCAL: 'perhaps' }])(
    'cannot be told from %j: a ConfigError',
    (env) => {
      expect(() => inspectEnv(env)).toThrow(ConfigError);
    },
  );
});

describe('FREELM_<NAME>_BASE_URL', () => {
  it.each([
    {
      name: 'openrouter',
      env: { OPENROUTER_API_KEY: OPENROUTER, FREELM_OPENROUTER_BASE_URL: 'http://127.0.0.1:8080/v1/' },
      baseUrl: 'http://127.0.0.1:8080/v1',
    },
    {
      name: 'ollama-cloud',
      env: {
        FREELM_PROVIDERS: 'ollama-cloud',
        OLLAMA_API_KEY: 'f'.repeat(40),
        FREELM_OLLAMA_CLOUD_BASE_URL: 'https://proxy.example/v1',
      },
      baseUrl: 'https://proxy.example/v1',
    },
    {
      name: 'cloudflare',
      env: {
        CLOUDFLARE_API_TOKEN: 'd'.repeat(40),
        CLOUDFLARE_ACCOUNT_ID: '0'.repeat(32),
        FREELM_CLOUDFLARE_BASE_URL: 'https://proxy.example/ai/v1',
      },
      baseUrl: 'https://proxy.example/ai/v1',
    },
    {
      name: 'ollama',
      env: { FREELM_OLLAMA_BASE_URL: '127.0.0.1:9999' },
      baseUrl: 'http://127.0.0.1:9999/v1',
    },
  ])('puts $name elsewhere', ({ name, env, baseUrl }) => {
    expect(inspectEnv(env).usable.map((provider) => [provider.name, provider.baseUrl])).toEqual([
      [name, baseUrl],
    ]);
  });
});
