import { describe, expect, it } from 'vitest';
import { ProviderSimulator } from '../../src/testing.ts';
import { ask, DAY, get, MINUTE, NOON, partly, SECOND, statuses, textLike } from './support.ts';

const FREE = 'z-ai/glm-5.2:free';
const OTHER = 'cohere/north-mini-code:free';
const PAID = 'openai/gpt-oss-20b';

function resetOf(json: unknown): unknown {
  return partly({
    error: partly({
      code: 429,
      metadata: partly({
        headers: partly({ 'X-RateLimit-Reset': String(json) }),
      }),
    }),
  });
}

describe('a free OpenRouter account', () => {
  it('refuses one of 21 calls in a minute of the clock, and reports its end', () => {
    const openrouter = new ProviderSimulator('openrouter', { keys: 1 });
    const start = NOON + 17 * SECOND;
    const answers = Array.from({ length: 21 }, (_, index) =>
      ask(openrouter, { model: FREE, now: start + index }),
    );
    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(20).fill(200), 429]);
    expect(answers[20]?.json).toEqual(resetOf(NOON + MINUTE));
    expect(openrouter.counts).toEqual({ total: 21, served: 20, refused: 1, causes: { 'minute-limit': 1 } });
  });

  it('admits 20 calls again in the next minute of the clock', () => {
    const openrouter = new ProviderSimulator('openrouter', { keys: 1, limits: { rpd: 1000 } });
    statuses(openrouter, 20, { now: NOON + 59 * SECOND });
    expect(ask(openrouter, { now: NOON + MINUTE - 1 }).status).toBe(429);
    expect(statuses(openrouter, 21, { now: NOON + MINUTE })).toEqual([...Array<number>(20).fill(200), 429]);
  });

  it('counts all free models and all keys of the account together', () => {
    const openrouter = new ProviderSimulator('openrouter', {
      keys: [
        { key: 'sk-or-v1-one', account: 'same' },
        { key: 'sk-or-v1-two', account: 'same' },
        { key: 'sk-or-v1-three', account: 'other' },
      ],
    });
    statuses(openrouter, 10, { key: 'sk-or-v1-one', model: FREE });
    statuses(openrouter, 10, { key: 'sk-or-v1-two', model: OTHER });
    expect(ask(openrouter, { key: 'sk-or-v1-one', model: OTHER }).status).toBe(429);
    expect(ask(openrouter, { key: 'sk-or-v1-two', model: FREE }).status).toBe(429);
    expect(ask(openrouter, { key: 'sk-or-v1-three', model: FREE }).status).toBe(200);
  });

  it.each([
    ['free', 50, 'free-models-per-day. Add 10 credits to unlock 1000 free model requests per day'],
    ['credit', 1000, 'free-models-per-day-high-balance. '],
  ])(
    'of the tier %s is refused after %i calls a day, refused ones included, until midnight UTC',
    (tier, rpd, text) => {
      const openrouter = new ProviderSimulator('openrouter', { keys: [{ tier }], limits: { rpm: 10_000 } });
      const midnight = Date.UTC(2026, 9, 11);
      expect(new Set(statuses(openrouter, rpd))).toEqual(new Set([200]));
      const refusal = ask(openrouter);
      expect(refusal.status).toBe(429);
      expect(refusal.json).toMatchObject({
        error: {
          code: 429,
          message: `Rate limit exceeded: ${text}`,
          metadata: {
            headers: {
              'X-RateLimit-Limit': String(rpd),
              'X-RateLimit-Remaining': '0',
              'X-RateLimit-Reset': String(midnight),
            },
            limit_source: 'openrouter_free_tier_daily',
          },
        },
      });
      expect(ask(openrouter, { now: midnight - 1 }).status).toBe(429);
      expect(ask(openrouter, { now: midnight }).status).toBe(200);
    },
  );

  it('loses daily quota to calls that the limit per minute refuses', () => {
    const openrouter = new ProviderSimulator('openrouter', { keys: 1 });
    statuses(openrouter, 60);
    expect(openrouter.counts.causes).toEqual({ 'minute-limit': 30, 'day-limit': 10 });
    expect(ask(openrouter, { now: NOON + MINUTE }).status).toBe(429);
    expect(ask(openrouter, { now: NOON + DAY }).status).toBe(200);
  });

  it('reports its budget at GET /key, where used may exceed limit', () => {
    const openrouter = new ProviderSimulator('openrouter', { keys: 1 });
    statuses(openrouter, 53);
    expect(get(openrouter, '/key').json).toMatchObject({
      data: {
        is_free_tier: true,
        free_model_daily_requests: { used: 53, limit: 50, remaining: 0 },
      },
    });
    expect(get(openrouter, '/key').text).not.toContain(openrouter.keys[0]);
    expect(get(openrouter, '/auth/key').status).toBe(200);
    expect(get(openrouter, '/key', { key: 'sk-or-v1-unknown' }).status).toBe(401);
  });

  it('has a separate limit for a model in demand', () => {
    const openrouter = new ProviderSimulator('openrouter', {
      models: [{ id: 'qwen/qwen3-coder:free', limits: { rpm: 8 } }, FREE],
      keys: 1,
    });
    const answers = Array.from({ length: 9 }, () => ask(openrouter));
    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(8).fill(200), 429]);
    expect(answers[8]?.json).toMatchObject({
      error: {
        message: textLike(
          /^Rate limit exceeded: limit_rpm\/qwen\/qwen3-coder\/[0-9a-f-]{36}\. High demand for qwen\/qwen3-coder:free on OpenRouter - limited to 8 requests per minute\. Please retry shortly\.$/,
        ),
        metadata: { headers: { 'X-RateLimit-Limit': '8' } },
      },
    });
    expect(ask(openrouter, { model: FREE }).status).toBe(200);
  });

  it('gets a 402 for a paid model, which does not count', () => {
    const openrouter = new ProviderSimulator('openrouter', { keys: 1 });
    expect(ask(openrouter, { model: PAID }).status).toBe(402);
    expect(get(openrouter, '/key').json).toMatchObject({ data: { free_model_daily_requests: { used: 0 } } });
    expect(openrouter.calls[0]).toMatchObject({ outcome: 'out-of-credits', paid: false });
  });
});

it('a paid call of an account with credit does not count against the free limits, and is marked as paid', () => {
  const openrouter = new ProviderSimulator('openrouter', { keys: [{ tier: 'credit' }] });
  expect(new Set(statuses(openrouter, 30, { model: PAID }))).toEqual(new Set([200]));
  expect(openrouter.calls[29]).toMatchObject({ outcome: 'served', paid: true });
  expect(ask(openrouter, { model: FREE }).status).toBe(200);
});
