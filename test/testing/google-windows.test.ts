import { describe, expect, it } from 'vitest';
import { ProviderSimulator } from '../../src/testing.ts';
import { anything, ask, HOUR, MINUTE, NOON, SECOND, statuses, textWith } from './support.ts';

const FLASH = 'gemini-3.8-flash';
const LITE = 'gemini-3.5-flash-lite';

/** The violations and the retry hint of the first error of a body. */
function quotaOf(json: unknown): unknown {
  return Array.isArray(json) ? json[0] : undefined;
}

function messages(tokens: number): Record<string, unknown> {
  return { messages: [{ role: 'user', content: 'x'.repeat(4 * tokens) }] };
}

describe('a project of Google AI Studio', () => {
  it('admits five calls of a flash model in any 60 seconds, and reports the wait', () => {
    const google = new ProviderSimulator('google', { keys: 1 });
    for (const second of [0, 10, 20, 30, 40]) {
      expect(ask(google, { model: FLASH, now: NOON + second * SECOND }).status).toBe(200);
    }
    const refusal = ask(google, { model: FLASH, now: NOON + 41_500 });
    expect(refusal.status).toBe(429);
    expect(quotaOf(refusal.json)).toEqual({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: textWith(
          '* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, ' +
            'limit: 5, model: gemini-3.8-flash\nPlease retry in 18.5s.',
        ),
        details: [
          { '@type': 'type.googleapis.com/google.rpc.Help', links: [anything] },
          {
            '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
            violations: [
              {
                quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
                quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier',
                quotaDimensions: { location: 'global', model: FLASH },
                quotaValue: '5',
              },
            ],
          },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '18s' },
        ],
      },
    });
    expect(ask(google, { model: FLASH, now: NOON + MINUTE - 1 }).status).toBe(429);
    expect(ask(google, { model: FLASH, now: NOON + MINUTE }).status).toBe(200);
    expect(ask(google, { model: FLASH, now: NOON + MINUTE }).status).toBe(429);
  });

  it('counts per model and per project, and an alias as its model', () => {
    const google = new ProviderSimulator('google', { keys: 2 });
    const [first, second] = google.keys;
    statuses(google, 5, { key: first, model: FLASH });
    expect(ask(google, { key: first, model: `models/${FLASH}` }).status).toBe(429);
    expect(ask(google, { key: first, model: 'gemini-flash-latest' }).status).toBe(429);
    expect(ask(google, { key: first, model: LITE }).status).toBe(200);
    expect(ask(google, { key: second, model: FLASH }).status).toBe(200);
  });

  it('refuses a model after 20 calls a day, and reports a misleading short wait', () => {
    const google = new ProviderSimulator('google', { keys: 1, limits: { rpm: 1000 } });
    statuses(google, 20, { model: FLASH });
    const refusal = ask(google, { model: FLASH });
    expect(refusal.status).toBe(429);
    expect(refusal.text).toContain('GenerateRequestsPerDayPerProjectPerModel-FreeTier');
    const delay = Number(/"retryDelay":"(\d+)s"/.exec(refusal.text)?.[1]);
    expect(delay).toBeGreaterThanOrEqual(15);
    expect(delay).toBeLessThan(60);
    expect(ask(google, { model: FLASH, now: NOON + (delay + 1) * SECOND }).status).toBe(429);
    expect(google.counts.causes).toEqual({ 'day-limit': 2 });
  });

  it('names the limits per minute and per day if both are exceeded', () => {
    const google = new ProviderSimulator('google', { keys: 1, limits: { rpm: 2, rpd: 2 } });
    const [, , refusal] = Array.from({ length: 3 }, () => ask(google, { model: FLASH }));
    expect(refusal?.text).toContain('GenerateRequestsPerDayPerProjectPerModel-FreeTier');
    expect(refusal?.text).toContain('GenerateRequestsPerMinutePerProjectPerModel-FreeTier');
  });

  it('refuses requests over the tokens per minute, and always a single one that exceeds them', () => {
    const google = new ProviderSimulator('google', { keys: 1, limits: { tpm: 100, rpm: 1000, rpd: 1000 } });
    expect(ask(google, { fields: messages(60) }).status).toBe(200);
    const refusal = ask(google, { fields: messages(60), now: NOON + SECOND });
    expect(refusal.status).toBe(429);
    expect(refusal.text).toContain('GenerateContentInputTokensPerModelPerMinute-FreeTier');
    expect(ask(google, { fields: messages(40), now: NOON + SECOND }).status).toBe(200);
    expect(ask(google, { fields: messages(60), now: NOON + 2 * MINUTE }).status).toBe(200);
    expect(ask(google, { fields: messages(101), now: NOON + HOUR }).status).toBe(429);
  });

  it.each(['gemini-3.1-pro-preview'])('has no free tier for %s: a limit of 0 without a value', (model) => {
    const google = new ProviderSimulator('google', { keys: 1 });
    const refusal = ask(google, { model });
    expect(refusal.status).toBe(429);
    expect(refusal.text).toContain(`limit: 0, model: ${model}`);
    expect(refusal.text).not.toContain('quotaValue');
    expect(google.calls[0]).toMatchObject({ outcome: 'not-entitled', refused: true });
  });

  it('gives the paid tier its own limits and names', () => {
    const google = new ProviderSimulator('google', { keys: [{ tier: 'tier1' }] });
    expect(statuses(google, 301).filter((status) => status === 429)).toHaveLength(1);
    expect(ask(google).text).toContain('"GenerateRequestsPerMinutePerProjectPerModel"');
  });
});

describe('a day of Google ends at midnight in Los Angeles', () => {
  it.each([
    { when: 'in summer (UTC-7)', spentAt: '2026-07-01T18:00:00Z', midnight: '2026-07-02T07:00:00Z' },
    { when: 'in winter (UTC-8)', spentAt: '2026-12-01T18:00:00Z', midnight: '2026-12-02T08:00:00Z' },
    // On 8 March, clocks go from 02:00 to 03:00, so the day has 23 hours.
    { when: 'on the day of 23 hours', spentAt: '2026-03-08T08:00:00Z', midnight: '2026-03-09T07:00:00Z' },
    { when: 'the day before it', spentAt: '2026-03-07T08:00:00Z', midnight: '2026-03-08T08:00:00Z' },
    // On 1 November, clocks go from 02:00 back to 01:00, so the day has 25 hours.
    { when: 'on the day of 25 hours', spentAt: '2026-11-01T07:00:00Z', midnight: '2026-11-02T08:00:00Z' },
    { when: 'in its repeated hour', spentAt: '2026-11-01T09:30:00Z', midnight: '2026-11-02T08:00:00Z' },
    { when: 'the day before that', spentAt: '2026-10-31T07:00:00Z', midnight: '2026-11-01T07:00:00Z' },
  ])('$when', ({ spentAt, midnight }) => {
    const google = new ProviderSimulator('google', { keys: 1, limits: { rpm: 1000, rpd: 3 } });
    expect(statuses(google, 4, { now: Date.parse(spentAt) })).toEqual([200, 200, 200, 429]);
    expect(ask(google, { now: Date.parse(midnight) - 1 }).status).toBe(429);
    expect(statuses(google, 4, { now: Date.parse(midnight) })).toEqual([200, 200, 200, 429]);
  });
});
