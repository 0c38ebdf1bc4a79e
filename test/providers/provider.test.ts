import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  GoogleAIStudio,
  type KeyedOptions,
  type KeysInput,
  NIM,
  OpenRouter,
  type ProviderOptions,
} from '../../src/index.ts';

const key = 'sk-or-v1-0123456789abcdef9f2c';

describe('keys', () => {
  const cases: readonly (readonly [string, KeysInput, readonly (readonly [string, string, string])[]])[] = [
    ['one', key, [['sk-or-…9f2c', 'own', 'free']]],
    [
      'a comma-separated list',
      `${key}, ${key}x`,
      [
        ['sk-or-…9f2c', 'own', 'free'],
        ['sk-or-…f2cx', 'own', 'free'],
      ],
    ],
    [
      'of one account',
      [
        { key, account: 'mine', tier: 'credit' },
        { key: `${key}x`, account: 'mine', tier: 'credit' },
      ],
      [
        ['sk-or-…9f2c', 'mine', 'credit'],
        ['sk-or-…f2cx', 'mine', 'credit'],
      ],
    ],
  ];
  it.each(cases)('%s', (_how, keys, expected) => {
    const provider = new OpenRouter(keys);
    expect(
      provider.keys.map(({ mask, account, keyId, tier }) => [
        mask,
        account === keyId ? 'own' : account,
        tier,
      ]),
    ).toEqual(expected);
  });

  it('have an account each unless the user names one', () => {
    const own = new OpenRouter([key, `${key}x`]);
    expect(own.accounts.map(({ keyIds }) => keyIds.length)).toEqual([1, 1]);
    const shared = new OpenRouter([
      { key, account: 'a' },
      { key: `${key}x`, account: 'a' },
    ]);
    expect(shared.accounts.map(({ id, keyIds }) => [id, keyIds.length])).toEqual([['a', 2]]);
  });

  it.each([
    ['', 'OpenRouter was given no key'],
    [' , ,', 'OpenRouter was given no key'],
    [[], 'OpenRouter was given no key'],
    [undefined, 'OpenRouter keys: must be a key'],
    [42, 'OpenRouter keys: must be a key'],
    [[key, null], 'OpenRouter keys'],
    [[{ token: key }], 'OpenRouter keys'],
    [{ key, acount: 'mine' }, 'OpenRouter keys'],
    [`${key}\nx-other: 1`, 'OpenRouter key number 1 contains a space, a line break'],
    [[key, 'with a space'], 'OpenRouter key number 2'],
    ['schlüssel-0123456789', 'OpenRouter key number 1'],
    ['key\u0000', 'OpenRouter key number 1'],
    [{ key, tier: 'gold' }, 'OpenRouter has no tier "gold". Known tiers: "free", "credit"'],
    [
      [
        { key, account: 'a', tier: 'credit' },
        { key: `${key}x`, account: 'a' },
      ],
      'the keys of account "a" name two tiers',
    ],
  ])('%j is a ConfigError that says why and does not repeat it', (keys, message) => {
    // @ts-expect-error -- plain JavaScript can pass this
    const make = (): OpenRouter => new OpenRouter(keys);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(key);
  });
});

function limits(options: KeyedOptions<'free' | 'credit'>): unknown {
  return new OpenRouter(key, options).accounts[0]?.limits('a/b:free').map(({ max }) => max);
}

describe('tiers', () => {
  it('select the limits', () => {
    expect(limits({})).toEqual([20, 50]);
    expect(limits({ tier: 'credit' })).toEqual([20, 1000]);
    expect(limits({ tier: undefined, rpm: 3, rpd: undefined })).toEqual([3, 50]);
  });

  it('can differ between keys', () => {
    const provider = new GoogleAIStudio(['a-key', { key: 'b-key', tier: 'tier1' }]);
    expect(provider.accounts.map((account) => account.limits('gemini-3.8-flash')[0]?.max)).toEqual([5, 300]);
  });

  it.each([
    [OpenRouter, '"free", "credit"'],
    [GoogleAIStudio, '"free", "tier1"'],
    [NIM, '"free"'],
  ])('that are unknown are refused with a list of the known ones', (Kind, known) => {
    // @ts-expect-error -- plain JavaScript can pass this
    expect(() => new Kind(key, { tier: 'platinum' })).toThrow(
      `has no tier "platinum". Known tiers: ${known}.`,
    );
  });
});

