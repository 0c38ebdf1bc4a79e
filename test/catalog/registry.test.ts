import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { memoryCache } from '../support/memory-cache.ts';
import type { DiscoveryReport, ModelDiscovery, ModelSource } from '../../src/catalog/source-list.ts';
import { ModelRegistry } from '../../src/catalog/registry.ts';
import type { ModelCache } from '../../src/ports.ts';
import {
  type Answer,
  answerDeaf,
  answerHanging,
  answerIds,
  answerText,
  answerTrouble,
  ManualClock,
  ScriptedTransport,
  settled,
} from './doubles.ts';

const START = 1_790_000_000_000;
const HOUR = 3_600_000;

const discovery: ModelDiscovery = {
  request: () => ({ method: 'GET', url: 'https://acme.example/v1/models', headers: {} }),
  freeOnly: true,
  exclude: [],
};

const acme: ModelSource = {
  name: 'acme',
  cacheId: 'acme https://acme.example/v1',
  builtIn: [{ id: 'built-in', tags: ['chat'] }],
  discovery,
  cacheTtlMs: HOUR,
};

interface ScriptedRegistry {
  readonly clock: ManualClock;
  readonly transport: ScriptedTransport;
  readonly registry: ModelRegistry;
  readonly reports: DiscoveryReport[];
}

function scriptedRegistry(
  answers: readonly Answer[],
  { sources = [acme], cache = memoryCache(), now = START }: RegistryOptions = {},
): ScriptedRegistry {
  const clock = new ManualClock(now);
  const transport = new ScriptedTransport(answers);
  const reports: DiscoveryReport[] = [];
  const onDiscovery = (report: DiscoveryReport): void => {
    reports.push(report);
  };
  return {
    clock,
    transport,
    reports,
    registry: new ModelRegistry({ sources, clock, transport, cache, onDiscovery }),
  };
}

interface RegistryOptions {
  readonly sources?: readonly ModelSource[];
  readonly cache?: ModelCache;
  readonly now?: number;
}

const ids = (registry: ModelRegistry, name = 'acme'): readonly string[] =>
  registry.models(name).map((model) => model.id);

/** A cache with the list `kept`, discovered `ageMs` before START. */
async function cacheWith(ageMs: number, ...kept: readonly string[]): Promise<ModelCache> {
  const cache = memoryCache();
  const { registry } = scriptedRegistry([answerIds(...kept)], { cache, now: START - ageMs });
  await registry.refresh();
  return cache;
}

describe('the list in use', () => {
  test('is the built-in one before the first discovery', () => {
    const { registry, transport } = scriptedRegistry([answerIds('live')]);
    expect(registry.models('acme')).toBe(acme.builtIn);
    expect(registry.version).toBe(0);
    expect(transport.requests).toEqual([]);
  });

  test('is empty for an unknown provider', () => {
    const { registry } = scriptedRegistry([]);
    expect(registry.models('other')).toEqual([]);
    expect(registry.models('other')).toBe(registry.models('another'));
    expect(registry.ensure(['other'], undefined, 1000)).toBeUndefined();
  });

  test("is the user's own if given, without discovery", async () => {
    const userModels = [{ id: 'mine' }];
    const { registry, transport } = scriptedRegistry([answerIds('live')], {
      sources: [{ ...acme, userModels }],
    });
    expect(registry.ensure(['acme'], undefined, 1000)).toBeUndefined();
    await registry.refresh();
    expect(registry.models('acme')).toBe(userModels);
    expect(transport.requests).toEqual([]);
  });

  test('is the same array until it changes, which increases the version', async () => {
    const { registry } = scriptedRegistry([answerIds('a'), answerIds('a'), answerIds('a', 'b')]);
    await registry.refresh();
    const first = registry.models('acme');
    expect(registry.version).toBe(1);
    await registry.refresh();
    expect(registry.models('acme')).toBe(first);
    expect(registry.version).toBe(1);
    await registry.refresh();
    expect(ids(registry)).toEqual(['a', 'b']);
    expect(registry.version).toBe(2);
  });
});

