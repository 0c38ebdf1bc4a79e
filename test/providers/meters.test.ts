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
    const zone = 'timeZone' in meter ? ` ${meter.timeZone}` : '';
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
    ['gemini-3.8-flash', 5, 20, 250_000],
    ['gemini-3.5-flash-lite', 15, 500, 250_000],
    ['gemini-2.5-flash-lite', 10, 20, 250_000],
    ['gemma-4-31b-it', 30, 14_400, 16_000],
  ])("Google: an account's use of %s, by the day of California", (model, minute, day, tokens) => {
    expect(shown(SPECS.google, model)).toEqual([
      `token-bucket account-model ${minute}`,
      `daily account-model ${day} America/Los_Angeles`,
      `token-bucket account-model ${tokens}`,
    ]);
  });

  it('NIM: an account, no day', () => {
    expect(shown(SPECS.nim, 'z-ai/glm-5.3')).toEqual([
      'token-bucket account 30',
      'token-bucket account-model 30',
    ]);
  });
});

describe('what is sent is counted without a limit', () => {
  it.each([
    [SPECS.zai, 'glm-4.7-flash', ['concurrency account-model 1', 'token-bucket account Infinity']],
    [SPECS.requesty, 'a/b', ['daily account 200 UTC', 'token-bucket account Infinity']],
    [SPECS.kilo, 'kilo-auto/free', ['token-bucket account 200', 'token-bucket account Infinity']],
  ])('where no limit of the minute is known: $title', (spec, model, meters) => {
    expect(shown(spec, model)).toEqual(meters);
  });
});

describe("the user's own limits", () => {
  it('replace the documented ones of their window, for every model', () => {
    expect(shown(SPECS.google, 'gemma-4-31b-it', 'free', { rpm: 2 })).toEqual([
      'token-bucket account-model 2',
      'daily account-model 14400 America/Los_Angeles',
      'token-bucket account-model 16000',
    ]);
    expect(shown(SPECS.openrouter, 'a/b:free', 'free', { rpm: 7, rpd: 9 })).toEqual([
      'clock-minute account 7',
      'daily account 9 UTC',
    ]);
  });

  it('are added where none is documented', () => {
    expect(shown(SPECS.nim, 'z-ai/glm-5.3', 'free', { rpd: 100 })).toEqual([
      'token-bucket account 30',
      'token-bucket account-model 30',
      'daily account 100 UTC',
    ]);
    expect(shown(SPECS.cohere, 'command-a-03-2025', 'free', { rpd: 30 })).toEqual([
      'token-bucket account-model 20',
      'monthly account 1000 UTC',
      'daily account 30 UTC',
    ]);
    expect(shown(SPECS.kilo, 'kilo-auto/free', 'free', { rpm: 5 })).toEqual([
      'token-bucket account 200',
      'token-bucket account 5',
    ]);
  });

  it('replace those of the last 24 hours where these are the day', () => {
    expect(shown(SPECS.groq, 'openai/gpt-oss-20b', 'free', { rpd: 14_400, tpm: 30_000 })).toEqual([
      'token-bucket account-model 30',
      'refilling-bucket account-model 14400',
      'token-bucket account-model 30000',
      'token-bucket account-model 200000',
    ]);
  });
});

it('gives the same list for the same model, so that nothing is made anew at every call', () => {
  const meters = meterTable(SPECS.openrouter.tiers['free']?.meters ?? [], {});
  expect(meters('a/b:free')).toBe(meters('a/b:free'));
});
