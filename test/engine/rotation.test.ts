import { describe, expect, it } from 'vitest';
import { NoProvidersAvailableError } from '../../src/index.ts';
import { simulatedPool, HOUR, MINUTE, NOON, SECOND } from '../support/simulated-pool.ts';

describe('a 429 rotates to the next key, then the next model, then the next provider', () => {
  it('at Google, which counts each account and model', async () => {
    const { elsewhere, trace } = simulatedPool({
      strategy: 'priority',
      google: {
        accounts: [['g-1'], ['g-2']],
        models: ['gemini-3.8-flash', 'gemini-3.6-flash'],
      },
      openrouter: { accounts: [['or-1']], models: ['m/a:free'] },
    });
    for (const key of ['g-1', 'g-2'])
      for (const model of ['gemini-3.8-flash', 'gemini-3.6-flash']) elsewhere('google', key, model, 5);
    expect(await trace(2)).toEqual([
      'g-1 gemini-3.8-flash → g-2 gemini-3.8-flash → g-1 gemini-3.6-flash → g-2 gemini-3.6-flash → or-1 m/a:free',
      // What was refused once is not asked again.
      'or-1 m/a:free',
    ]);
  });

  it('at NIM, which names no window, under the default strategy', async () => {
    const { elsewhere, trace } = simulatedPool({
      openrouter: { accounts: [['or-1']], models: ['m/a:free'] },
      nim: { accounts: [['n-1'], ['n-2']], models: ['m/a', 'm/b'] },
    });
    for (const key of ['n-1', 'n-2']) for (const model of ['m/a', 'm/b']) elsewhere('nim', key, model, 40);
    expect(await trace(2)).toEqual([
      'n-1 m/a → n-2 m/a → n-1 m/b → n-2 m/b → or-1 m/a:free',
      'or-1 m/a:free',
    ]);
  });

  it('at OpenRouter, which counts an account over all keys and models: they are skipped together', async () => {
    const { elsewhere, trace } = simulatedPool({
      strategy: 'priority',
      openrouter: {
        accounts: [
          ['or-1', 'or-1b'],
          ['or-2', 'or-2b'],
        ],
        models: ['m/a:free', 'm/b:free'],
      },
      nim: { accounts: [['n-1']], models: ['m/a'] },
    });
    elsewhere('openrouter', 'or-1b', 'm/b:free', 20);
    elsewhere('openrouter', 'or-2', 'm/a:free', 20);
    expect(await trace(2)).toEqual(['or-1 m/a:free → or-2 m/a:free → n-1 m/a', 'n-1 m/a']);
  });

  it('at a provider with unknown limits: each account is held back for a minute', async () => {
    const { elsewhere, trace, clock } = simulatedPool({
      strategy: 'priority',
      custom: { accounts: [['c-1', 'c-1b'], ['c-2']], models: ['large', 'small'], limits: { rpm: 10 } },
    });
    elsewhere('custom', 'c-1', 'large', 10);
    expect(await trace(2)).toEqual(['c-1 large → c-2 large', 'c-2 large']);
    await clock.advance(MINUTE);
    expect(await trace(1)).toEqual(['c-1 large']);
  });
});

describe('a list of models', () => {
  it('is a chain: a later model is used only if no route of an earlier one is left', async () => {
    const pool = simulatedPool({
      strategy: 'round_robin',
      openrouter: { accounts: [['or-1'], ['or-2']], models: ['m/a:free', 'm/b:free'] },
      nim: { accounts: [['n-1']], models: ['m/a'] },
    });
    const model = ['m/b:free', 'm/a', 'auto'];
    expect(await pool.trace(1, { model })).toEqual(['or-1 m/b:free']);
    pool.world.openrouter.script({ kind: 'congested', model: 'm/b:free' });
    expect(await pool.trace(2, { model })).toEqual(['or-2 m/b:free → n-1 m/a', 'n-1 m/a']);
    pool.world.nim.script({ kind: 'congested' });
    expect(await pool.trace(1, { model })).toEqual(['n-1 m/a → or-1 m/a:free']);
    expect(await pool.trace(1, { model: ['m/b:free', 'm/a'] })).toEqual(['NoProvidersAvailableError']);
  });
});