describe('the first call', () => {
  test('waits for the list, and later calls do not', async () => {
    const { registry, reports, clock } = scriptedRegistry([answerIds('live')]);
    const { signal } = new AbortController();
    await registry.ensure(['acme'], signal, 5000);
    expect(ids(registry)).toEqual(['live']);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(registry.ensure(['acme'], signal, 5000)).toBeUndefined();
    expect(reports).toEqual([{ provider: 'acme', outcome: 'live', models: 1, durationMs: 0 }]);
    await settled();
    expect(clock.pending).toBe(0);
  });

  test('shares one request with concurrent calls', async () => {
    const { registry, transport } = scriptedRegistry([answerIds('live')]);
    await Promise.all(
      Array.from({ length: 1000 }, async () => {
        await registry.ensure(['acme'], undefined, 5000);
      }),
    );
    expect(ids(registry)).toEqual(['live']);
    expect(transport.requests).toHaveLength(1);
  });

  test('waits no longer than allowed, and later calls not at all', async () => {
    const { registry, clock } = scriptedRegistry([answerHanging]);
    const first = registry.ensure(['acme'], undefined, 3000);
    await clock.advance(2999);
    expect(clock.pending).toBe(2);
    const second = registry.ensure(['acme'], undefined, 3000);
    await clock.advance(1);
    expect(clock.pending).toBe(1);
    await Promise.all([first, second]);
    expect(registry.ensure(['acme'], undefined, 3000)).toBeUndefined();
    expect(ids(registry)).toEqual(['built-in']);
  });

  test('ends when its signal aborts, does not affect others and leaves no listener or timer', async () => {
    const { registry, clock } = scriptedRegistry([answerHanging]);
    const controller = new AbortController();
    const left = registry.ensure(['acme'], controller.signal, 3000);
    const patient = registry.ensure(['acme'], new AbortController().signal, 3000);
    expect(clock.pending).toBe(3);
    controller.abort();
    await left;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(clock.pending).toBe(2);
    await clock.advance(3000);
    await patient;
    expect(clock.pending).toBe(1);
    expect(registry.ensure(['acme'], AbortSignal.abort(), 3000)).toBeUndefined();
  });

  test('waits for the slowest of several providers and asks each once', async () => {
    const sources = [
      acme,
      { ...acme, name: 'other', cacheId: 'other' },
      { ...acme, name: 'closed', discovery: undefined },
    ];
    const { registry, transport } = scriptedRegistry([answerIds('live')], { sources });
    await registry.ensure(['acme', 'other', 'closed'], undefined, 3000);
    expect([ids(registry), ids(registry, 'other'), ids(registry, 'closed')]).toEqual([
      ['live'],
      ['live'],
      ['built-in'],
    ]);
    expect(transport.requests).toHaveLength(2);
  });

  test('uses a fresh cached list without a request', async () => {
    const cache = await cacheWith(HOUR - 1, 'kept');
    const { registry, transport, reports } = scriptedRegistry([answerIds('live')], { cache });
    await registry.ensure(['acme'], undefined, 3000);
    expect(ids(registry)).toEqual(['kept']);
    expect(transport.requests).toEqual([]);
    expect(reports).toEqual([{ provider: 'acme', outcome: 'disk', models: 1, durationMs: 0 }]);
  });

  test('uses an old cached list at once while it is replaced', async () => {
    const cache = await cacheWith(HOUR, 'kept');
    const { registry, clock, reports } = scriptedRegistry([answerHanging, answerIds('live')], { cache });
    await registry.ensure(['acme'], undefined, 3000);
    expect(ids(registry)).toEqual(['kept']);
    expect(registry.ensure(['acme'], undefined, 3000)).toBeUndefined();
    await clock.advance(15_000);
    expect(ids(registry)).toEqual(['kept']);
    expect(reports.map((report) => report.outcome)).toEqual(['disk', 'failed']);
  });

  test('does not trust a cached list from the future', async () => {
    const cache = await cacheWith(-HOUR, 'kept');
    const { registry, transport } = scriptedRegistry([answerIds('live')], { cache });
    await registry.ensure(['acme'], undefined, 3000);
    await settled();
    expect(ids(registry)).toEqual(['live']);
    expect(transport.requests).toHaveLength(1);
  });

  test('takes no paid model from a cached list of all models or from a modified file', async () => {
    const cache = memoryCache();
    const everything = scriptedRegistry([answerIds('paid')], {
      cache,
      sources: [{ ...acme, discovery: { ...discovery, freeOnly: false } }],
    });
    await everything.registry.refresh();
    const free = { ...acme, discovery: { ...discovery, freePattern: ':free$' } };
    const guarded = scriptedRegistry([answerIds('gift:free', 'paid')], { cache, sources: [free] });
    await guarded.registry.ensure(['acme'], undefined, 3000);
    await settled();
    expect(ids(guarded.registry)).toEqual(['gift:free']);

    const changed: ModelCache = {
      read: async () => ({
        version: 1,
        savedAt: START,
        models: [{ id: 'paid', free: true }, { id: 'kept:free' }],
      }),
      write: async () => undefined,
    };
    const { registry } = scriptedRegistry([], { cache: changed, sources: [free] });
    await registry.ensure(['acme'], undefined, 3000);
    expect(ids(registry)).toEqual(['kept:free']);
  });
});

