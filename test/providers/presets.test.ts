import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as freelm from '../../src/index.ts';
import {
  CloudflareWorkersAI,
  Cohere,
  ConfigError,
  Groq,
  Kilo,
  Mistral,
  Ollama,
  OpenAICompatible,
  Provider,
  Requesty,
  VLLM,
  ZAI,
} from '../../src/index.ts';
import * as presets from '../../src/providers/presets.ts';
import { SPECS } from '../../src/providers/spec.ts';

const key = 'abcdef-0123456789-0123456789';
const vars = { account_id: '0123456789abcdef0123456789abcdef' };

/** The classes, one for each file of spec/providers. */
const classes = Object.values(presets).map((preset) => [preset.spec.name, preset] as const);
const keyless = classes.filter(([, { spec }]) => spec.keyless === true);

/** A provider of a class: with a key if it needs one, and with the parts of its base URL. */
function made(preset: (typeof classes)[number][1]): Provider {
  const { spec } = preset;
  const parts = Object.fromEntries(Object.keys(spec.vars ?? {}).map((part) => [part, vars.account_id]));
  const options = spec.vars === undefined ? {} : { vars: parts };
  const provider: unknown = Reflect.construct(preset, spec.keyless === true ? [options] : [key, options]);
  if (!(provider instanceof Provider)) throw new Error(`the class of ${spec.name} is no provider`);
  return provider;
}

describe.each(classes)('%s', (name, preset) => {
  it('has the data of its file', () => {
    const provider = made(preset);
    expect(provider).toMatchObject({
      name,
      spec: Object.entries(SPECS).find(([known]) => known === name)?.[1],
    });
    expect(provider.lastResort).toBe(provider.spec.access === 'local');
  });
});

it('every provider file has a class', () => {
  const specs = Object.values(freelm).flatMap((member) =>
    typeof member === 'function' && 'spec' in member ? [member.spec] : [],
  );
  expect(new Set(specs)).toEqual(new Set(Object.values(SPECS)));
});

describe('the manual', () => {
  const manual = readFileSync(new URL('../../src/client/README.md', import.meta.url), 'utf8');

  it.each(Object.values(SPECS))('lists the variables of $title', ({ env, vars: parts = {} }) => {
    const own = Object.values(parts).flatMap((part) => part.env);
    const variables = [
      ...env.keys,
      ...own,
      ...(env.baseUrl ?? []),
      ...(env.tier === undefined ? [] : [env.tier]),
    ];
    expect(variables.filter((variable) => !manual.includes(`\`${variable}\``))).toEqual([]);
  });

  it.each(classes)('names the class of %s', (_, { name }) => {
    expect(manual).toContain(`\`${name}\``);
  });
});

describe('a provider that works without a key', () => {
  it.each(keyless)('%s sends no authorization header', (_, preset) => {
    const provider = made(preset);
    const [only, ...others] = provider.keys;
    expect([only?.mask, others, provider.secrets()]).toEqual(['(no key)', [], []]);
    expect(provider.headersFor(only?.keyId ?? '')).not.toHaveProperty('authorization');
    expect(provider.maskOf(only?.keyId ?? '')).toBe('(no key)');
    expect(() => provider.headersFor('another')).toThrow(/has no key another/);
  });

  it.each([undefined, '', ' , ', []])('reads %j as no key', (keys) => {
    expect(new Ollama({ keys }).keys.map(({ mask }) => mask)).toEqual(['(no key)']);
  });

  it('accepts a key', () => {
    const provider = new VLLM({ keys: key });
    expect(provider.headersFor(provider.keys[0]?.keyId ?? '')).toEqual({ authorization: `Bearer ${key}` });
  });

  it.each([
    [null, 'Ollama options: must be an object'],
    [key, 'Ollama options: must be an object'],
    [{ key }, 'Ollama options has no option "key"'],
    [{ keys: 42 }, 'Ollama keys: must be a key'],
    [{ tier: 'paid' }, 'Ollama has no tier "paid"'],
  ])('refuses %j', (options, message) => {
    // @ts-expect-error -- plain JavaScript can pass this
    const make = (): Ollama => new Ollama(options);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});

describe('a provider that counts by IP address', () => {
  it.each([new Kilo({ keys: [key, `${key}x`] }), new Kilo()])('has one account for all keys', (kilo) => {
    expect(kilo.accounts.map(({ id, keyIds }) => [id, keyIds.length])).toEqual([['ip', kilo.keys.length]]);
  });

  it('has more accounts if the user names them', () => {
    const kilo = new Kilo({
      keys: [
        { key, account: 'here' },
        { key: `${key}x`, account: 'there' },
      ],
    });
    expect(kilo.accounts.map(({ id }) => id)).toEqual(['here', 'there']);
  });
});

describe('a base URL with a placeholder', () => {
  const real = `https://api.cloudflare.com/client/v4/accounts/${vars.account_id}/ai/v1`;

  it('is filled from the options', () => {
    expect(new CloudflareWorkersAI(key, { vars }).baseUrl).toBe(real);
  });

  it('is filled from the environment', () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', vars.account_id);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(new CloudflareWorkersAI(key).baseUrl).toBe(real);
  });

  it('throws a ConfigError that names the variable if it is missing', () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(() => new CloudflareWorkersAI(key)).toThrow(ConfigError);
    expect(() => new CloudflareWorkersAI(key)).toThrow(
      'Set CLOUDFLARE_ACCOUNT_ID, or pass vars: { account_id:',
    );
  });

  it('is not needed if the user sets a base URL', () => {
    const baseUrl = 'https://proxy.example/workers-ai';
    expect(new CloudflareWorkersAI(key, { baseUrl }).baseUrl).toBe(baseUrl);
  });

  it('is rejected for a provider without one', () => {
    expect(() => new Groq(key, { vars })).toThrow('Groq options.vars has no member "account_id".');
  });
});

