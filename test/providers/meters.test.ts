import { describe, expect, it } from 'vitest';
import { type LimitOverrides, meterTable } from '../../src/providers/meters.ts';
import { SPECS, type ProviderSpec } from '../../src/providers/spec.ts';

/** `kind per limit zone` of every meter of a model. */
function shown(
  spec: ProviderSpec,
  model: string,
  tier = 'free',
  overrides: LimitOverrides = {},
): readonly string[] {
  const meters = meterTable(spec.tiers[tier]?.meters ?? [], overrides)(model);
  return meters.map((meter) => {
    const zone = meter.kind === 'daily' ? ` ${meter.timeZone}` : '';
    return `${meter.kind} ${meter.per} ${meter.limit}${zone}`;
  });
}

describe('as each provider counts', () => {
  it('OpenRouter: an account over all its free models, by the clock minute and the UTC day', () => {
    expect(shown(SPECS.openrouter, 'z-ai/glm-5.2:free')).toEqual([
      'clock-minute account 20',
      'daily account 50 UTC',
    ]);
    expect(shown(SPECS.openrouter, 'any/other:free', 'credit')).toEqual([
      'clock-minute account 20',
      'daily account 1000 UTC',
    ]);
  });

  it.each([
    ['gemini-3.8-flash', 5, 20],
    ['gemini-3.5-flash-lite', 15, 500],
    ['gemini-2.5-flash-lite', 10, 20],
    ['gemma-4-31b-it', 30, 14_400],
  ])("Google: an account's use of %s, by the day of California", (model, minute, day) => {
    expect(shown(SPECS.google, model)).toEqual([
      `token-bucket account-model ${minute}`,
      `daily account-model ${day} America/Los_Angeles`,
    ]);
  });

  it('NIM: an account, no day', () => {
    expect(shown(SPECS.nim, 'z-ai/glm-5.3')).toEqual(['token-bucket account 30']);
  });
});

describe("the user's own limits", () => {
  it('replace the documented ones of their window, for every model', () => {
    expect(shown(SPECS.google, 'gemma-4-31b-it', 'free', { rpm: 2 })).toEqual([
      'token-bucket account-model 2',
      'daily account-model 14400 America/Los_Angeles',
    ]);
    expect(shown(SPECS.openrouter, 'a/b:free', 'free', { rpm: 7, rpd: 9 })).toEqual([
      'clock-minute account 7',
      'daily account 9 UTC',
    ]);
  });

  it('are added where none is documented', () => {
    expect(shown(SPECS.nim, 'z-ai/glm-5.3', 'free', { rpd: 100 })).toEqual([
      'token-bucket account 30',
      'daily account 100 UTC',
    ]);
  });
});

it('gives the same list for the same model, so that nothing is made anew at every call', () => {
  const meters = meterTable(SPECS.openrouter.tiers['free']?.meters ?? [], {});
  expect(meters('a/b:free')).toBe(meters('a/b:free'));
});