describe('an old list', () => {
  test('serves while one request replaces it', async () => {
    const { registry, clock, transport, reports } = scriptedRegistry([
      answerIds('first'),
      answerIds('second'),
    ]);
    await registry.ensure(['acme'], undefined, 3000);
    await clock.advance(HOUR - 1);
    expect(registry.ensure(['acme'], undefined, 3000)).toBeUndefined();
    await settled();
    expect(transport.requests).toHaveLength(1);
    await clock.advance(1);
    for (let call = 0; call < 100; call += 1)
      expect(registry.ensure(['acme'], undefined, 3000)).toBeUndefined();
    expect(ids(registry)).toEqual(['first']);
    await settled();
    expect(ids(registry)).toEqual(['second']);
    expect(transport.requests).toHaveLength(2);
    expect(reports.map((report) => report.outcome)).toEqual(['live', 'live']);
  });

  test('is replaced by a newer list that another process has cached', async () => {
    const cache = memoryCache();
    const here = scriptedRegistry([answerIds('first')], { cache });
    await here.registry.ensure(['acme'], undefined, 3000);
    await here.clock.advance(HOUR);
    const there = scriptedRegistry([answerIds('second')], { cache, now: START + HOUR });
    await there.registry.refresh();
    void here.registry.ensure(['acme'], undefined, 3000);
    await settled();
    expect(ids(here.registry)).toEqual(['second']);
    expect(here.transport.requests).toHaveLength(1);
  });

  test('is replaced after the clock was set back, and serves until then', async () => {
    const { registry, clock } = scriptedRegistry([answerIds('first'), answerIds('second')]);
    await registry.ensure(['acme'], undefined, 3000);
    await clock.advance(-24 * HOUR);
    expect(registry.ensure(['acme'], undefined, 3000)).toBeUndefined();
    await settled();
    expect(ids(registry)).toEqual(['second']);
  });
});

