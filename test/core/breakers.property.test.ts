import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { breakersOf, type RouteBreakers } from '../../src/core/ledger/reserve.ts';
import { CLOSED, type CircuitBreaker, fail, type Strike } from '../../src/core/circuit-breaker.ts';
import { EMPTY_ACCOUNT } from '../../src/core/records/account.ts';
import { EMPTY_PROVIDER } from '../../src/core/records/provider.ts';
import type { Outcome } from '../../src/core/ledger/settle.ts';
import { deepFreeze } from '../support/deep-freeze.ts';
import { happen, MINUTE, outcomeAt, PoolWorld, PROBE_MS, providerOf, steps } from './pool-world.ts';

const NOW = 1_790_000_000_000;
const GUARDS = ['provider', 'model', 'account', 'entitlement', 'key'] as const;

const OPEN: CircuitBreaker = { state: 'open', until: NOW, trips: 1, generation: 7, reason: 'server_error' };

/** A world of one route, of whose breakers those of `guards` have just reached the end of their cooldown. */
function cooledDown(guards: readonly (keyof RouteBreakers)[]): PoolWorld {
  const world = new PoolWorld(NOW, [providerOf(1, 1)]);
  const candidate = world.stage[0];
  const account = candidate?.provider.accounts[0];
  if (candidate === undefined || account === undefined) throw new Error('the world has no account');
  const at = (guard: keyof RouteBreakers): CircuitBreaker => (guards.includes(guard) ? OPEN : CLOSED);
  const keys = Object.fromEntries(account.keyIds.map((keyId) => [keyId, { breaker: OPEN }]));
  world.records.store(
    { provider: candidate.provider, account },
    deepFreeze({
      provider: { ...EMPTY_PROVIDER, breaker: at('provider'), models: { m0: { breaker: at('model') } } },
      account: {
        ...EMPTY_ACCOUNT,
        breaker: at('account'),
        models: { m0: at('entitlement') },
        keys: guards.includes('key') ? keys : {},
      },
    }),
  );
  return world;
}

/** How many of a thousand requests at the same moment are admitted. */
function admittedOfThousand(world: PoolWorld): number {
  let admitted = 0;
  for (let count = 0; count < 1000; count += 1) if (world.take()) admitted += 1;
  return admitted;
}

describe('half-open', () => {
  /** All combinations in which some breaker of more than one key has opened. */
  const combinations = Array.from({ length: 2 ** GUARDS.length }, (_, bits) =>
    GUARDS.filter((_guard, index) => ((bits >> index) & 1) === 1),
  ).filter((guards) => guards.some((guard) => guard !== 'key'));

  it.each(combinations.map((guards) => [guards.join(', '), guards] as const))(
    'admits exactly one of a thousand requests at once after the cooldown of: %s',
    (_, guards) => {
      expect(admittedOfThousand(cooledDown(guards))).toBe(1);
    },
  );

  it('admits one for each key where only the keys had been held back', () => {
    expect(admittedOfThousand(cooledDown(['key']))).toBe(2);
  });

  it('admits one of a thousand over all keys and models of a provider after an outage', () => {
    const world = new PoolWorld(NOW, [providerOf(3, 4)]);
    for (const { provider } of world.stage) {
      for (const account of provider.accounts) {
        world.records.store(
          { provider, account },
          { provider: { ...EMPTY_PROVIDER, breaker: OPEN }, account: EMPTY_ACCOUNT },
        );
      }
    }
    expect(admittedOfThousand(world)).toBe(1);
  });

  it('admits exactly one more after a probe that did not find out, and after one that was lost', () => {
    const silent: readonly Outcome[] = [
      { kind: 'aborted', sent: true },
      { kind: 'aborted', sent: false },
      {
        kind: 'failure',
        failure: { kind: 'timeout', scope: 'request', message: 'the caller was in a hurry' },
        size: 1,
      },
    ];
    for (const outcome of silent) {
      const world = cooledDown(['provider', 'model']);
      expect(admittedOfThousand(world)).toBe(1);
      world.settle(0, outcome);
      expect(admittedOfThousand(world)).toBe(1);
      world.now += PROBE_MS;
      expect(admittedOfThousand(world)).toBe(1);
    }
  });

  it('admits everybody after a good probe', () => {
    const world = cooledDown([...GUARDS]);
    expect(admittedOfThousand(world)).toBe(1);
    world.settle(0, { kind: 'success', latencyMs: 1 });
    // The account's other key is still to be tried: its own breaker admits its own probe.
    expect(admittedOfThousand(world)).toBe(1000);
  });
});