describe('options', () => {
  it.each([
    [null, 'must be an object'],
    ['fast', 'must be an object'],
    [{ rpms: 3 }, 'has no option "rpms"'],
    [{ keys: key }, 'has no option "keys"'],
    [{ rpm: 0 }, 'options.rpm: must be greater than 0'],
    [{ rpd: -1 }, 'options.rpd: must be greater than 0'],
    [{ rpm: '20' }, 'options.rpm: must be a number'],
    [{ rpm: Number.NaN }, 'options.rpm: must be a number'],
    [{ rpd: Infinity }, 'options.rpd: must be a number'],
    [{ models: [] }, 'options.models: must not be an empty list'],
    [{ models: 'm' }, 'options.models'],
    [{ models: [42] }, 'options.models[0]: must be a model id'],
    [{ models: [{ tags: ['chat'] }] }, 'options.models[0]'],
    [{ models: [{ id: 'm', context: 5 }] }, 'options.models[0]'],
    [{ models: [{ id: 'm', ctx: -5 }] }, 'options.models[0]'],
    [{ prefer: [''] }, 'options.prefer[0]: must not be empty'],
    [{ prefer: 'm' }, 'options.prefer'],
    [{ priority: 'first' }, 'options.priority: must be a number'],
    [{ discover: 'yes' }, 'options.discover: must be true or false'],
    [{ freeOnly: 1 }, 'options.freeOnly: must be true or false'],
    [{ discoverFreeOnly: 0 }, 'options.discoverFreeOnly: must be true or false'],
    [{ cacheTtlMs: -1 }, 'options.cacheTtlMs: must not be negative'],
    [{ headers: { 'x-a': 1 } }, 'options.headers.x-a: must be a string'],
    [{ headers: 'x-a: 1' }, 'options.headers'],
  ])('%j is a ConfigError that names the field', (options, message) => {
    // @ts-expect-error -- plain JavaScript can pass this
    const make = (): OpenRouter => new OpenRouter(key, options);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
    expect(make).toThrow(/^OpenRouter /);
  });

  it('can all be undefined', () => {
    const options = {
      tier: undefined,
      priority: undefined,
      rpm: undefined,
      rpd: undefined,
      tpm: undefined,
      concurrency: undefined,
      lastResort: undefined,
      vars: undefined,
      models: undefined,
      prefer: undefined,
      discover: undefined,
      discoverFreeOnly: undefined,
      freeOnly: undefined,
      cacheTtlMs: undefined,
      baseUrl: undefined,
      headers: undefined,
      privacy: undefined,
      allowInsecureHttp: undefined,
    } satisfies Required<{ [Name in keyof ProviderOptions]: undefined }>;
    expect(new OpenRouter(key, options).baseUrl).toBe('https://openrouter.ai/api/v1');
  });
});

describe('the base URL', () => {
  it.each([
    ['https://api.example.com/v1', 'https://api.example.com/v1'],
    ['https://api.example.com/v1///', 'https://api.example.com/v1'],
    ['https://api.example.com', 'https://api.example.com'],
    ['HTTPS://API.Example.com:443/v1', 'https://api.example.com/v1'],
    ['http://127.0.0.1:8080/v1', 'http://127.0.0.1:8080/v1'],
    ['http://127.1.2.3', 'http://127.1.2.3'],
    ['http://localhost:1234/', 'http://localhost:1234'],
    ['http://[::1]:8080/v1', 'http://[::1]:8080/v1'],
  ])('%s is taken', (given, baseUrl) => {
    expect(new OpenRouter(key, { baseUrl: given }).baseUrl).toBe(baseUrl);
  });

  it.each([
    ['api.example.com/v1', /baseUrl is not a URL/],
    ['', /baseUrl: must not be empty/],
    [' ', /baseUrl is not a URL/],
    ['/v1', /baseUrl is not a URL/],
    ['ftp://api.example.com', /baseUrl must use https:/],
    ['file:///etc/passwd', /baseUrl must use https:/],
    ['javascript:alert(1)', /baseUrl must use https:/],
    ['http://api.example.com/v1', /allowInsecureHttp: true/],
    ['http://10.0.0.1/v1', /allowInsecureHttp: true/],
    ['http://localhost.evil.example/v1', /allowInsecureHttp: true/],
    ['http://127.0.0.1.evil.example/v1', /allowInsecureHttp: true/],
    [`https://${key}@api.example.com/v1`, /must not contain a user, a password/],
    [`https://user:${key}@api.example.com/v1`, /must not contain a user, a password/],
    [`https://api.example.com/v1?key=${key}`, /must not contain .* a query/],
    [`https://api.example.com/v1#${key}`, /must not contain .* a fragment/],
  ])('%s is refused, and not repeated', (baseUrl, message) => {
    const make = (): OpenRouter => new OpenRouter(key, { baseUrl });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(key);
  });

  it('can use http: anywhere if that is allowed explicitly', () => {
    const options = { baseUrl: 'http://10.0.0.1/v1', allowInsecureHttp: true };
    expect(new OpenRouter(key, options).baseUrl).toBe('http://10.0.0.1/v1');
  });

  it('has records of its own, since its quotas differ', () => {
    const here = new OpenRouter(key);
    const there = new OpenRouter(key, { baseUrl: 'https://gateway.example/v1' });
    expect(here.recordId).not.toBe(there.recordId);
    expect(here.accounts[0]?.recordId).not.toBe(there.accounts[0]?.recordId);
  });
});

describe('headers', () => {
  it('are sent in lower case with the one credential', () => {
    const provider = new OpenRouter(key, {
      headers: { 'HTTP-Referer': 'https://my.app', 'X-Title': 'mine' },
    });
    expect(provider.headersFor(provider.keys[0]?.keyId ?? '')).toEqual({
      'http-referer': 'https://my.app',
      'x-title': 'mine',
      authorization: `Bearer ${key}`,
    });
  });

  it.each(['Authorization', 'authorization', 'Content-Type', 'Host', 'Content-Length'])(
    'never set %s',
    (name) => {
      expect(() => new OpenRouter(key, { headers: { [name]: 'Bearer other' } })).toThrow(
        `OpenRouter options.headers must not set "${name}"`,
      );
    },
  );

  it.each([
    ['a line break in the value', { 'x-a': 'b\r\nx-c: d' }],
    ['a name with a space', { 'x a': 'b' }],
    ['an empty name', { '': 'b' }],
  ])('with %s are refused', (_what, headers) => {
    expect(() => new OpenRouter(key, { headers })).toThrow(/options\.headers: HTTP does not allow/);
  });
});

it('printing a provider shows neither keys nor header values', () => {
  const provider = new OpenRouter([key, { key: `${key}x`, account: 'mine' }], {
    headers: { 'x-gateway': 'secret-of-mine' },
  });
  const printed =
    inspect(provider, { depth: Infinity, showHidden: true, getters: true }) + JSON.stringify(provider);
  expect(printed).not.toContain(key.slice(6, 18));
  expect(printed).not.toContain('secret-of-mine');
});
