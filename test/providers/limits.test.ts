import { describe, expect, it } from 'vitest';
import { type LimitOverrides, limitTable } from '../../src/providers/limits.ts';
import { SPECS, type ProviderSpec } from '../../src/providers/spec.ts';

/** `kind per max zone` of each limit of a model. */
function shown(
  spec: ProviderSpec,
  model: string,
  tier = 'free',
  overrides: LimitOverrides = {},
): readonly string[] {
  const limits = limitTable(spec.tiers[tier]?.limits ?? [], overrides)(model);
  return limits.map((limit) => {
    const zone = 'timeZone' in limit ? ` ${limit.timeZone}` : '';
    return `${limit.kind} ${limit.per} ${limit.max}${zone}`;
  });
}

describe('the documented limits', () => {
  it('OpenRouter: an account over all its free models, by the clock minute and the UTC day', () => {
    expect(shown(SPECS.openrouter, 'z-ai/glm-5.2:free')).toEqual([
      'fixed-window account 20',
      'daily account 50 UTC',
    ]);
    expect(shown(SPECS.openrouter, 'any/other:free', 'credit')).toEqual([
      'fixed-window account 20',
      'daily account 1000 UTC',
    ]);
  });

  it.each([
    ['gemini-3.8-flash', 5, 20, 250_000],
    ['gemini-3.5-flash-lite', 15, 500, 250_000],
    ['gemma-4-31b-it', 30, 14_400, 16_000],
  ])("Google: an account's use of %s, by the day of California", (model, minute, day, tokens) => {
    expect(shown(SPECS.google, model)).toEqual([
      `sliding-window account-model ${minute}`,
      `daily account-model ${day} America/Los_Angeles`,
      `sliding-window account-model ${tokens}`,
    ]);
  });

  it('NIM: an account, no day', () => {
    expect(shown(SPECS.nim, 'z-ai/glm-5.3')).toEqual([
      'sliding-window account 30',
      'sliding-window account-model 30',
    ]);
  });
});

describe('a limit without a number counts requests', () => {
  it.each([
    [SPECS.zai, 'glm-4.7-flash', ['concurrency account-model 1', 'sliding-window account Infinity']],
    [SPECS.requesty, 'a/b', ['daily account 200 UTC', 'sliding-window account Infinity']],
    [SPECS.kilo, 'kilo-auto/free', ['sliding-window account 200', 'sliding-window account Infinity']],
  ])('where no limit of the minute is known: $title', (spec, model, limits) => {
    expect(shown(spec, model)).toEqual(limits);
  });
});

describe("the user's own limits", () => {
  it('replace the documented ones of the same window for every model', () => {
    expect(shown(SPECS.google, 'gemma-4-31b-it', 'free', { rpm: 2 })).toEqual([
      'sliding-window account-model 2',
      'daily account-model 14400 America/Los_Angeles',
      'sliding-window account-model 16000',
    ]);
    expect(shown(SPECS.openrouter, 'a/b:free', 'free', { rpm: 7, rpd: 9 })).toEqual([
      'fixed-window account 7',
      'daily account 9 UTC',
    ]);
  });

  it('are added if none is documented', () => {
    expect(shown(SPECS.nim, 'z-ai/glm-5.3', 'free', { rpd: 100 })).toEqual([
      'sliding-window account 30',
      'sliding-window account-model 30',
      'daily account 100 UTC',
    ]);
    expect(shown(SPECS.cohere, 'command-a-03-2025', 'free', { rpd: 30 })).toEqual([
      'sliding-window account-model 20',
      'monthly account 1000 UTC',
      'daily account 30 UTC',
    ]);
    expect(shown(SPECS.kilo, 'kilo-auto/free', 'free', { rpm: 5 })).toEqual([
      'sliding-window account 200',
      'sliding-window account 5',
    ]);
  });

  it('replace limits of 24 hours, too', () => {
    expect(shown(SPECS.groq, 'openai/gpt-oss-20b', 'free', { rpd: 14_400, tpm: 30_000 })).toEqual([
      'sliding-window account-model 30',
      'token-bucket account-model 14400',
      'sliding-window account-model 30000',
      'sliding-window account-model 200000',
    ]);
  });
});

it('returns the same list for the same model, so that calls build none', () => {
  const limits = limitTable(SPECS.openrouter.tiers['free']?.limits ?? [], {});
  expect(limits('a/b:free')).toBe(limits('a/b:free'));
});