describe('plain http', () => {
  const baseUrl = 'http://gpu.lan:11434/v1';

  it('is accepted for a local provider without a key', () => {
    expect(new Ollama({ baseUrl }).baseUrl).toBe(baseUrl);
  });

  it.each([
    () => new Ollama({ baseUrl, keys: key }),
    () => new Ollama({ baseUrl, allowInsecureHttp: false }),
  ])('is refused with a key, and if the user forbids it', (make) => {
    expect(make).toThrow(/baseUrl must use https:/);
  });
});

describe('the URLs of a provider', () => {
  it.each([
    [new Groq(key), '/models', 'https://api.groq.com/openai/v1/models'],
    [new Ollama(), '../api/tags', 'http://127.0.0.1:11434/api/tags'],
    [new Cohere(key), '../../v1/models?endpoint=chat', 'https://api.cohere.ai/v1/models?endpoint=chat'],
    [
      new CloudflareWorkersAI(key, { vars }),
      '../models/search?per_page=9',
      `https://api.cloudflare.com/client/v4/accounts/${vars.account_id}/ai/models/search?per_page=9`,
    ],
  ])('are below its base URL or above it (case %#)', (provider, path, url) => {
    expect(provider.urlOf(path)).toBe(url);
  });
});

describe('a paid model', () => {
  it.each([
    [new Mistral(key), 'ministral-8b-2512', 'mistral-large-2512'],
    [new ZAI(key), 'glm-4.7-flash', 'glm-4.7-flashx'],
    [new CloudflareWorkersAI(key, { vars }), '@cf/openai/gpt-oss-120b', '@cf/zai-org/glm-5.3-flash'],
    [new Kilo(), 'kilo-auto/free', 'kilo-auto/frontier'],
  ])('is refused by its id (case %#)', (provider, free, paid) => {
    expect([provider.refusesPaid(free), provider.refusesPaid(paid)]).toEqual([false, true]);
  });

  it('is refused by its listed price if nothing else shows it', () => {
    const refusals = [true, false, undefined].map((free) => new Requesty(key).refusesPaid('a/b', free));
    expect(refusals).toEqual([false, true, false]);
    expect(new Requesty(key, { freeOnly: false }).refusesPaid('a/b', false)).toBe(false);
  });
});

/** `per` and `max` of each concurrency limit. */
function concurrency(provider: Provider): readonly unknown[] {
  return (provider.accounts[0]?.limits('m') ?? []).flatMap((limit) =>
    limit.kind === 'concurrency' ? [[limit.per, limit.max]] : [],
  );
}

it('the option concurrency replaces a documented limit or adds one', () => {
  expect(concurrency(new ZAI(key))).toEqual([['account-model', 1]]);
  expect(concurrency(new ZAI(key, { concurrency: 3 }))).toEqual([['account-model', 3]]);
  const mine = { name: 'mine', baseUrl: 'http://127.0.0.1:1/v1' };
  expect(concurrency(new OpenAICompatible(key, mine))).toEqual([]);
  expect(concurrency(new OpenAICompatible(key, { ...mine, concurrency: 4 }))).toEqual([['account', 4]]);
});