describe('a discovery that fails', () => {
  test.each<[string, Answer, string, readonly number[]]>([
    ['an outage', answerText('busy', 503), 'acme.example answered 503', [250, 500]],
    ['a refusal', answerText('{}', 401), 'acme.example answered 401', []],
    ['a network error', answerTrouble, 'connect ECONNREFUSED 127.0.0.1:9', [250, 500]],
    ['a page', answerText('<html>'), 'acme.example answered 6 characters that are not JSON', []],
    ['a list of nothing', answerText('{"data":[]}'), 'the answer lists no usable model', []],
  ])('by %s keeps the previous list and reports the reason', async (_name, answer, reason, pausesMs) => {
    const { registry, clock, transport, reports } = scriptedRegistry([answer]);
    const waiting = registry.ensure(['acme'], undefined, 3000);
    await settled();
    for (const [retries, pauseMs] of pausesMs.entries()) {
      await clock.advance(pauseMs - 1);
      expect(transport.requests).toHaveLength(1 + retries);
      await clock.advance(1);
      expect(transport.requests).toHaveLength(2 + retries);
    }
    await waiting;
    expect(transport.requests).toHaveLength(1 + pausesMs.length);
    expect(clock.pending).toBe(0);
    expect(ids(registry)).toEqual(['built-in']);
    expect(registry.version).toBe(0);
    expect(reports).toEqual([
      {
        provider: 'acme',
        outcome: 'failed',
        models: 1,
        durationMs: pausesMs.reduce((sum, pauseMs) => sum + pauseMs, 0),
        message: `fetching the model list of acme failed: ${reason}; the previous list (1 in all) stays in use, next try in 60 s`,
      },
    ]);
  });

  test.each([
    ['hanging', answerHanging],
    ['ignoring the signal', answerDeaf],
  ])('because the endpoint is %s ends after 15 s', async (_name, answer) => {
    const { registry, clock, reports } = scriptedRegistry([answer]);
    const waiting = registry.ensure(['acme'], undefined, 60_000);
    await clock.advance(14_999);
    expect(reports).toEqual([]);
    await clock.advance(1);
    await waiting;
    expect(reports).toMatchObject([{ outcome: 'failed', durationMs: 15_000 }]);
    expect(reports[0]?.message).toContain('no complete answer within 15000 ms');
    expect(clock.pending).toBe(0);
  });

  test('is followed by a pause that doubles from a minute to half an hour', async () => {
    const { registry, clock, transport } = scriptedRegistry([answerText('{}', 403)]);
    const pauses: number[] = [];
    let triedAt = clock.now();
    for (let minute = 0; minute < 150; minute += 1) {
      const before = transport.requests.length;
      void registry.ensure(['acme'], undefined, 3000);
      await settled();
      if (transport.requests.length > before) {
        pauses.push((clock.now() - triedAt) / 60_000);
        triedAt = clock.now();
      }
      await clock.advance(60_000);
    }
    expect(pauses).toEqual([0, 1, 2, 4, 8, 16, 30, 30, 30]);
  });

  test('is followed by a short pause again after a success', async () => {
    const refusal = answerText('{}', 403);
    const { registry, clock, transport } = scriptedRegistry([
      refusal,
      refusal,
      answerIds('live'),
      refusal,
      answerIds('newer'),
    ]);
    await registry.refresh();
    await registry.refresh();
    await registry.refresh();
    await clock.advance(HOUR);
    void registry.ensure(['acme'], undefined, 3000);
    await settled();
    await clock.advance(60_000);
    void registry.ensure(['acme'], undefined, 3000);
    await settled();
    expect(transport.requests).toHaveLength(5);
    expect(ids(registry)).toEqual(['newer']);
  });

  test('pauses as long as ever if the clock is set back', async () => {
    const { registry, clock, transport } = scriptedRegistry([answerText('{}', 403), answerIds('live')]);
    await registry.ensure(['acme'], undefined, 3000);
    await clock.advance(-24 * HOUR);
    await clock.advance(60_000);
    await registry.ensure(['acme'], undefined, 3000);
    expect(transport.requests).toHaveLength(2);
    expect(ids(registry)).toEqual(['live']);
  });

  test('is not caused by the cache: a list that cannot be written is still used', async () => {
    const broken: ModelCache = {
      read: async () => ({ version: 'odd' }),
      write: () => Promise.reject(new Error('disk full')),
    };
    const { registry, reports } = scriptedRegistry([answerIds('live')], { cache: broken });
    await registry.refresh();
    expect(ids(registry)).toEqual(['live']);
    expect(reports.map((report) => report.outcome)).toEqual(['live']);
  });
});

