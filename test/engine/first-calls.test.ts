import { describe, expect, it } from 'vitest';
import { memoryCache } from '../support/memory-cache.ts';
import type { Fault } from '../../src/testing.ts';
import {
  simulatedPool,
  type SimulatedPool,
  type SimulatedPoolOptions,
  HOUR,
  KEY,
  NOON,
  SECOND,
} from '../support/simulated-pool.ts';

/** Not one of the models that the library knows by itself. */
const LIVE = 'new/model-70b:free';
const BUILT_IN = 'z-ai/glm-5.2:free';
/** Built in, too. A list of chat models does not name it, so it is kept. */
const EMBEDS = 'nvidia/nemotron-3-embed-1b:free';

/** OpenRouter with a live model and one that the library knows by itself; its list is fetched. */
function pool(faults: readonly Fault[] = [], more: Partial<SimulatedPoolOptions> = {}): SimulatedPool {
  return simulatedPool({ ...more, openrouter: { discover: true, models: [LIVE, BUILT_IN], faults } });
}

const lists = ({ world }: SimulatedPool): number =>
  world.openrouter.calls.filter(({ route }) => route === 'models').length;

describe('the first calls', () => {
  it('send one request for the list of models, however many calls start at once', async () => {
    const here = pool([{ kind: 'slow', delayMs: SECOND, route: 'models' }]);
    const calls = Array.from({ length: 3 }, () => here.llm.chat('Hello', { model: ['chat:large', 'auto'] }));
    const answers = await here.run(Promise.all(calls));
    expect(lists(here)).toBe(1);
    expect(answers.map(({ latencyMs, attempts }) => [latencyMs, attempts.length])).toEqual([
      [SECOND, 1],
      [SECOND, 1],
      [SECOND, 1],
    ]);
    await here.trace(5);
    expect(lists(here)).toBe(1);
    expect(here.llm.models().map(({ id }) => id)).toEqual([BUILT_IN, LIVE, EMBEDS]);
    expect(here.events.find(({ type }) => type !== 'call-start')).toEqual({
      type: 'discovery',
      provider: 'openrouter',
      outcome: 'live',
      models: 3,
      durationMs: SECOND,
    });
  });

  it('know the models that only the list names', async () => {
    const here = pool();
    expect(await here.trace(1, { model: LIVE })).toEqual([`${KEY.openrouter} ${LIVE}`]);
    const models = here.llm.models();
    expect(models.find(({ id }) => id === LIVE)).toMatchObject({
      provider: 'openrouter',
      free: true,
      ctx: 131_072,
    });
  });

  it.each([
    [20 * SECOND, 3 * SECOND],
    [4 * SECOND, SECOND],
    [400, 100],
  ])(
    'with timeoutMs: %i wait %i ms for a list that hangs, and are answered from what is built in',
    async (timeoutMs, waited) => {
      const here = pool([{ kind: 'hang', route: 'models' }]);
      const answers = Promise.all([
        here.llm.chat('Hello', { timeoutMs }),
        here.llm.chat('Hello', { timeoutMs }),
      ]);
      for (const { latencyMs, model } of await here.run(answers)) {
        expect(latencyMs).toBe(waited);
        expect(model).toBe(BUILT_IN);
      }
      // A list that hangs costs a pool one wait, not one for every call.
      expect(await here.run(here.llm.chat('Hello', { timeoutMs }))).toMatchObject({ latencyMs: 0 });
      expect(lists(here)).toBe(1);
      await here.clock.advance(15 * SECOND);
      expect(here.events.filter(({ type }) => type === 'discovery')).toMatchObject([
        { outcome: 'failed', models: 13 },
      ]);
      expect([here.clock.pending, here.transport.open]).toEqual([0, 0]);
    },
  );

  const broken: readonly (readonly [string, Fault])[] = [
    ['a gateway page', { kind: 'outage', route: 'models' }],
    ['a server error', { kind: 'server-error', route: 'models' }],
    ['a broken connection', { kind: 'reset', route: 'models' }],
    ['a refusal at the edge', { kind: 'forbidden', route: 'models' }],
    ['an error inside a 200', { kind: 'error-in-200', route: 'models' }],
    ['an empty list', { kind: 'empty', route: 'models' }],
    ['an empty body', { kind: 'empty', as: 'body', route: 'models' }],
    ['JSON that ends in the middle', { kind: 'malformed', route: 'models' }],
    ['entries that are none', { kind: 'garbage', route: 'models' }],
    ['a body that breaks off', { kind: 'cut', route: 'models' }],
  ];

  it.each(broken)('do not fail if the list endpoint answers with %s', async (_, fault) => {
    const here = pool([fault]);
    const { model, latencyMs, attempts } = await here.run(here.llm.chat('Hello'));
    expect({ model, attempts: attempts.length }).toEqual({ model: BUILT_IN, attempts: 1 });
    expect(latencyMs).toBeLessThanOrEqual(3 * SECOND);
    expect(await here.run(here.llm.chat('Hello'))).toMatchObject({ latencyMs: 0 });
    await here.llm.close();
    await here.clock.advance(0);
    expect([here.clock.pending, here.transport.open]).toEqual([0, 0]);
  });

  it('do not wait for lists if the model that they name is known', async () => {
    const here = pool([{ kind: 'hang', route: 'models' }]);
    expect(await here.run(here.llm.chat('Hello', { model: BUILT_IN }))).toMatchObject({ latencyMs: 0 });
    await here.llm.close();
  });
});