const busy = fc.record({
  accounts: fc.integer({ min: 1, max: 2 }),
  models: fc.integer({ min: 1, max: 2 }),
  script: fc.array(steps(outcomeAt(NOW), 5 * MINUTE), { minLength: 600, maxLength: 600, size: 'max' }),
});

describe('a late result', () => {
  it('never opens or closes a breaker that has changed its state since the request was admitted', () => {
    let late = 0;
    fc.assert(
      fc.property(busy, ({ accounts, models, script }) => {
        const world = new PoolWorld(NOW, [providerOf(accounts, models)]);
        for (const step of script) {
          if (step.do !== 'settle') {
            happen(world, step);
            continue;
          }
          const settled = world.settle(step.which, step.outcome);
          if (settled === undefined) continue;
          const { reservation, before, after } = settled;
          const was = breakersOf(before, reservation.target);
          const is = breakersOf(after, reservation.target);
          for (const guard of GUARDS) {
            if (was[guard].generation === reservation.generations[guard]) continue;
            late += 1;
            // How many failed in a row, and which share fails, is learnt all the same.
            const { failures, failureRate } = { failureRate: undefined, ...is[guard] };
            expect({ ...is[guard], failures, failureRate }).toEqual({ ...was[guard], failures, failureRate });
            if (was[guard].state === 'closed') expect(is[guard]).toBe(was[guard]);
          }
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
    expect(late).toBeGreaterThan(100);
  });

  it('never comes in twice: the generation grows with every change of state, and never falls', () => {
    fc.assert(
      fc.property(busy, ({ accounts, models, script }) => {
        const world = new PoolWorld(NOW, [providerOf(accounts, models)]);
        for (const step of script) {
          if (step.do !== 'settle') {
            happen(world, step);
            continue;
          }
          const settled = world.settle(step.which, step.outcome);
          if (settled === undefined) continue;
          const was = breakersOf(settled.before, settled.reservation.target);
          const is = breakersOf(settled.after, settled.reservation.target);
          for (const guard of GUARDS) {
            const grown = is[guard].generation - was[guard].generation;
            expect(grown).toBe(is[guard].state === was[guard].state ? 0 : 1);
          }
        }
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});

describe('a cooldown', () => {
  it('is at least the first, at most the longest, and never shorter than the one before it in a row of failures', () => {
    const trips = fc.record({
      threshold: fc.constant(1),
      cooldownMs: fc.integer({ min: 1, max: 1e6 }),
      maxCooldownMs: fc.integer({ min: 1e6, max: 1e9 }),
    });
    fc.assert(
      fc.property(trips, fc.integer({ min: 1, max: 60 }), (trip, failures) => {
        let breaker: CircuitBreaker = CLOSED;
        let now = NOW;
        let cooldown = trip.cooldownMs;
        for (let count = 0; count < failures; count += 1) {
          const strike: Strike = {
            generation: breaker.generation,
            sentAt: now,
            now,
            reason: 'timeout',
            trip,
          };
          breaker = fail(breaker, strike);
          if (breaker.state !== 'open') throw new Error(`the breaker is ${breaker.state}`);
          expect(breaker.until - now).toBeGreaterThanOrEqual(cooldown);
          expect(breaker.until - now).toBeLessThanOrEqual(trip.maxCooldownMs);
          cooldown = breaker.until - now;
          now = breaker.until;
          breaker = {
            state: 'half-open',
            probeUntil: now + PROBE_MS,
            trips: breaker.trips,
            generation: breaker.generation + 1,
            reason: breaker.reason,
          };
        }
      }),
    );
  });
});
