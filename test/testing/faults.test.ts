import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Fault, type ProviderName } from '../../src/testing.ts';
import { anything, ask, get, HOUR, listWith, NOON, partly, SECOND, statuses, textLike } from './support.ts';

const NAMES: readonly ProviderName[] = ['openrouter', 'google', 'nim', 'custom'];
const BUSY: Fault = { kind: 'server-error', status: 500 };

function simulate(...faults: readonly Fault[]): ProviderSimulator {
  const keys = [
    { key: 'sk-one', account: 'first' },
    { key: 'sk-two', account: 'second' },
  ];
  return new ProviderSimulator('custom', { keys, models: ['large', 'small-1', 'small-2'], faults });
}

function statusesOfSeed(seed: number): number[] {
  return statuses(new ProviderSimulator('custom', { seed, faults: [{ ...BUSY, share: 0.3 }] }), 1000);
}

describe('a fault applies', () => {
  it('to a key', () => {
    const custom = simulate({ ...BUSY, key: 'sk-one' });
    expect([ask(custom, { key: 'sk-one' }).status, ask(custom, { key: 'sk-two' }).status]).toEqual([
      500, 200,
    ]);
  });

  it('to an account', () => {
    const custom = simulate({ kind: 'out-of-credits', account: 'second' });
    expect([ask(custom, { key: 'sk-one' }).status, ask(custom, { key: 'sk-two' }).status]).toEqual([
      200, 402,
    ]);
  });

  it('to models by a pattern, with a literal dot', () => {
    const custom = new ProviderSimulator('custom', {
      models: ['a.1', 'ab1', 'a.2'],
      faults: [{ ...BUSY, model: 'a.*' }],
    });
    expect(custom.models.map((model) => ask(custom, { model }).status)).toEqual([500, 200, 500]);
  });

  it('between two times', () => {
    const custom = simulate({ ...BUSY, from: NOON + 10, until: NOON + 20 });
    const at = (now: number): number => ask(custom, { now: NOON + now }).status;
    expect([at(9), at(10), at(19), at(20)]).toEqual([200, 500, 500, 200]);
  });

  it('after `skip` requests, and at most `times` times', () => {
    const custom = simulate({ ...BUSY, skip: 2, times: 3 });
    expect(statuses(custom, 7)).toEqual([200, 200, 500, 500, 500, 200, 200]);
  });

  it('to a share of requests that depends only on the seed', () => {
    const first = statusesOfSeed(1);
    expect(statusesOfSeed(1)).toEqual(first);
    expect(statusesOfSeed(2)).not.toEqual(first);
    const struck = first.filter((status) => status === 500).length;
    expect(struck).toBeGreaterThan(250);
    expect(struck).toBeLessThan(350);
  });

  it('in the order of the script, after the earlier ones are used up', () => {
    const custom = simulate({ kind: 'server-error', times: 1 }, { kind: 'hang', times: 1 });
    expect([ask(custom), ask(custom), ask(custom)].map(({ status, fault }) => fault ?? status)).toEqual([
      500,
      'hang',
      200,
    ]);
  });

  it('and counts only requests that reach it', () => {
    const custom = simulate({ kind: 'congested', times: 1 }, { kind: 'unauthorized', key: 'sk-two' });
    expect(ask(custom, { key: 'sk-two' }).status).toBe(401);
    expect(ask(custom, { model: 'nothing' }).status).toBe(404);
    expect(statuses(custom, 2)).toEqual([503, 200]);
  });

  it('to the model list only by `route`', () => {
    const custom = simulate(BUSY);
    expect(get(custom, '/models').status).toBe(200);
    custom.script({ ...BUSY, route: 'models' });
    expect(get(custom, '/models').status).toBe(500);
    custom.clear();
    custom.script({ kind: 'outage', route: 'any' });
    expect([get(custom, '/models').status, ask(custom).status]).toEqual([502, 502]);
  });
});

