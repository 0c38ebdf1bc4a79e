/**
 * What is known of accounts that admit nothing is remembered, and models that accounts treat alike share it. It must not show:
 * each decision and each report is as if every route had been looked at anew.
 */

import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../src/core/circuit-breaker.ts';
import { firstsOf } from '../../src/core/routing/alike.ts';
import { FAILURE_EFFECTS, type FailureKind } from '../../src/core/failure.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import type { Candidate, PoolAccount, Stage } from '../../src/core/pool.ts';
import { routesOf } from '../../src/core/report/explain.ts';
import { type KeyReadiness, soonestOfKeys } from '../../src/core/report/soonest.ts';
import { plan } from '../../src/core/routing/plan.ts';
import type { FailedAttempt, Question, TokenEstimate } from '../../src/core/routing/question.ts';
import { limitTable } from '../../src/providers/limits.ts';
import { preferencesOf, StoredRecords } from '../vectors/pool.ts';
import {
  DAY,
  happen,
  isKind,
  MINUTE,
  outcomeAt,
  PoolWorld,
  providerOf,
  SCOPES_OF,
  steps,
  perMinute,
} from './pool-world.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const RPM: Limit = perMinute(2);
const LIMITS: Readonly<Record<string, readonly Limit[]>> = {
  'few requests': [RPM],
  'an assumed limit': [{ ...RPM, max: 4, assumed: true }],
  'a day': [RPM, { ...RPM, id: 'rpd', kind: 'daily', max: 9, timeZone: 'UTC' }],
  tokens: [RPM, { ...RPM, id: 'tpm', unit: 'tokens', max: 5000, counts: 'reserved' }],
  texts: [{ ...RPM, max: 20, counts: 'inputs' }],
  'a token bucket': [{ ...RPM, kind: 'token-bucket', max: 3, windowMs: DAY }],
  'a minute of the clock': [{ ...RPM, kind: 'fixed-window' }],
  'requests at once': [{ ...RPM, id: 'now', kind: 'concurrency', max: 1 }],
  'a limit by model': [
    { ...RPM, max: 6 },
    { ...RPM, id: 'own', per: 'account-model' },
  ],
  'an assumed limit by model': [{ ...RPM, max: 3, per: 'account-model', assumed: true }],
  'tokens by model': [
    { ...RPM, per: 'account-model' },
    { ...RPM, id: 'tpm', per: 'account-model', unit: 'tokens', max: 3000 },
  ],
};

/** The account with limits of which no two models share a list. */
function apart(account: PoolAccount): PoolAccount {
  return { ...account, limits: (model) => [...account.limits(model)] };
}

/** A candidate of which nothing is remembered. */
function unknown({ provider, models }: Candidate): Candidate {
  return { models, provider: { ...provider, accounts: provider.accounts.map(apart) } };
}

/** A request, and how much later or earlier than the last one it comes. */
interface Ask {
  readonly ms: number;
  readonly tokens: number;
  readonly inputs: number;
  readonly maxTokens: number | undefined;
}

interface Situation {
  readonly limits: readonly (readonly Limit[])[];
  readonly isSplit: boolean;
  readonly preferCheapest: boolean;
  readonly waits: boolean;
  readonly size: number;
  readonly failed: readonly { which: number; kind: FailureKind; scope: number; lastsMs: number }[];
}

const situations: fc.Arbitrary<Situation> = fc.record({
  limits: fc.array(fc.constantFrom(...Object.values(LIMITS)), { minLength: 2, maxLength: 2 }),
  isSplit: fc.boolean(),
  preferCheapest: fc.boolean(),
  waits: fc.boolean(),
  size: fc.constantFrom(100, 5000),
  failed: fc.array(
    fc.record({
      which: fc.nat(50),
      kind: fc.constantFrom(...Object.keys(FAILURE_EFFECTS).filter(isKind)),
      scope: fc.nat(3),
      lastsMs: fc.constantFrom(500, MINUTE, Number.POSITIVE_INFINITY),
    }),
    { maxLength: 3 },
  ),
});

const asks: fc.Arbitrary<Ask> = fc.record({
  ms: fc.constantFrom(0, 0, 1, 999, 5000, MINUTE, 2 * DAY, -1, -5000),
  tokens: fc.constantFrom(1, 200, 300, 2000, 9000),
  inputs: fc.constantFrom(1, 2, 15),
  maxTokens: fc.constantFrom(undefined, undefined, 10, 4000),
});
const someAsks = fc.array(asks, { minLength: 1, maxLength: 2 });
const histories = fc.array(fc.tuple(steps(outcomeAt(NOW), 2 * MINUTE), someAsks), {
  minLength: 20,
  maxLength: 80,
  size: 'max',
});

