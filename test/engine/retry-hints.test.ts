/** The provider's word about time: many calls at once meet a refusal that says when to come back, or does not. */

import { describe, expect, it } from 'vitest';
import { BadRequestError, FreeLLM, type FreeLLMOptions, OpenAICompatible } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { NOON, SECOND } from '../support/simulated-pool.ts';

const LATENCY_MS = 50;
/** Not the end of a minute of the clock, whatever the hint. */
const START = NOON + 7 * SECOND;

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a provider answers a request that arrives `ms` after the start with `key`. */
type Provider = (ms: number, key: string, length: number) => Answer;

const SERVED = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
};

interface Setup {
  readonly provider: Provider;
  readonly other?: Provider;
  readonly calls?: number;
  readonly keys?: number;
  readonly prompt?: string;
  readonly options?: Partial<FreeLLMOptions>;
}

const made = (name: string, count: number) =>
  new OpenAICompatible(
    Array.from({ length: count }, (_, index) => `key-${name}-${index}-0123456789abcdef`),
    { name, baseUrl: `https://${name}.example/v1`, models: [`m-${name}`] },
  );

/** Makes some calls at once and tells when they were served, how many requests it took, and the errors. */
async function run({ provider, other, calls = 1, keys = 1, prompt = 'Hello', options = {} }: Setup) {
  const clock = new VirtualClock(START);
  const sent: number[] = [];
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const ms = clock.now() - START;
    sent.push(ms);
    await new Promise<void>((resolve) => {
      clock.after(LATENCY_MS, resolve);
    });
    const answer = String(input instanceof Request ? input.url : input).includes('other') ? other : provider;
    const key = new Headers(init?.headers).get('authorization') ?? '';
    const {
      status,
      body = SERVED,
      headers,
    } = answer?.(ms, key, typeof init?.body === 'string' ? init.body.length : 0) ?? { status: 500 };
    return new Response(JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/json', ...headers },
    });
  };
  const providers = [made('first', keys), ...(other === undefined ? [] : [made('other', 1)])];
  const llm = new FreeLLM(
    { providers, fetch, strategy: 'priority', ...options },
    { clock, cache: memoryCache(), env: {} },
  );
  const served: number[] = [];
  const errors: unknown[] = [];
  const one = async (): Promise<void> => {
    try {
      await llm.text(prompt);
      served.push(clock.now() - START);
    } catch (error) {
      errors.push(error);
    }
  };
  await clock.run(Promise.all(Array.from({ length: calls }, one)));
  const tookMs = clock.now() - START;
  await llm.close();
  return { served, errors, requests: sent.length, sent, tookMs };
}

function refusal(headers: Answer['headers'] = {}, status = 429): Answer {
  return { status, headers, body: { error: { message: 'Too many requests' } } };
}

/** Refuses for some seconds, and says so if `hint`. */
function closedFor(seconds: number, hint = true): Provider {
  return (ms) => {
    const leftMs = seconds * SECOND - ms;
    if (leftMs <= 0) return { status: 200 };
    return refusal(hint ? { 'retry-after': String(Math.ceil(leftMs / SECOND)) } : {});
  };
}

const WAITS = { wait: true, maxWaitMs: 100 * SECOND, timeoutMs: 200 * SECOND };

describe.each([1, 2, 3, 5, 10])('%i calls at once', (calls) => {
  describe.each([1, 2])('with %i keys', (keys) => {
    it.each([1, 5, 30])('are all served when a hint of %i seconds ends', async (seconds) => {
      const { served, requests } = await run({ provider: closedFor(seconds), calls, keys, options: WAITS });
      expect(served).toHaveLength(calls);
      expect(Math.max(...served)).toBeLessThanOrEqual(seconds * SECOND + SECOND + LATENCY_MS);
      expect(requests).toBeLessThanOrEqual(calls * (keys + 1));
    });

    it.each([59, 90])('are all served soon after a hint of %i seconds ends', async (seconds) => {
      const { served, requests } = await run({ provider: closedFor(seconds), calls, keys, options: WAITS });
      expect(served).toHaveLength(calls);
      expect(Math.max(...served)).toBeLessThanOrEqual((seconds + 5) * SECOND);
      expect(requests).toBeLessThanOrEqual(calls * (keys + 2));
    });

    it('wait for the end of the minute without a hint, and as long as they may', async () => {
      const options = { ...WAITS, maxWaitMs: 80 * SECOND };
      const { served } = await run({ provider: closedFor(5, false), calls, keys, options });
      expect(served).toHaveLength(calls);
      expect(Math.max(...served)).toBeLessThanOrEqual(62 * SECOND);
    });

    it('pause for a short hint although they may not wait', async () => {
      const { served } = await run({ provider: closedFor(3), calls, keys });
      expect(served).toHaveLength(calls);
    });

    it('fail at once with the truth if the hint is longer than their patience', async () => {
      const options = { wait: true, maxWaitMs: 20 * SECOND };
      const { errors, tookMs } = await run({ provider: closedFor(90), calls, keys, options });
      expect(errors).toHaveLength(calls);
      expect(tookMs).toBeLessThanOrEqual(5 * LATENCY_MS);
      for (const error of errors) {
        expect(error).toMatchObject({ readyAt: START + 90 * SECOND + LATENCY_MS });
        expect(String(error)).toMatch(
          /ready in (89|90) s.* The call waited \d+ of at most maxWaitMs = 20000 ms/,
        );
      }
    });
  });
});

