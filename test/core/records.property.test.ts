import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import type { RouteRecords } from '../../src/core/ledger/reserve.ts';
import type { CircuitBreaker } from '../../src/core/circuit-breaker.ts';
import { explain } from '../../src/core/report/explain.ts';
import { keyStatuses, quotaStatuses } from '../../src/core/report/health.ts';
import { routeStatuses } from '../../src/core/report/routes.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import { readAccountRecord } from '../../src/core/records/account.ts';
import { readProviderRecord } from '../../src/core/records/provider.ts';
import {
  happen,
  MINUTE,
  mildOutcome,
  outcomeAt,
  PoolWorld,
  providerOf,
  type Step,
  steps,
  perMinute,
} from './pool-world.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

const LIMITS: readonly Limit[] = [
  perMinute(20),
  { id: 'clock', kind: 'fixed-window', unit: 'requests', per: 'account-model', max: 9, marginMs: 250 },
  { id: 'rpd', kind: 'daily', unit: 'requests', per: 'account', max: 500, timeZone: 'UTC', marginMs: 1000 },
  {
    id: 'tpm',
    kind: 'sliding-window',
    unit: 'tokens',
    per: 'account-model',
    max: 250_000,
    windowMs: MINUTE,
    marginMs: 250,
  },
];
/** Tokens of a refused request are given back; its request stays counted. */
const OF_REQUESTS = LIMITS.filter(({ unit }) => unit === 'requests');

const histories = fc.array(steps(outcomeAt(NOW), 10 * MINUTE), {
  minLength: 300,
  maxLength: 300,
  size: 'max',
});

/** A pool of two providers to which something has happened. Everything in it is frozen. */
function worldAfter(history: readonly Step[], limits: readonly Limit[] = LIMITS): PoolWorld {
  const world = new PoolWorld(NOW, [providerOf(2, 2, limits), providerOf(1, 2, limits, 'beta')]);
  for (const step of history) happen(world, step);
  return world;
}

function allRecords(world: PoolWorld): readonly RouteRecords[] {
  return world.stage.flatMap(({ provider }) =>
    provider.accounts.map((account) => world.records.of({ provider, account })),
  );
}