function failedAttempts({ failed }: Situation, stage: Stage): readonly FailedAttempt[] {
  const routes = stage.flatMap(({ provider, models }) =>
    provider.accounts.flatMap(({ id, keyIds }) =>
      keyIds.flatMap((keyId) =>
        models.map((model) => ({ provider: provider.name, account: id, keyId, model: model.id })),
      ),
    ),
  );
  return failed.flatMap(({ which, kind, scope: index, lastsMs }) => {
    const route = routes[which % routes.length];
    const scope = SCOPES_OF[kind][index % SCOPES_OF[kind].length];
    if (route === undefined || scope === undefined) return [];
    return [{ route, failure: { kind, scope, message: '' }, excludedUntil: NOW + lastsMs }];
  });
}

/** A question about a pool to which something has happened. */
function questionOf(
  world: PoolWorld,
  situation: Situation,
  { ms, tokens, inputs, maxTokens }: Ask,
): Question {
  const { stage } = world;
  const estimate = (): TokenEstimate => ({ prompt: tokens, least: Math.ceil(tokens / 2), maxTokens });
  return {
    ...world.question(),
    now: world.now + ms,
    stages: situation.isSplit ? [halves(stage), stage] : [stage],
    preferences: {
      ...preferencesOf({ strategy: 'quota_aware', turn: 0 }),
      preferCheapest: situation.preferCheapest,
    },
    needs: {
      size: situation.size,
      capabilities: ['tools'],
      fields: ['seed'],
      tokens: estimate,
      batch: { inputs, longest: situation.size, longestTokens: estimate },
    },
    failedAttempts: failedAttempts(situation, stage),
    waitUntil: situation.waits ? Number.POSITIVE_INFINITY : 0,
  };
}

const halfStages = new WeakMap<Stage, Stage>();

/** The stage with some of its models: always the same for one stage. */
function halves(stage: Stage): Stage {
  const half =
    halfStages.get(stage) ?? stage.map(({ provider, models }) => ({ provider, models: models.slice(2) }));
  halfStages.set(stage, half);
  return half;
}

