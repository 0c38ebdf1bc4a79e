import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Limits, type ProviderOptions, type QuotaStyle } from '../../src/testing.ts';
import { type Answer, ask, at, DAY, HOUR, MINUTE, NOON, SECOND, statuses } from './support.ts';

function endpoint(quota: QuotaStyle, limits: Limits, more: ProviderOptions = {}): ProviderSimulator {
  return new ProviderSimulator('custom', { models: ['m', 'n'], limits, quota, ...more });
}

function rateHeaders({ headers }: Answer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-ratelimit-')));
}

describe('limits of a custom endpoint', () => {
  it('use a sliding window by default', () => {
    const custom = endpoint({}, { rpm: 2 });
    expect(statuses(custom, 3)).toEqual([200, 200, 429]);
    expect(statuses(custom, 1, { now: NOON + MINUTE - 1 })).toEqual([429]);
    expect(statuses(custom, 3, { now: NOON + MINUTE })).toEqual([200, 200, 429]);
  });

  it('refill one by one with `token-bucket`', () => {
    const custom = endpoint({ limiter: 'token-bucket' }, { rpm: 6 });
    expect(statuses(custom, 7)).toEqual([200, 200, 200, 200, 200, 200, 429]);
    expect(statuses(custom, 1, { now: NOON + 10 * SECOND - 1 })).toEqual([429]);
    expect(statuses(custom, 2, { now: NOON + 10 * SECOND })).toEqual([200, 429]);
    expect(statuses(custom, 7, { now: NOON + 2 * MINUTE })).toEqual([200, 200, 200, 200, 200, 200, 429]);
  });

  it('per day refill over 24 hours with `token-bucket`', () => {
    const custom = endpoint({ limiter: 'token-bucket' }, { rpd: 24 });
    expect(statuses(custom, 25).filter((status) => status === 200)).toHaveLength(24);
    expect(statuses(custom, 14, { now: NOON + 13 * HOUR }).filter((status) => status === 200)).toHaveLength(
      13,
    );
  });

  it.each([
    { per: undefined, other: 429 },
    { per: 'account' as const, other: 429 },
    { per: 'account-model' as const, other: 200 },
  ])('count against $per', ({ per, other }) => {
    const custom = endpoint({ per }, { rpm: 1 });
    expect(statuses(custom, 2, { model: 'm' })).toEqual([200, 429]);
    expect(statuses(custom, 1, { model: 'n' })).toEqual([other]);
  });
});

describe('tokens of a custom endpoint', () => {
  // The prompt has 2 tokens, the answer 3.
  it.each([
    { tokens: undefined, fields: {}, fits: 5 },
    { tokens: 'input' as const, fields: { max_tokens: 4 }, fits: 5 },
    { tokens: 'total' as const, fields: {}, fits: 2 },
    { tokens: 'reserved' as const, fields: { max_tokens: 3 }, fits: 2 },
  ])('count as $tokens', ({ tokens, fields, fits }) => {
    const custom = endpoint({ tokens }, { tpm: 10 }, { reply: () => 'Two words ok' });
    const answers = statuses(custom, fits + 1, { fields });
    expect(answers).toEqual([...Array.from({ length: fits }, () => 200), 429]);
  });

  it('reserve 2048 for an answer without max_tokens', () => {
    const custom = endpoint({ tokens: 'reserved' }, { tpm: 2050 });
    expect(statuses(custom, 2)).toEqual([200, 429]);
  });

  it('of one request can exceed the limit per minute', () => {
    const { status, json } = ask(endpoint({ tokens: 'reserved' }, { tpm: 2049 }));
    expect(status).toBe(413);
    expect(at(json, 'error', 'message')).toBe(
      'Request too large for model `m` on tokens per minute (TPM): Limit 2049, Requested 2050, please reduce your message size.',
    );
  });
});

