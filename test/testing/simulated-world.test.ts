import { describe, expect, it } from 'vitest';
import { ProviderSimulator, SimulatedWorld } from '../../src/testing.ts';
import { ask, NOON, partly } from './support.ts';

describe('a world by default', () => {
  const world = new SimulatedWorld();

  it.each([
    ['openrouter', /^sk-or-v1-[0-9a-f]{64}$/, 'https://openrouter.ai/api/v1'],
    ['google', /^AIza[A-Za-z0-9]{35}$/, 'https://generativelanguage.googleapis.com/v1beta/openai'],
    ['nim', /^nvapi-[A-Za-z0-9_-]{64}$/, 'https://integrate.api.nvidia.com/v1'],
    ['custom', /^sk-[A-Za-z0-9]{48}$/, 'http://custom.localhost/v1'],
  ] as const)('%s has two keys in its format and its real base URL', (name, shape, baseUrl) => {
    const { keys, baseUrl: place } = world[name];
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key).toMatch(shape);
    expect(new Set(keys).size).toBe(2);
    expect(place).toBe(baseUrl);
  });

  it('has keys that depend only on the seed', () => {
    expect(new SimulatedWorld().nim.keys).toEqual(world.nim.keys);
    expect(new SimulatedWorld({ seed: 2 }).nim.keys).not.toEqual(world.nim.keys);
  });

  it('serves the first model of every provider', () => {
    for (const provider of [world.openrouter, world.google, world.custom]) {
      expect(ask(provider).status).toBe(200);
    }
    expect(ask(world.nim, { model: world.nim.models[1] ?? '' }).status).toBe(200);
  });
});

describe('the environment of a world', () => {
  it('has only the keys for fromEnv', () => {
    const world = new SimulatedWorld();
    expect(world.env()).toEqual({
      FREELM_OPENROUTER_KEYS: world.openrouter.keys.join(','),
      FREELM_GOOGLE_KEYS: world.google.keys.join(','),
      FREELM_NIM_KEYS: world.nim.keys.join(','),
    });
  });

  it('has a common tier of keys, and leaves out providers without keys', () => {
    const world = new SimulatedWorld({
      openrouter: { keys: [{ key: 'sk-or-v1-a', tier: 'credit' }] },
      google: { keys: [{ key: 'AIzaA', tier: 'tier1' }, 'AIzaB'] },
      nim: { keys: [] },
    });
    expect(world.env()).toEqual({
      FREELM_OPENROUTER_KEYS: 'sk-or-v1-a',
      FREELM_OPENROUTER_TIER: 'credit',
      FREELM_GOOGLE_KEYS: 'AIzaA,AIzaB',
    });
  });
});

describe('the call log of a world', () => {
  it('has all requests in order of arrival, with masked keys', () => {
    const world = new SimulatedWorld({ custom: { keys: ['sk-0123456789abcdef9f2c', 'short'] } });
    ask(world.nim, { model: 'openai/gpt-oss-20b' });
    ask(world.custom);
    ask(world.nim, { model: 'nothing', now: NOON + 1 });
    ask(world.custom, { key: 'short', now: NOON + 1 });
    ask(world.custom, { key: 'sk-somebody-else-entirely', now: NOON + 1 });
    expect(world.calls).toEqual([
      partly({ at: NOON, provider: 'nim', model: 'openai/gpt-oss-20b', outcome: 'served' }),
      {
        at: NOON,
        provider: 'custom',
        route: 'chat',
        key: 'sk-012…9f2c',
        account: 'account-1',
        model: 'custom-large',
        status: 200,
        outcome: 'served',
        refused: false,
        paid: false,
      },
      partly({ at: NOON + 1, provider: 'nim', outcome: 'unknown-model', refused: true }),
      partly({ key: '…t', account: 'account-2' }),
      partly({ key: 'sk-som…rely', account: undefined, outcome: 'unauthorized' }),
    ]);
    expect(world.counts).toEqual({
      total: 5,
      served: 3,
      refused: 2,
      causes: { 'unknown-model': 1, unauthorized: 1 },
    });
    expect(world.custom.calls).toHaveLength(3);
    world.custom.reset();
    expect(world.calls.map(({ provider }) => provider)).toEqual(['nim', 'nim']);
    world.reset();
    expect(world.calls).toEqual([]);
  });

  it('uses one reply for all providers without their own', () => {
    const world = new SimulatedWorld({ reply: () => 'all', nim: { reply: () => 'own' } });
    expect(ask(world.google).text).toContain('"content":"all"');
    expect(ask(world.nim, { model: 'moonshotai/kimi-k3' }).text).toContain('"content":"own"');
  });
});

it('duplicate keys are an error', () => {
  expect(() => new ProviderSimulator('nim', { keys: ['nvapi-a', 'nvapi-a'] })).toThrow(
    'Key 2 of 2 is a duplicate. Give each key once.',
  );
});

it('40 calls per minute are all served for a day', () => {
  const nim = new ProviderSimulator('nim', { keys: 1, models: ['acme/one'] });
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    for (let call = 0; call < 40; call += 1) ask(nim, { now: NOON + minute * 60_000 + call });
  }
  expect(nim.counts).toEqual({ total: 57_600, served: 57_600, refused: 0, causes: {} });
});
