import { expect, it, onTestFinished } from 'vitest';
import { FreeLLM, OpenRouter } from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { inProcessFetch, SimulatedWorld, VirtualClock } from '../../src/testing.ts';
import type { FetchLike } from '../../src/adapters/fetch.ts';

const NOON = Date.parse('2026-11-26T12:00:00Z');
const HOUR_MS = 3_600_000;
const MODEL = 'z-ai/glm-5.2:free';

interface Opened {
  readonly llm: FreeLLM;
  readonly clock: VirtualClock;
  /** How often the account endpoint was asked. */
  readonly asked: () => number;
  /** Sends a request as another program with the same key. */
  readonly elsewhere: () => Promise<number>;
}

function pool(tier: 'free' | 'credit', keyPage?: () => Response): Opened {
  const world = new SimulatedWorld({ openrouter: { keys: [{ tier }] } });
  const clock = new VirtualClock(NOON);
  const send = inProcessFetch(world, clock);
  let asked = 0;
  const fetch: FetchLike = (url, init) => {
    if (!url.endsWith('/key')) return send(url, init);
    asked += 1;
    return keyPage === undefined ? send(url, init) : Promise.resolve(keyPage());
  };
  const { baseUrl, keys } = world.openrouter;
  const llm = new FreeLLM(
    { providers: [new OpenRouter([...keys])], fetch, model: MODEL },
    { clock, cache: memoryCache() },
  );
  onTestFinished(() => llm.close());
  const elsewhere = async (): Promise<number> => {
    const request = send(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys[0]}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Hi' }] }),
    });
    return (await clock.run(request)).status;
  };
  return { llm, clock, asked: () => asked, elsewhere };
}

it('the usage of other programs is known after the first call', async () => {
  const { llm, clock, elsewhere } = pool('free');
  for (let spent = 0; spent < 36; spent += 1) {
    expect(await elsewhere()).toBe(200);
    await clock.advance(4000);
  }
  await clock.run(llm.text('Hello'));
  await clock.advance(1000);
  const [key] = llm.health();
  expect(key?.rpd).toBe(50);
  // The endpoint may be read before or after the call itself is counted.
  expect(key?.rpdUsed).toBeGreaterThanOrEqual(36);
});

it('an account with credit gets the larger daily limit, whatever its configured tier', async () => {
  const { llm, clock } = pool('credit');
  await clock.run(llm.text('Hello'));
  await clock.advance(1000);
  expect(llm.health()).toMatchObject([{ tier: 'free', rpd: 1000, rpdUsed: 1 }]);
});

it('the endpoint is asked once an hour, not with every call', async () => {
  const { llm, clock, asked } = pool('free');
  for (let call = 0; call < 4; call += 1) {
    await clock.run(llm.text('Hello'));
    await clock.advance(10 * 60_000);
  }
  expect(asked()).toBe(1);
  await clock.advance(HOUR_MS);
  expect(asked()).toBe(1);
  await clock.run(llm.text('Hello'));
  expect(asked()).toBe(2);
});

it.each([
  ['an error', () => new Response('{"error":{"message":"No","code":401}}', { status: 401 })],
  ['a page', () => new Response('<!doctype html><title>Maintenance</title>')],
  ['another shape', () => new Response('{"data":{"free_model_daily_requests":"38 of 50"}}')],
])('%s as an answer changes nothing', async (_, keyPage) => {
  const { llm, clock } = pool('free', keyPage);
  await clock.run(llm.text('Hello'));
  await clock.advance(1000);
  expect(llm.health()).toMatchObject([{ rpd: 50, rpdUsed: 1, ready: true, disabled: false }]);
});
