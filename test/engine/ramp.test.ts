/** A crowd of calls meets a provider that takes few requests at a time, and says when to come back. */

import { describe, expect, it } from 'vitest';
import { FreeLLM, type FreeLLMOptions, OpenAICompatible } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { NOON, SECOND } from '../support/simulated-pool.ts';

const HEADERS = { 'content-type': 'application/json' };
const SERVED = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
};

interface Setup {
  /** How many requests the provider takes in a sliding window, and the window. */
  readonly max: number;
  readonly perMs: number;
  readonly calls: number;
  readonly startAt?: number;
  /** How long an answer takes. A refusal takes 50 ms. */
  readonly answerMs?: number;
  readonly options?: Partial<FreeLLMOptions>;
}

const PATIENT = { wait: true, maxWaitMs: 600 * SECOND, timeoutMs: 900 * SECOND };

async function crowd({ max, perMs, calls, startAt = NOON, answerMs = 50, options = PATIENT }: Setup) {
  const clock = new VirtualClock(startAt);
  const admitted: number[] = [];
  let refused = 0;
  const after = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(ms, resolve);
    });
  const fetch = async (): Promise<Response> => {
    await after(25);
    const now = clock.now();
    const recent = admitted.filter((at) => at > now - perMs);
    const [first = now] = recent.slice(-max);
    if (recent.length >= max) {
      refused += 1;
      await after(25);
      const retryAfter = String(Math.ceil((first + perMs - now) / SECOND));
      const body = JSON.stringify({ error: { message: 'Too many requests' } });
      return new Response(body, { status: 429, headers: { ...HEADERS, 'retry-after': retryAfter } });
    }
    admitted.push(now);
    await after(answerMs - 25);
    return new Response(JSON.stringify(SERVED), { status: 200, headers: HEADERS });
  };
  const provider = new OpenAICompatible('key-0123456789abcdef', {
    name: 'narrow',
    baseUrl: 'https://narrow.example/v1',
    models: ['m'],
  });
  const llm = new FreeLLM(
    { providers: [provider], fetch, ...options },
    { clock, cache: memoryCache(), env: {} },
  );
  const errors: unknown[] = [];
  const leftMs: number[] = [];
  let most = 0;
  const one = async (): Promise<void> => {
    try {
      const { attempts } = await llm.chat('Hello');
      most = Math.max(most, attempts.length);
    } catch (error) {
      errors.push(error);
      leftMs.push(clock.now() - startAt);
    }
  };
  await clock.run(Promise.all(Array.from({ length: calls }, one)));
  const tookMs = clock.now() - startAt;
  await llm.close();
  return { served: admitted.length, refused, errors, leftMs, tookMs, most };
}

const CROWDS: readonly Setup[] = [
  { max: 1, perMs: SECOND, calls: 30 },
  { max: 1, perMs: SECOND, calls: 30, answerMs: 4000 },
  { max: 2, perMs: SECOND, calls: 30 },
  { max: 1, perMs: 5 * SECOND, calls: 12 },
  { max: 5, perMs: 10 * SECOND, calls: 20 },
  { max: 5, perMs: 10 * SECOND, calls: 20, answerMs: 4000 },
  // The hints end with a minute of the clock, which does not count here.
  { max: 1, perMs: SECOND, calls: 15, startAt: NOON + 50 * SECOND },
];

describe.each(CROWDS)('$calls calls at once, at $max in $perMs ms, answered in $answerMs ms', (setup) => {
  it('are all served soon, after few refusals', async () => {
    const { max, perMs, calls, answerMs = 0 } = setup;
    const { served, refused, errors, tookMs, most } = await crowd(setup);
    expect(errors).toEqual([]);
    expect(served).toBe(calls);
    // The first burst cannot know better. After it, at most one call in four is refused once more.
    expect(refused - (calls - max)).toBeLessThanOrEqual(2 + calls / 4);
    expect(most).toBeLessThanOrEqual(4);
    expect(tookMs).toBeLessThanOrEqual(2 * (calls / max) * perMs + 2 * answerMs);
  });
});

it('calls that may not wait stay a few seconds for those before them', async () => {
  const { served } = await crowd({ max: 2, perMs: SECOND, calls: 8, options: {} });
  expect(served).toBe(8);
});

it('a call that waits is served or leaves when its patience ends, and not before', async () => {
  const maxWaitMs = 10 * SECOND;
  const { served, errors, leftMs } = await crowd({
    max: 1,
    perMs: SECOND,
    calls: 20,
    options: { wait: true, maxWaitMs },
  });
  expect(served).toBeGreaterThanOrEqual(8);
  expect(served + errors.length).toBe(20);
  expect(Math.min(...leftMs)).toBeGreaterThanOrEqual(maxWaitMs - SECOND);
});
