import { expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { HOUR, NOON, SECOND } from '../support/simulated-pool.ts';

const answer = (content: string, finishReason: string): Response =>
  Response.json({
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finishReason }],
  });

/** The answers of a provider that fails every call. */
const FAILING = {
  'does not answer such requests': () => answer('', 'content_filter'),
  'is overloaded': () => Response.json({ error: { message: 'overloaded' } }, { status: 503 }),
  'limits the rate': () =>
    Response.json({ error: { message: 'slow down' } }, { status: 429, headers: { 'retry-after': '30' } }),
};

const KEYS = Array.from({ length: 8 }, (_, index) => ({ key: `key-${index}`, account: `account-${index}` }));

/** How often each of many calls reads the records. The first provider fails it, and the second takes one at a time. */
async function readsPerCall(failing: () => Response, calls: number): Promise<number> {
  const clock = new VirtualClock(NOON);
  const store = memoryStore();
  let reads = 0;
  const llm = new FreeLLM(
    {
      strategy: 'priority',
      providers: [
        new OpenAICompatible(KEYS, { name: 'one', baseUrl: 'https://one.test/v1', models: ['m'] }),
        new OpenAICompatible('key-two', {
          name: 'two',
          baseUrl: 'https://two.test/v1',
          models: ['m'],
          concurrency: 1,
        }),
      ],
      store: {
        ...store,
        read: (ids) => {
          reads += 1;
          return store.read(ids);
        },
      },
      fetch: (url) =>
        new Promise((resolve) => {
          const isFailing = new URL(url).hostname === 'one.test';
          clock.after(SECOND, () => resolve(isFailing ? failing() : answer('Hello.', 'stop')));
        }),
      wait: true,
      maxWaitMs: HOUR,
      timeoutMs: HOUR,
    },
    { clock, cache: memoryCache(), env: {} },
  );
  await clock.run(Promise.all(Array.from({ length: calls }, (_, call) => llm.chat(`${call}`))));
  return reads / calls;
}

it.each(Object.entries(FAILING))(
  'a call in a crowd reads the records no more often than one in a small crowd while a provider %s',
  async (_name, failing) => {
    const [few, many] = [await readsPerCall(failing, 20), await readsPerCall(failing, 320)];
    expect(many).toBeLessThan(1.5 * few);
  },
);

it('a new call does not overtake one in line behind a call that a provider has refused for good', async () => {
  const clock = new VirtualClock(NOON);
  const served: string[] = [];
  const llm = new FreeLLM(
    {
      strategy: 'priority',
      providers: [
        new OpenAICompatible('key-one', {
          name: 'one',
          baseUrl: 'https://one.test/v1',
          models: ['m'],
          rpm: 1,
        }),
        new OpenAICompatible('key-two', {
          name: 'two',
          baseUrl: 'https://two.test/v1',
          models: ['m'],
          concurrency: 1,
        }),
      ],
      persist: false,
      fetch: (url, { body }) =>
        new Promise((resolve) => {
          const isFirst = new URL(url).hostname === 'one.test';
          const isRefused = isFirst && String(body).includes('refused');
          const reply = isRefused ? answer('', 'content_filter') : answer('Hello.', 'stop');
          clock.after(isFirst ? SECOND / 2 : 300 * SECOND, () => resolve(reply));
        }),
      maxWaitMs: HOUR,
      timeoutMs: HOUR,
      attemptTimeoutMs: HOUR,
    },
    { clock, cache: memoryCache(), env: {} },
  );
  const call = (text: string, wait: boolean): Promise<unknown> =>
    llm.chat(text, { wait }).then(
      () => served.push(text),
      () => served.push(`${text}: no route`),
    );
  const calls = [call('spends the minute of one', true)];
  // At this moment, the route is ready again. This timer is older than that of the line.
  clock.after(120.5 * SECOND, () => void calls.push(call('new', false)));
  await clock.advance(10 * SECOND);
  calls.push(call('holds two', true));
  await clock.advance(10 * SECOND);
  calls.push(call('refused by one', true));
  await clock.advance(41 * SECOND);
  calls.push(call('waits for one', true));
  await clock.advance(60 * SECOND);
  await clock.run(Promise.all(calls));
  expect(served).toEqual([
    'spends the minute of one',
    'new: no route',
    'waits for one',
    'holds two',
    'refused by one',
  ]);
});