describe('reading the state', () => {
  it('at health, capacity, routes and a dry run never changes a record', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = worldAfter(history);
        const before = allRecords(world);
        const text = JSON.stringify(before);
        for (const candidate of world.stage) {
          routeStatuses(world.records, candidate, world.now);
          keyStatuses(world.records, candidate, world.now);
          quotaStatuses(world.records, candidate, world.now);
        }
        explain(world.question());
        world.decide();
        const after = allRecords(world);
        for (const [index, records] of after.entries()) {
          expect(records.provider).toBe(before[index]?.provider);
          expect(records.account).toBe(before[index]?.account);
        }
        expect(JSON.stringify(after)).toBe(text);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('shows as ready exactly what the next call would be given', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = worldAfter(history);
        const rows = explain(world.question());
        const decision = world.decide();
        const [first] = rows;
        if (decision.kind === 'attempt') {
          expect(first).toMatchObject({ ...decision.target.route, ready: true });
        } else {
          expect(rows.filter(({ ready }) => ready)).toEqual([]);
          if (decision.kind === 'wait') expect(first?.readyAt).toBe(decision.until);
        }
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  it('shows every route once, the ready ones first', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = worldAfter(history);
        const rows = explain(world.question());
        const ids = rows.map(({ keyId, model }) => `${keyId} ${model}`);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toHaveLength((4 + 2) * 2);
        const waits = rows.map(({ ready, readyAt }) => (ready ? 0 : (readyAt ?? Infinity)));
        expect(waits).toEqual(waits.toSorted((a, b) => a - b));
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

/** How bad a breaker is: closed ones by their strikes, others by their trips. */
function worseThan(after: CircuitBreaker, before: CircuitBreaker): boolean {
  if (after.trips > before.trips) return true;
  if (after.state === 'closed') return before.state === 'closed' && after.failures > before.failures;
  return before.state === 'closed';
}

describe("callers' bugs", () => {
  const bug = {
    kind: 'failure',
    failure: { kind: 'bad_request', scope: 'request', message: 'messages: must be a list', status: 400 },
    size: 100,
  } as const;

  it('leave every record as it was, four in a row', () => {
    // Successes, so that there is something to lose, and no breaker with a strike to be forgiven.
    const calm = fc.array(
      steps(fc.record({ kind: fc.constant('success' as const), latencyMs: fc.nat(9000) }), MINUTE),
      {
        minLength: 50,
        maxLength: 100,
      },
    );
    fc.assert(
      fc.property(calm, (history) => {
        const world = worldAfter(history, OF_REQUESTS);
        world.now += 2 * MINUTE;
        while (world.underWay.length > 0) world.settle(0, { kind: 'success', latencyMs: 1 });
        for (let count = 0; count < 4; count += 1) {
          expect(world.take()).toBe(true);
          const settled = world.settle(0, bug);
          expect(settled?.after.provider).toBe(settled?.before.provider);
          expect(settled?.after.account).toBe(settled?.before.account);
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('count against no breaker, whatever happened before', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = worldAfter(history, OF_REQUESTS);
        world.passUntilReady();
        for (let count = 0; count < 4; count += 1) {
          if (!world.take()) return;
          const settled = world.settle(world.underWay.length - 1, bug);
          if (settled === undefined) throw new Error('nothing was under way');
          const { before, after } = settled;
          expect(worseThan(after.provider.breaker, before.provider.breaker)).toBe(false);
          expect(worseThan(after.account.breaker, before.account.breaker)).toBe(false);
          expect(after.account.limiters).toBe(before.account.limiters);
          for (const [keyId, key] of Object.entries(after.account.keys)) {
            const was = before.account.keys[keyId];
            expect(key).toEqual({ ...was, breaker: key.breaker });
            if (was !== undefined) expect(worseThan(key.breaker, was.breaker)).toBe(false);
          }
          for (const [id, model] of Object.entries(after.provider.models)) {
            const was = before.provider.models[id];
            expect(model).toEqual({ ...was, breaker: model.breaker });
            if (was !== undefined) expect(worseThan(model.breaker, was.breaker)).toBe(false);
          }
        }
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

describe('reserving and settling', () => {
  // Every value in the world is frozen, the records, reservations and outcomes among them: a change would throw.
  it('never changes what it is given', () => {
    fc.assert(
      fc.property(histories, (history) => {
        expect(() => worldAfter(history)).not.toThrow();
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('gives records that are plain JSON and are read back as they are', () => {
    fc.assert(
      fc.property(histories, (history) => {
        for (const { provider, account } of allRecords(worldAfter(history))) {
          expect(readProviderRecord(JSON.parse(JSON.stringify(provider)))).toEqual(provider);
          expect(readAccountRecord(JSON.parse(JSON.stringify(account)))).toEqual(account);
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('gives back exactly what was taken, when nothing was sent', () => {
    const calm = fc.array(steps(mildOutcome, MINUTE), { maxLength: 200 });
    fc.assert(
      fc.property(calm, (history) => {
        const world = worldAfter(history);
        const before = JSON.stringify(
          allRecords(world).map(({ account }) => used(account.limiters, world.now)),
        );
        const taken = Array.from({ length: 10 }, () => world.take()).filter(Boolean).length;
        for (let count = 0; count < taken; count += 1) {
          world.settle(world.underWay.length - 1, { kind: 'aborted', sent: false });
        }
        const after = JSON.stringify(
          allRecords(world).map(({ account }) => used(account.limiters, world.now)),
        );
        expect(after).toBe(before);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

/** What is still spent, limit by limit; one that was never touched and one that is empty are alike. */
function used(
  limiters: RouteRecords['account']['limiters'],
  now: number,
): readonly (readonly [string, readonly (readonly [number, number])[]])[] {
  return Object.entries(limiters)
    .map(([name, { spent }]) => [name, spent.filter(([returnsAt]) => returnsAt > now)] as const)
    .filter(([, spent]) => spent.length > 0)
    .toSorted(([a], [b]) => a.localeCompare(b));
}

describe('what is stored', () => {
  it.each([
    undefined,
    null,
    7,
    'text',
    [],
    {},
    { v: 2, breaker: {}, limiters: {}, models: {}, keys: {} },
    { v: 1 },
  ])('reads as empty when it is no record of this version: %j', (value) => {
    expect(readAccountRecord(value)).toBe(readAccountRecord(undefined));
    expect(readProviderRecord(value)).toBe(readProviderRecord(undefined));
  });
});