describe('a script at run time', () => {
  it('comes before the initial faults, and clear() removes all', () => {
    const custom = simulate({ kind: 'congested' });
    expect(ask(custom).status).toBe(503);
    custom.script({ kind: 'moderated' }, { kind: 'outage', times: 1 });
    expect([ask(custom).status, ask(custom).json]).toEqual([
      502,
      partly({ choices: [partly({ finish_reason: 'content_filter' })] }),
    ]);
    custom.clear();
    expect(ask(custom).status).toBe(200);
  });

  it('is reset() to the initial faults, with unused limits and no calls', () => {
    const custom = new ProviderSimulator('custom', {
      limits: { rpm: 3 },
      faults: [{ ...BUSY, times: 1 }],
    });
    custom.script({ kind: 'congested', skip: 1, times: 1 });
    const first = statuses(custom, 4);
    expect(first).toEqual([500, 200, 503, 429]);
    custom.reset();
    expect(custom.calls).toEqual([]);
    expect(statuses(custom, 4)).toEqual([500, 200, 200, 429]);
  });
});

describe('faults of every provider', () => {
  it.each(NAMES)('%s: a key is revoked while another one stays valid', (name) => {
    const provider = new ProviderSimulator(name);
    const [first, second] = provider.keys;
    provider.script({ kind: 'unauthorized', key: first, from: NOON + HOUR });
    expect(ask(provider, { key: first }).status).toBe(200);
    expect(ask(provider, { key: first, now: NOON + HOUR }).status).toBeGreaterThanOrEqual(400);
    expect(ask(provider, { key: second, now: NOON + HOUR }).status).toBe(200);
    expect(provider.counts.causes).toEqual({ unauthorized: 1 });
  });

  it.each(NAMES)('%s: a refusal repeats the key, the call log does not', (name) => {
    const provider = new ProviderSimulator(name, { keys: 1, faults: [{ kind: 'echo-key', status: 400 }] });
    const [key = ''] = provider.keys;
    const answer = ask(provider);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(key);
    expect(JSON.stringify(provider.calls)).not.toContain(key);
  });

  it.each(NAMES)('%s: hangs, resets, cuts and delays', (name) => {
    const provider = new ProviderSimulator(name, { latencyMs: 5 });
    const whole = ask(provider);
    expect(whole).toMatchObject({ status: 200, delayMs: 5 });
    provider.script({ kind: 'hang', times: 1 }, { kind: 'reset', times: 1 });
    expect(ask(provider)).toMatchObject({ status: 0, fault: 'reset', body: '' });
    expect(ask(provider)).toMatchObject({ status: 0, fault: 'hang', body: '' });
    provider.script({ kind: 'cut', times: 1 }, { kind: 'slow', delayMs: 900, times: 1 });
    expect(ask(provider)).toMatchObject({ status: 200, fault: 'cut', delayMs: 905 });
    expect(provider.counts.causes).toEqual({ reset: 1, hang: 1, cut: 1 });
  });

  it.each(NAMES)('%s: failures with the status 200', (name) => {
    const provider = new ProviderSimulator(name, { limits: { rpm: 100 } });
    const struck = (fault: Fault): unknown => {
      provider.script({ ...fault, times: 1 });
      const { status, json, text } = ask(provider);
      expect(status).toBe(200);
      return json ?? text;
    };
    expect(JSON.stringify(struck({ kind: 'error-in-200' }))).not.toContain('choices');
    expect(struck({ kind: 'error-in-200', as: 'choice' })).toMatchObject({
      choices: [{ finish_reason: 'error', error: { code: 502 } }],
    });
    expect(struck({ kind: 'empty' })).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: '' } }],
    });
    expect(struck({ kind: 'empty', as: 'choices' })).toMatchObject({ choices: [] });
    expect(struck({ kind: 'empty', as: 'body' })).toBe('');
    expect(struck({ kind: 'malformed' })).toEqual(textLike(/^\{".*[^}]$/s));
    expect(struck({ kind: 'garbage' })).toEqual({ choices: 'none', usage: [] });
    expect(struck({ kind: 'content-filter' })).toMatchObject({
      choices: [{ finish_reason: textLike(/^content_filter/) }],
    });
    expect(provider.counts).toMatchObject({ served: 0, refused: 8 });
  });

  it.each(NAMES)('%s: the network edge blocks all requests', (name) => {
    const provider = new ProviderSimulator(name, { faults: [{ kind: 'forbidden' }] });
    expect(ask(provider, { key: 'nobody' }).status).toBe(name === 'google' ? 400 : 403);
  });

  it.each(NAMES)('%s: limits change at the start or later', (name) => {
    const provider = new ProviderSimulator(name, { keys: 1, limits: { rpm: 4 } });
    provider.script({ kind: 'limits', rpm: 2, until: NOON + HOUR });
    expect(statuses(provider, 3)).toEqual([200, 200, 429]);
    expect(statuses(provider, 5, { now: NOON + 2 * HOUR })).toEqual([200, 200, 200, 200, 429]);
  });

  it.each(NAMES)('%s: the model list hangs, fails, or is cut, empty or garbage', (name) => {
    const provider = new ProviderSimulator(name);
    const struck = (fault: Fault): unknown => {
      provider.script({ ...fault, route: 'models', times: 1 });
      const { status, fault: how, json, text } = get(provider, '/models');
      return [how ?? status, json ?? text];
    };
    expect(struck({ kind: 'hang' })).toEqual(['hang', '']);
    expect(struck({ kind: 'server-error', status: 503 })).toEqual([503, anything]);
    expect(struck({ kind: 'cut' })).toEqual(['cut', anything]);
    expect(struck({ kind: 'empty' })).toEqual([200, { data: [] }]);
    expect(struck({ kind: 'malformed' })).toEqual([200, textLike(/^\{"/)]);
    expect(struck({ kind: 'garbage' })).toEqual([200, { data: listWith(null, 42, { id: 7 }) }]);
    expect(provider.counts.total).toBe(0);
    expect(provider.calls.map(({ route }) => route)).toEqual(Array(6).fill('models'));
  });
});

describe('a limit of one model', () => {
  it('applies in addition to the account limits on OpenRouter', () => {
    const openrouter = new ProviderSimulator('openrouter', {
      keys: 1,
      models: ['one:free', 'two:free'],
      faults: [{ kind: 'limits', model: 'one:free', rpm: 1 }],
    });
    expect(statuses(openrouter, 2, { model: 'one:free' })).toEqual([200, 429]);
    expect(statuses(openrouter, 19, { model: 'two:free' }).at(-1)).toBe(429);
  });

  it('is zero for a model that the account may not use', () => {
    const google = new ProviderSimulator('google', {
      faults: [{ kind: 'limits', model: 'gemini-3.8-flash', rpd: 0 }],
    });
    expect(ask(google).text).toContain('limit: 0, model: gemini-3.8-flash');
    expect(google.calls[0]).toMatchObject({ outcome: 'not-entitled' });
  });

  it('shows in the budget that OpenRouter reports', () => {
    const openrouter = new ProviderSimulator('openrouter', { faults: [{ kind: 'limits', rpd: 16 }] });
    statuses(openrouter, 3);
    expect(get(openrouter, '/key').json).toMatchObject({
      data: { free_model_daily_requests: { used: 3, limit: 16, remaining: 13 } },
    });
  });
});

it('requests refused before the limits do not count, failures after them do', () => {
  const google = new ProviderSimulator('google', { keys: 1, limits: { rpm: 2 } });
  google.script({ kind: 'outage', times: 3 }, { kind: 'retired', times: 3 }, { kind: 'congested', times: 1 });
  expect(statuses(google, 9)).toEqual([502, 502, 502, 404, 404, 404, 503, 200, 429]);
  expect(ask(google, { now: NOON + 60 * SECOND }).status).toBe(200);
});