describe('refresh', () => {
  test('asks even if a fresh list is cached or the last discovery failed', async () => {
    const cache = await cacheWith(0, 'kept');
    const { registry, transport, reports } = scriptedRegistry([answerText('{}', 403), answerIds('live')], {
      cache,
    });
    await registry.refresh();
    expect(ids(registry)).toEqual(['kept']);
    await registry.refresh();
    expect(ids(registry)).toEqual(['live']);
    expect(transport.requests).toHaveLength(2);
    expect(reports.map((report) => report.outcome)).toEqual(['failed', 'live']);
  });

  test('joins a discovery in flight unless that only reads the cache', async () => {
    const joined = scriptedRegistry([answerIds('live')]);
    void joined.registry.ensure(['acme'], undefined, 3000);
    await Promise.all([joined.registry.refresh(), joined.registry.refresh()]);
    expect(joined.transport.requests).toHaveLength(1);

    const cache = await cacheWith(0, 'kept');
    const { registry, transport } = scriptedRegistry([answerIds('live')], { cache });
    const looking = registry.ensure(['acme'], undefined, 3000);
    await Promise.all([looking, registry.refresh(), registry.refresh()]);
    expect(ids(registry)).toEqual(['live']);
    expect(transport.requests).toHaveLength(1);

    const late = scriptedRegistry([answerIds('live')], { cache: await cacheWith(0, 'kept') });
    await late.registry.ensure(['acme'], undefined, 3000);
    await Promise.all([late.registry.refresh(), late.registry.refresh()]);
    expect(late.transport.requests).toHaveLength(1);
  });

  test('ignores exceptions of the listener', async () => {
    const registry = new ModelRegistry({
      sources: [acme],
      clock: new ManualClock(START),
      transport: new ScriptedTransport([answerIds('live')]),
      cache: memoryCache(),
      onDiscovery: () => {
        throw new Error('a bug');
      },
    });
    await registry.refresh();
    expect(ids(registry)).toEqual(['live']);
  });
});

describe('close', () => {
  test('waits until a list that has arrived is in the cache', async () => {
    const written: string[] = [];
    const releases: (() => void)[] = [];
    const cache: ModelCache = {
      read: () => Promise.resolve(undefined),
      write: async (id) => {
        await new Promise<void>((resolve) => {
          releases.push(resolve);
        });
        written.push(id);
      },
    };
    const { registry } = scriptedRegistry([answerIds('a')], { cache });
    await registry.ensure(['acme'], undefined, 3000);
    await settled();
    const closed = registry.close().then(() => written.slice());
    await settled();
    for (const release of releases) release();
    expect(await closed).toEqual([acme.cacheId]);
  });

  test.each([
    ['hanging', answerHanging],
    ['deaf', answerDeaf],
  ])('aborts a %s discovery at once and reports nothing', async (_name, answer) => {
    const { registry, clock, reports } = scriptedRegistry([answer]);
    const waiting = registry.ensure(['acme'], undefined, 3000);
    const refreshed = registry.refresh();
    await settled();
    void registry.close();
    await Promise.all([waiting, refreshed]);
    expect(clock.pending).toBe(0);
    expect(reports).toEqual([]);
  });

  test('starts nothing, and the lists stay', async () => {
    const { registry, transport } = scriptedRegistry([answerIds('live')]);
    await registry.refresh();
    void registry.close();
    await registry.refresh();
    expect(registry.ensure(['acme'], undefined, 3000)).toBeUndefined();
    expect(ids(registry)).toEqual(['live']);
    expect(transport.requests).toHaveLength(1);
  });
});