describe('the time that a 429 reports', () => {
  it('a minute ends when the provider says so', async () => {
    const { elsewhere, trace, clock, llm } = simulatedPool({
      startAt: NOON + 21 * SECOND,
      openrouter: { accounts: [['or-1']], models: ['m/a:free'] },
    });
    elsewhere('openrouter', 'or-1', 'm/a:free', 20);
    expect(await trace(2)).toEqual([
      'or-1 m/a:free → NoProvidersAvailableError',
      'NoProvidersAvailableError',
    ]);
    expect(llm.health()).toMatchObject([{ ready: false, readyAt: NOON + MINUTE, rpmUsed: 20, rpm: 20 }]);
    await clock.advance(39 * SECOND);
    expect(await trace(1)).toEqual(['or-1 m/a:free']);
  });

  it("a day's quota is over at the provider's midnight, whatever seconds are named beside it", async () => {
    const { elsewhere, trace, clock, llm } = simulatedPool({
      startAt: Date.UTC(2026, 9, 10, 12),
      google: { accounts: [['g-1']], models: ['gemini-3.8-flash'] },
    });
    for (let minute = 0; minute < 4; minute += 1) {
      elsewhere('google', 'g-1', 'gemini-3.8-flash', 5);
      await clock.advance(MINUTE);
    }
    expect(await trace(1)).toEqual(['g-1 gemini-3.8-flash → NoProvidersAvailableError']);
    const midnightInCalifornia = Date.UTC(2026, 9, 11, 7);
    const [row] = llm.health();
    expect(row).toMatchObject({ ready: false, reason: "today's quota is used up", rpdUsed: 20, rpd: 20 });
    expect(row?.readyAt).toBeGreaterThanOrEqual(midnightInCalifornia);
    expect(row?.readyAt).toBeLessThanOrEqual(midnightInCalifornia + 2 * SECOND);
    await clock.advance(18 * HOUR);
    expect(await trace(1)).toEqual(['NoProvidersAvailableError']);
    await clock.advance(HOUR);
    expect(await trace(1)).toEqual(['g-1 gemini-3.8-flash']);
  });

  it('a lower limit than the documented one is believed and respected', async () => {
    const { world, trace, requests, clock } = simulatedPool({
      openrouter: { accounts: [['or-1']], models: ['m/a:free'], limits: { rpm: 16 } },
    });
    await trace(17);
    expect(world.counts).toMatchObject({ served: 16, causes: { 'minute-limit': 1 } });
    await clock.advance(MINUTE + SECOND);
    await trace(17);
    expect(requests()).toBe(17 + 16);
    expect(world.counts).toMatchObject({ served: 32, causes: { 'minute-limit': 1 } });
  });
});

describe('when no route is left', () => {
  it('says when the next route is ready, and why each key is not', async () => {
    const { elsewhere, fails, llm } = simulatedPool({
      openrouter: { accounts: [['or-1'], ['or-2']], models: ['m/a:free'] },
      nim: { accounts: [['n-1']], models: ['m/a'], faults: [{ kind: 'unauthorized' }] },
    });
    elsewhere('openrouter', 'or-1', 'm/a:free', 20);
    elsewhere('openrouter', 'or-2', 'm/a:free', 20);
    const error = await fails(llm.chat('Hello'));
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(error).toMatchObject({
      code: 'no_providers_available',
      readyAt: NOON + MINUTE,
      attempts: [{ outcome: 'unauthorized' }, { outcome: 'rate_limited' }, { outcome: 'rate_limited' }],
      keys: [
        { provider: 'openrouter', readyAt: NOON + MINUTE, reason: "this minute's quota is used up" },
        { provider: 'openrouter', readyAt: NOON + MINUTE, reason: "this minute's quota is used up" },
        {
          provider: 'nim',
          readyAt: NOON + HOUR,
          reason: expect.stringMatching(
            /^the key was refused as invalid \(make a new one at https:/,
          ) as unknown,
        },
      ],
    });
    expect(String(error)).toContain('The next route is ready in 60 s, at 2026-10-10T12:01:00.000Z');
  });
});
