/** What a call in line says of the calls behind it. spec 12.3 */

import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/core/failure.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
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
} from './pool-world.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const LIMITS: readonly Limit[] = [
  {
    id: 'rpm',
    kind: 'sliding-window',
    unit: 'requests',
    per: 'account',
    max: 3,
    windowMs: MINUTE,
    marginMs: 250,
  },
];

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
const failures = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    scope: fc.constantFrom(...SCOPES_OF[kind]),
    message: fc.constant(''),
  }),
);

/** Failures that exclude their routes for good, or for some seconds after `NOW`. */
function failedAttempts(excludedUntil: fc.Arbitrary<number>): fc.Arbitrary<readonly FailedAttempt[]> {
  return fc.array(fc.record({ route: routes, failure: failures, excludedUntil }), { maxLength: 3 });
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