describe('a discovered list', () => {
  it('is used by the next FreeLLM, which fetches it again only if it is old', async () => {
    const cache = memoryCache();
    const here = pool([], { cache });
    await here.trace(1);
    const next = here.sibling();
    await here.run(next.chat('Hello', { model: LIVE }));
    expect(lists(here)).toBe(1);
    expect(next.models()).toEqual(here.llm.models());
    await here.clock.advance(HOUR);
    here.world.openrouter.script({ kind: 'slow', delayMs: SECOND, route: 'models' });
    const later = here.sibling();
    expect(await here.run(later.chat('Hello', { model: LIVE }))).toMatchObject({ latencyMs: 0 });
    await here.clock.advance(2 * SECOND);
    expect(lists(here)).toBe(2);
  });

  it('serves the next FreeLLM even if the endpoint no longer answers', async () => {
    const here = pool();
    await here.trace(1);
    await here.clock.advance(48 * HOUR);
    here.world.openrouter.script({ kind: 'hang', route: 'models' });
    const next = here.sibling();
    expect(await here.run(next.chat('Hello', { model: LIVE }))).toMatchObject({ latencyMs: 0, model: LIVE });
    await next.close();
  });

  it('is refreshed in the background once it is old: no call waits for it', async () => {
    const here = pool();
    await here.trace(1);
    await here.clock.advance(HOUR);
    here.world.openrouter.script(
      { kind: 'retired', model: BUILT_IN },
      { kind: 'slow', delayMs: 2 * SECOND, route: 'models' },
    );
    expect(await here.run(here.llm.chat('Hello', { model: LIVE }))).toMatchObject({ latencyMs: 0 });
    expect(here.llm.models()).toHaveLength(3);
    await here.clock.advance(2 * SECOND);
    expect(here.llm.models().map(({ id }) => id)).toEqual([LIVE, EMBEDS]);
    expect(await here.trace(1)).toEqual([`${KEY.openrouter} ${LIVE}`]);
  });
});

describe('refreshModels()', () => {
  it('fetches the lists again, resolves with what is known then, and calls use it', async () => {
    const here = pool();
    await here.trace(1);
    here.world.openrouter.script({ kind: 'retired', model: BUILT_IN });
    const models = await here.run(here.llm.refreshModels());
    expect(models.map(({ provider, id }) => [provider, id])).toEqual([
      ['openrouter', LIVE],
      ['openrouter', EMBEDS],
    ]);
    expect(lists(here)).toBe(2);
    expect(await here.trace(1)).toEqual([`${KEY.openrouter} ${LIVE}`]);
  });

  it('does not reject if a provider fails, and keeps what was known', async () => {
    const here = pool();
    await here.run(here.llm.refreshModels());
    here.world.openrouter.script({ kind: 'garbage', route: 'models' });
    expect(await here.run(here.llm.refreshModels())).toHaveLength(3);
    expect(here.events.at(-1)).toMatchObject({ type: 'discovery', outcome: 'failed', models: 3 });
    expect(here.clock.now()).toBe(NOON);
  });
});
