import { describe, expect, it } from 'vitest';
import { ProviderSimulator } from '../../src/testing.ts';
import { ask, MINUTE, NOON, SECOND, statuses } from './support.ts';

const LARGE = 'nvidia/nemotron-3-ultra-550b-a55b';
const OTHER = 'openai/gpt-oss-20b';

describe('an account of NVIDIA NIM', () => {
  it('has 40 calls per minute and model, which no answer reports', () => {
    const nim = new ProviderSimulator('nim', { keys: 1 });
    expect(statuses(nim, 41, { model: LARGE })).toEqual([...Array<number>(40).fill(200), 429]);
    const { json, headers } = ask(nim, { model: LARGE });
    expect(json).toEqual({ status: 429, title: 'Too Many Requests' });
    expect(headers).toEqual({ 'Content-Type': 'application/problem+json' });
    expect(ask(nim, { model: OTHER }).status).toBe(200);
  });

  it('is blocked for longer by repeated requests', () => {
    const nim = new ProviderSimulator('nim', { keys: 1, limits: { rpm: 2 } });
    const at = (seconds: number): number => ask(nim, { model: LARGE, now: NOON + seconds * SECOND }).status;
    expect([at(0), at(1), at(30), at(60)]).toEqual([200, 200, 429, 429]);
    // Refused calls count like served ones.
    expect(at(85)).toBe(429);
    expect(ask(nim, { model: LARGE, now: NOON + 85 * SECOND + MINUTE }).status).toBe(200);
  });

  it('has one limit for all its keys', () => {
    const nim = new ProviderSimulator('nim', {
      keys: [
        { key: 'nvapi-one', account: 'same' },
        { key: 'nvapi-two', account: 'same' },
      ],
      limits: { rpm: 2 },
    });
    expect(ask(nim, { model: LARGE, key: 'nvapi-one' }).status).toBe(200);
    expect(ask(nim, { model: LARGE, key: 'nvapi-two' }).status).toBe(200);
    expect(ask(nim, { model: LARGE, key: 'nvapi-one' }).status).toBe(429);
  });
});

describe('a custom endpoint', () => {
  it('has no limit unless one is given', () => {
    const custom = new ProviderSimulator('custom', { keys: 1 });
    expect(new Set(statuses(custom, 500))).toEqual(new Set([200]));
  });

  it('reports in Retry-After when a request fits again', () => {
    const custom = new ProviderSimulator('custom', { keys: 1, limits: { rpm: 2 } });
    statuses(custom, 2);
    const refusal = ask(custom, { now: NOON + 20_500 });
    expect(refusal).toMatchObject({
      status: 429,
      headers: { 'Retry-After': '40' },
      json: { error: { code: 'rate_limit_exceeded' } },
    });
    expect(ask(custom, { now: NOON + MINUTE }).status).toBe(200);
  });

  it('reports the time to midnight UTC if the daily limit is exceeded', () => {
    const custom = new ProviderSimulator('custom', { keys: 1, limits: { rpd: 1 } });
    statuses(custom, 1);
    expect(ask(custom).headers['Retry-After']).toBe(String(12 * 3600));
  });
});
