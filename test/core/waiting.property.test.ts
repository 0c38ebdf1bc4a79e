/** What a call in line says of the calls behind it. spec 12.3 */

import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/core/failure.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import { excludedForGood, keyExcludedUntil, modelExcludedUntil } from '../../src/core/routing/exclusion.ts';
import { plan } from '../../src/core/routing/plan.ts';
import type { FailedAttempt } from '../../src/core/routing/question.ts';
import fc from '../support/fast-check.ts';
import {
  happen,
  isKind,
  MINUTE,
  outcomeAt,
  PoolWorld,
  providerOf,
  SCOPES_OF,
  type Step,
  steps,
  perMinute,
} from './pool-world.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const LIMITS: readonly Limit[] = [perMinute(3)];

const kinds: readonly FailureKind[] = Object.keys(SCOPES_OF).filter(isKind);
const routes = fc
  .constantFrom(['alpha', 'a0'], ['alpha', 'a1'], ['beta', 'a0'])
  .chain(([provider = '', account = '']) =>
    fc.record({
      provider: fc.constant(provider),
      account: fc.constant(account),
      keyId: fc.constant(`${provider}-k${account.slice(1)}-1`),
      model: fc.constantFrom('m0', 'm1'),
    }),
  );
const sizes = fc.constantFrom(undefined, 4096, 8192);
const failures = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    scope: fc.constantFrom(...SCOPES_OF[kind]),
    message: fc.constant(''),
  }),
);

/** Failures that exclude their routes for good, or for some seconds after `NOW`. */
function failedAttempts(excludedUntil: fc.Arbitrary<number>): fc.Arbitrary<readonly FailedAttempt[]> {
  return fc.array(
    fc.record({
      route: routes,
      failure: failures,
      excludedUntil,
      ctx: sizes,
    }),
    { maxLength: 3 },
  );
}
const lasting = failedAttempts(fc.constant(Number.POSITIVE_INFINITY));
const passing = failedAttempts(fc.nat(2 * MINUTE).map((ms) => NOW + ms));

/** A pool with few free routes. */
function worldAfter(history: readonly Step[]): PoolWorld {
  const world = new PoolWorld(NOW, [providerOf(2, 2, LIMITS), providerOf(1, 2, LIMITS, 'beta')]);
  for (let taken = 0; taken < 9; taken += 1) world.take();
  for (const step of history) happen(world, step);
  return world;
}
const histories = fc.array(steps(outcomeAt(NOW), MINUTE / 2), { maxLength: 20 });

/** Until when failures exclude each model and each key of a pool. */
function exclusionsOf({ stage }: PoolWorld, failed: readonly FailedAttempt[]): readonly number[] {
  return stage.flatMap(({ provider, models }) =>
    models.flatMap((model) => [
      modelExcludedUntil(failed, provider.name, model),
      modelExcludedUntil(failed, provider.name, { ...model, ctx: 6000 }),
      ...provider.accounts.flatMap(({ id, keyIds }) =>
        keyIds.map((keyId) =>
          keyExcludedUntil(failed, { provider: provider.name, account: id, keyId, model: model.id }),
        ),
      ),
    ]),
  );
}

describe('calls behind one that has to wait', () => {
  it('have no route before the moment that it names, if they lack the same for good', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.record({
          history: histories,
          lasting,
          first: passing,
          second: passing,
          more: lasting,
          part: fc.nat(99),
        }),
        ({ history, lasting: shared, first, second, more, part }) => {
          const question = worldAfter(history).question();
          const { now } = question;
          const head = plan({ ...question, failedAttempts: [...shared, ...first] });
          if (head.kind !== 'wait') return;
          const until = Math.min(head.othersUntil ?? head.until, now + MINUTE);
          // Those that lack nothing for good stand for all others.
          const others = [...shared, ...second, ...(shared.length === 0 ? more : [])];
          for (const at of [now, now + ((until - now) * part) / 100, until - 1]) {
            if (at < now || at >= until) continue;
            found += 1;
            expect(plan({ ...question, now: at, failedAttempts: others }).kind).not.toBe('attempt');
          }
        },
      ),
      { numRuns: 400, endOnFailure: true },
    );
    expect(found).toBeGreaterThan(100);
  });
});

describe('what the failures of a call exclude for good', () => {
  it('is the same for calls with the same name of it', () => {
    let found = 0;
    const world = worldAfter([]);
    fc.assert(
      fc.property(lasting, routes, sizes, (one, route, ctx) => {
        const other = one.map((failed, index) => (index === 0 ? { ...failed, route, ctx } : failed));
        if (excludedForGood(one) !== excludedForGood(other)) return;
        found += 1;
        expect(exclusionsOf(world, one)).toEqual(exclusionsOf(world, other));
      }),
      { numRuns: 3000, endOnFailure: true },
    );
    expect(found).toBeGreaterThan(100);
  });
});