/** Asks in each situation between the things that happen. */
function check(property: (question: Question) => void): void {
  fc.assert(
    fc.property(histories, situations, (history, situation) => {
      const [first = [], second = []] = situation.limits;
      const world = new PoolWorld(NOW, [providerOf(4, 5, first), providerOf(2, 3, second, 'beta')]);
      for (const [step, questions] of history) {
        happen(world, step);
        for (const ask of questions) property(questionOf(world, situation, ask));
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
}

/** The soonest route of each key, found among all routes. */
function soonestByRoute(question: Question): readonly KeyReadiness[] {
  const soonest = new Map<string, KeyReadiness>();
  for (const { provider, keyId, readyAt = Number.POSITIVE_INFINITY, reason } of routesOf(question)) {
    const id = `${provider} ${keyId}`;
    const known = soonest.get(id);
    if (known === undefined || readyAt < known.readyAt) soonest.set(id, { provider, keyId, readyAt, reason });
  }
  return [...soonest.values()];
}

/** Reports on the keys until all is remembered, and compares that with all routes. Returns when the first key is ready. */
function firstReadyAt(question: Question): number | undefined {
  const reports = [1, 2, 3, 4].map(() => soonestOfKeys(question).flat());
  for (const report of reports) expect(report).toEqual(soonestByRoute(question));
  return reports[0]?.[0]?.readyAt;
}

describe('what is known of routes', () => {
  it('decides as if each had been looked at anew', () => {
    check((question) => {
      const naive = { ...question, stages: question.stages.map((stage) => stage.map(unknown)) };
      const { target, ...decision } = { target: undefined, ...plan(question) };
      const { target: expected, ...other } = { target: undefined, ...plan(naive) };
      expect({ ...decision, route: target?.route }).toEqual({ ...other, route: expected?.route });
    });
  });

  it('reports the first of the soonest routes of each key', () => {
    check((question) => {
      expect(soonestOfKeys(question).flat()).toEqual(soonestByRoute(question));
    });
  });

  const SPENT = { spent: [[NOW + MINUTE, 2] as const] };
  const LATE = NOW + 10 * MINUTE;
  const AHEAD = {
    state: 'open',
    at: NOW + 20_000,
    until: NOW + 40_000,
    trips: 1,
    generation: 1,
    reason: 'forbidden',
  };

  /** An account that has spent its minute for each of three models, and keys as given. */
  function idleRecords(keys: Record<string, unknown>, models: Record<string, unknown> = {}): StoredRecords {
    const limiters = { 'own m0': { spent: [[NOW + 30_000, 2]] }, 'own m1': SPENT, 'own m2': SPENT };
    return new StoredRecords({
      providers: { alpha: { models } },
      accounts: { 'alpha/a0': { limiters, keys } },
    });
  }

  function idleQuestion(records: StoredRecords): Question {
    const world = new PoolWorld(NOW, [providerOf(1, 3, [{ ...RPM, id: 'own', per: 'account-model' }])]);
    return { ...world.question(), records, waitUntil: 0 };
  }

  it.each<{
    why: string;
    keys?: Record<string, unknown>;
    models?: Record<string, unknown>;
    later: Partial<Question>;
    readyAt: number;
  }>([
    {
      why: 'the clock, which was set back, reaches the moment at which its key was refused',
      keys: { 'alpha-k0-1': { breaker: AHEAD } },
      later: { now: NOW + 20_000 },
      readyAt: NOW + 40_000,
    },
    {
      why: 'the clock, which was set back, reaches the moment at which its models were busy',
      models: { m0: { breaker: AHEAD }, m1: { breaker: AHEAD }, m2: { breaker: AHEAD } },
      later: { now: NOW + 20_000 },
      readyAt: NOW + 40_000,
    },
    {
      why: 'the next request needs what its soonest model lacks',
      models: { m0: { breaker: CLOSED, lacks: ['tools'] } },
      later: { needs: { size: 100, capabilities: ['tools'] } },
      readyAt: NOW + MINUTE,
    },
  ])('reports an idle account anew if $why', ({ keys = {}, models = {}, later, readyAt }) => {
    const question = idleQuestion(idleRecords(keys, models));
    expect(firstReadyAt(question)).toBe(NOW + 30_000);
    expect(firstReadyAt({ ...question, ...later })).toBe(readyAt);
  });

  it('reports the soonest model of an idle account, although another candidate has only later ones', () => {
    const question = idleQuestion(idleRecords({}));
    const [stage = []] = question.stages;
    const later = stage.map(({ provider, models }) => ({ provider, models: models.slice(1, 2) }));
    expect(firstReadyAt({ ...question, stages: [later] })).toBe(NOW + MINUTE);
    expect(firstReadyAt({ ...question, stages: [stage, later] })).toBe(NOW + 30_000);
  });

  it.each<{ why: string; busy: boolean; failed: readonly FailedAttempt[] }>([
    { why: 'is busy for longer', busy: true, failed: [] },
    {
      why: 'failed in this call',
      busy: false,
      failed: [
        {
          route: { provider: 'alpha', account: 'a0', keyId: 'k0', model: 'm0' },
          failure: { kind: 'not_entitled', scope: 'account-model', message: '' },
          excludedUntil: Number.POSITIVE_INFINITY,
        },
      ],
    },
  ])('has a model ready when the account is, although the first model $why', ({ busy, failed }) => {
    const records = new StoredRecords({
      providers: {
        alpha: busy
          ? {
              models: {
                m0: {
                  breaker: {
                    state: 'open',
                    at: NOW,
                    until: LATE,
                    trips: 1,
                    generation: 1,
                    reason: 'model_busy',
                  },
                },
              },
            }
          : {},
      },
      accounts: { 'alpha/a0': { limiters: { rpm: SPENT } } },
    });
    const world = new PoolWorld(NOW, [providerOf(1, 3, [RPM])]);
    const question = { ...world.question(), records, failedAttempts: failed, waitUntil: 0 };
    expect(plan(question)).toMatchObject({ kind: 'give-up', readyAt: NOW + MINUTE });
  });

  it('is shared by models whose limits all count the whole account, and are the same', () => {
    const table = limitTable(
      [
        {
          id: 'rpm',
          kind: 'sliding-window',
          unit: 'requests',
          per: 'account',
          marginMs: 0,
          max: [
            { models: 'big', limit: 2 },
            { models: '*', limit: 5 },
          ],
        },
      ],
      {},
    );
    const account = { id: 'a', recordId: 'a', keyIds: ['k'], limits: table };
    const provider = {
      name: 'p',
      recordId: 'p',
      index: 0,
      priority: 0,
      accounts: [account],
      trip: () => undefined,
    };
    const models = ['one', 'big', 'two'].map((id) => ({ id }));
    const [one, big, two] = firstsOf({ provider, models });
    expect(one).toBe(two);
    expect(big).not.toBe(one);
    const own = limitTable(
      [{ id: 'rpm', kind: 'sliding-window', unit: 'requests', per: 'account-model', marginMs: 0, max: 5 }],
      {},
    );
    const alone = { ...provider, accounts: [account, { ...account, limits: own }] };
    expect(firstsOf({ provider: alone, models })).toEqual([0, 1, 2]);
  });
});