it.each([500, 503, 529])('a hint next to a status of %i is kept, too', async (status) => {
  const provider: Provider = (ms) => (ms < 5000 ? refusal({ 'retry-after': '5' }, status) : { status: 200 });
  const { served } = await run({ provider, calls: 5, options: WAITS });
  expect(served).toHaveLength(5);
  expect(Math.max(...served)).toBeLessThanOrEqual(8 * SECOND);
});

it.each(['0', '-5', 'soon', '', 'Thu, 01 Jan 1970 00:00:00 GMT', 'NaN'])(
  'a hint of %j is none',
  async (hint) => {
    const provider: Provider = (ms) => (ms < 5000 ? refusal({ 'retry-after': hint }) : { status: 200 });
    const { served } = await run({ provider, calls: 3, options: WAITS });
    expect(served).toHaveLength(3);
  },
);

it('the hint of one provider never delays another', async () => {
  const { served } = await run({
    provider: closedFor(90),
    other: () => ({ status: 200 }),
    calls: 10,
    options: WAITS,
  });
  expect(served).toHaveLength(10);
  expect(Math.max(...served)).toBeLessThanOrEqual(2 * LATENCY_MS);
});

it('a provider that counts minutes of the clock is used again when the minute ends', async () => {
  const counts = new Map<number, number>();
  const provider: Provider = (ms) => {
    const at = START + ms;
    const minute = Math.floor(at / 60_000);
    const used = counts.get(minute) ?? 0;
    if (used >= 3) return refusal({ 'retry-after': String(60 - Math.floor((at % 60_000) / SECOND)) });
    counts.set(minute, used + 1);
    return { status: 200 };
  };
  const options = { wait: true, maxWaitMs: 600 * SECOND, timeoutMs: 600 * SECOND };
  const { served, requests } = await run({ provider, calls: 20, options });
  expect(served).toHaveLength(20);
  expect(Math.max(...served)).toBeLessThanOrEqual(7 * 60 * SECOND);
  expect(requests).toBeLessThanOrEqual(50);
});

it('an edge that lets the client in again is found within minutes', async () => {
  const clock = new VirtualClock(START);
  const repairedAt = START + 600 * SECOND;
  const fetch = (): Promise<Response> =>
    Promise.resolve(
      clock.now() < repairedAt
        ? new Response('error code: 1009', { status: 403 })
        : new Response(JSON.stringify(SERVED), {
            status: 200,
            headers: { 'content-type': 'application/json' },
          }),
    );
  const only = new OpenAICompatible('key-0123456789abcdef', {
    name: 'only',
    baseUrl: 'https://only.example/v1',
    models: ['m'],
  });
  const llm = new FreeLLM({ providers: [only], fetch }, { clock, cache: memoryCache(), env: {} });
  let served = false;
  for (let minute = 0; minute <= 15 && !served; minute += 1) {
    served = await clock.run(
      llm.text('Hello').then(
        () => true,
        () => false,
      ),
    );
    await clock.advance(60 * SECOND);
  }
  expect(served).toBe(true);
});

const tooLarge: Provider = (_, __, length) =>
  length > 20_000
    ? { status: 429, body: { error: { message: 'Rate limit reached on tokens per minute (TPM)' } } }
    : { status: 200 };

const tokensSpent: Provider = (ms) =>
  ms < 5000
    ? { status: 429, body: { error: { message: 'Rate limit reached on tokens per minute (TPM)' } } }
    : { status: 200 };

const keyRefused: Provider = () => ({ status: 401, body: { error: { message: 'Invalid API key' } } });

describe('a refusal for tokens on an unused key', () => {
  it('speaks of the request: the other keys are not asked', async () => {
    const prompt = 'word '.repeat(15_000);
    const { errors, requests } = await run({ provider: tooLarge, keys: 5, prompt, options: WAITS });
    expect(requests).toBe(1);
    expect(errors[0]).toBeInstanceOf(BadRequestError);
    expect(errors[0]).toMatchObject({ code: 'context_too_long' });
  });

  it('another provider serves it', async () => {
    const prompt = 'word '.repeat(15_000);
    const { served, requests } = await run({
      provider: tooLarge,
      other: () => ({ status: 200 }),
      keys: 5,
      prompt,
    });
    expect(served).toHaveLength(1);
    expect(requests).toBe(2);
  });

  it('speaks of other clients if the request is short', async () => {
    const { served } = await run({ provider: tokensSpent, keys: 2, options: WAITS });
    expect(served).toHaveLength(1);
  });
});

it('an error does not call a key ready that waiting does not help', async () => {
  const { errors } = await run({ provider: keyRefused });
  const text = String(errors[0]);
  expect(text.includes('Waiting will not help') && text.includes('ready in')).toBe(false);
});
