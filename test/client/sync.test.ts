/** Looks at a store that answers with promises: they show what was read last, and say when. */

import { expect, it, onTestFinished } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { FreeLLM, OpenAICompatible, type StateStore } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { completion } from '../support/server.ts';

const NOON = Date.UTC(2026, 9, 10, 12);

/** The same store, with promises. */
function remote(store: StateStore): StateStore {
  return {
    read: (ids) => Promise.resolve(store.read(ids)),
    swap: (id, version, next) => Promise.resolve(store.swap(id, version, next)),
  };
}

const serves = (): Promise<Response> => Promise.resolve(Response.json(completion('fine')));

function poolOn(store: StateStore, clock: VirtualClock): FreeLLM {
  const mine = new OpenAICompatible('a-key', {
    name: 'mine',
    baseUrl: 'https://mine.test/v1',
    models: ['m'],
    rpm: 5,
    rpd: 50,
  });
  const llm = new FreeLLM(
    { providers: [mine], store, fetch: serves },
    { clock, cache: memoryCache(), env: {} },
  );
  onTestFinished(() => llm.close());
  return llm;
}

function asOfAll(llm: FreeLLM): readonly unknown[] {
  return [llm.health()[0]?.asOf, llm.capacity().asOf, llm.explain()[0]?.asOf];
}

it('sync() shows what another process has stored, and asOf says when it was read', async () => {
  const shared = memoryStore();
  const clock = new VirtualClock(NOON);
  const [worker, watcher] = [poolOn(remote(shared), clock), poolOn(remote(shared), clock)];
  await worker.text('Hello');
  expect(asOfAll(watcher)).toEqual([0, 0, 0]);
  await clock.advance(1000);
  await watcher.sync();
  expect(watcher.capacity().requestsToday).toBe(49);
  expect(watcher.health()[0]).toMatchObject({ rpdUsed: 1 });
  await clock.advance(5000);
  await worker.text('Hello');
  expect(watcher.capacity().requestsToday).toBe(49);
  expect(watcher.capacity().asOf).toBe(NOON + 1000);
  await watcher.sync();
  expect(watcher.capacity().requestsToday).toBe(48);
  expect(asOfAll(watcher)).toEqual([NOON + 6000, NOON + 6000, NOON + 6000]);
});

it('a store that answers at once is read while one looks', async () => {
  const shared = memoryStore();
  const clock = new VirtualClock(NOON);
  const [worker, watcher] = [poolOn(shared, clock), poolOn(shared, clock)];
  await worker.text('Hello');
  expect(watcher.capacity().requestsToday).toBe(49);
  expect(asOfAll(watcher)).toEqual([undefined, undefined, undefined]);
});