describe('the reports of a custom endpoint', () => {
  it.each([
    { limits: { rpm: 1 }, span: 'requests per minute (RPM)', wait: 60 },
    { limits: { rpd: 1 }, span: 'requests per day (RPD)', wait: 12 * 60 * 60 },
    { limits: { tpm: 3 }, span: 'tokens per minute (TPM)', wait: 60 },
  ])('name the limit on $span and the wait in a refusal', ({ limits, span, wait }) => {
    const custom = endpoint({}, limits);
    ask(custom);
    const { status, headers, json } = ask(custom);
    expect(status).toBe(429);
    expect(headers['Retry-After']).toBe(String(wait));
    expect(at(json, 'error', 'message')).toBe(
      `Rate limit reached on ${span}: Limit ${Object.values(limits).join('')}. Please try again in ${wait}s.`,
    );
  });

  it('name nothing with `refusal: nothing`', () => {
    const custom = endpoint({ refusal: 'nothing' }, { rpm: 1 });
    ask(custom);
    const { status, headers, json } = ask(custom);
    expect(status).toBe(429);
    expect(headers).toEqual({ 'Content-Type': 'application/json' });
    expect(at(json, 'error', 'message')).toBe('Too many requests.');
  });

  it('have no rate-limit headers by default', () => {
    expect(rateHeaders(ask(endpoint({}, { rpd: 10, tpm: 10 })))).toEqual({});
  });

  it('have the remaining quota in headers with `headers`', () => {
    const custom = endpoint({ headers: true, limiter: 'token-bucket' }, { rpd: 1000, tpm: 60, rpm: 1 });
    const reported = {
      'x-ratelimit-limit-requests': '1000',
      'x-ratelimit-remaining-requests': '999',
      'x-ratelimit-reset-requests': '1m26.4s',
      'x-ratelimit-limit-tokens': '60',
      'x-ratelimit-remaining-tokens': '58',
      'x-ratelimit-reset-tokens': '2s',
    };
    expect(rateHeaders(ask(custom))).toEqual(reported);
    const refused = ask(custom);
    expect(refused.status).toBe(429);
    expect(rateHeaders(refused)).toEqual(reported);
  });

  it.each([
    { spent: 1, reset: '1m26.4s' },
    { spent: 2, reset: '2m52.8s' },
    { spent: 80, reset: '1h55m12s' },
  ])('write durations as $reset', ({ spent, reset }) => {
    const custom = endpoint({ headers: true, limiter: 'token-bucket' }, { rpd: 1000 });
    const last = Array.from({ length: spent }, () => ask(custom)).at(-1);
    expect(last?.headers['x-ratelimit-reset-requests']).toBe(reset);
  });

  it('write short durations in milliseconds', () => {
    const custom = endpoint({ headers: true, limiter: 'token-bucket' }, { tpm: 240 });
    expect(ask(custom).headers['x-ratelimit-reset-tokens']).toBe('500ms');
  });
});

function delays(seed: number): number[] {
  const custom = new ProviderSimulator('custom', { models: ['m'], latencyMs: [0, DAY], seed });
  return Array.from({ length: 5 }, () => ask(custom).delayMs);
}

describe('latency', () => {
  it('is drawn for each answer if it has two bounds', () => {
    const custom = new ProviderSimulator('custom', { models: ['m'], latencyMs: [100, 200] });
    const all = Array.from({ length: 50 }, () => ask(custom).delayMs);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...all)).toBeLessThan(200);
    expect(new Set(all).size).toBeGreaterThan(10);
  });

  it('can be set per model', () => {
    const models = [{ id: 'm', latencyMs: [5, 6] as const }, 'n'];
    const custom = new ProviderSimulator('custom', { models, latencyMs: 70 });
    expect([ask(custom, { model: 'm' }).delayMs, ask(custom, { model: 'n' }).delayMs]).toEqual([5, 70]);
  });

  it('is the same for the same seed', () => {
    expect(delays(1)).toEqual(delays(1));
    expect(delays(1)).not.toEqual(delays(2));
  });
});
