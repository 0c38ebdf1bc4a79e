import { describe, expect, it } from 'vitest';
import type { CircuitBreaker } from '../../src/core/circuit-breaker.ts';
import { modelExcludedUntil } from '../../src/core/routing/exclusion.ts';
import type { FailedAttempt, Question } from '../../src/core/routing/question.ts';
import { plan } from '../../src/core/routing/plan.ts';
import { candidateOf, preferencesOf, StoredRecords } from '../vectors/pool.ts';
import { providerOf } from './pool-world.ts';

const NOW = 1_790_000_000_000;
const OPEN: CircuitBreaker = {
  state: 'open',
  until: NOW + 1,
  trips: 1,
  generation: 1,
  reason: 'server_error',
};
const ROUTE = { provider: 'alpha', account: 'a0', keyId: 'alpha-k0-1', model: 'm0' };

function ask(
  question: Partial<Question>,
  records: ConstructorParameters<typeof StoredRecords>[0] = { providers: {}, accounts: {} },
) {
  return plan({
    now: NOW,
    stages: [[providerOf(1, 2), providerOf(1, 1, [], 'beta')].map(candidateOf)],
    records: new StoredRecords(records),
    preferences: preferencesOf({ strategy: 'priority', turn: 0 }),
    needs: { size: 100, capabilities: [] },
    failedAttempts: [],
    maxAttempts: 12,
    waitUntil: 0,
    ...question,
  });
}

function failedAttempt(
  kind: FailedAttempt['failure']['kind'],
  scope: FailedAttempt['failure']['scope'],
): FailedAttempt {
  return { route: ROUTE, failure: { kind, scope, message: '' }, excludedUntil: Infinity };
}

describe('a decision to attempt', () => {
  it('reports that another provider could serve the call', () => {
    expect(ask({})).toMatchObject({ kind: 'attempt', alternatives: true });
  });

  it('reports no alternative while the other provider is paused', () => {
    const records = { providers: { beta: { breaker: OPEN } }, accounts: {} };
    expect(ask({}, records)).toMatchObject({ kind: 'attempt', alternatives: false });
  });

  it('reports no alternative for other routes of the same provider', () => {
    const stages = [[candidateOf(providerOf(2, 3), 0)]];
    expect(ask({ stages })).toMatchObject({ kind: 'attempt', alternatives: false });
  });
});

describe('a route to try once more', () => {
  const again = { ...ROUTE, model: 'm1' };

  it('comes before any other', () => {
    expect(ask({ retryRoute: again })).toMatchObject({ kind: 'attempt', target: { route: again } });
  });

  it.each([
    ['its provider', { providers: { alpha: { breaker: OPEN } }, accounts: {} }],
    ['its model', { providers: { alpha: { models: { m1: { breaker: OPEN } } } }, accounts: {} }],
    ['its account', { providers: {}, accounts: { 'alpha/a0': { breaker: OPEN } } }],
    ['its use of the model', { providers: {}, accounts: { 'alpha/a0': { models: { m1: OPEN } } } }],
    ['its key', { providers: {}, accounts: { 'alpha/a0': { keys: { 'alpha-k0-1': { breaker: OPEN } } } } }],
  ])('is dropped if another call meanwhile opened the breaker of %s', (_, records) => {
    const decision = ask({ retryRoute: again }, records);
    expect(decision.kind === 'attempt' ? decision.target.route : decision).not.toEqual(again);
  });

  it('is dropped if its model turned out to be unable', () => {
    const records = {
      providers: { alpha: { models: { m1: { breaker: OPEN, tooLong: 100 } } } },
      accounts: {},
    };
    expect(ask({ retryRoute: again }, records)).not.toMatchObject({ target: { route: again } });
  });

  it('is dropped if the pool no longer has it', () => {
    expect(ask({ retryRoute: { ...again, model: 'retired' } })).toMatchObject({ target: { route: ROUTE } });
  });
});

function scoreOf(name: string) {
  return { name, priority: 0, latencyMs: undefined, price: 0, minuteUse: 0 };
}

describe("a user's strategy", () => {
  it.each([
    ['returns nothing', () => []],
    ['invents a provider', () => [{ ...scoreOf('gamma'), index: 9 }]],
  ])('that %s still gets a provider of the pool', (_, order) => {
    const decision = ask({ preferences: { order, preferCheapest: false, turn: 0 } });
    expect(decision).toMatchObject({ kind: 'attempt', target: { route: { provider: 'alpha' } } });
  });
});

describe('the rest of a call', () => {
  it('skips the model for which its request was too long, whatever its listed size', () => {
    const short: FailedAttempt = {
      ...failedAttempt('context_too_long', 'model'),
      ctx: 64_000,
      failure: { kind: 'context_too_long', scope: 'model', message: '', contextLength: 8000 },
    };
    expect(modelExcludedUntil([short], 'alpha', { id: 'm0', ctx: 64_000 })).toBe(Infinity);
    expect(modelExcludedUntil([short], 'alpha', { id: 'm1', ctx: 64_000 })).toBe(0);
    expect(modelExcludedUntil([short], 'beta', { id: 'm0', ctx: 8000 })).toBe(Infinity);
  });
});
