/** Spares: what a process reserves in advance, and which request may use it. spec 2.11 */

import { describe, expect, it } from 'vitest';
import { type Reservation, reserve, type RouteRecords } from '../../src/core/ledger/reserve.ts';
import { settle } from '../../src/core/ledger/settle.ts';
import { useSpare, withSpares } from '../../src/core/ledger/spares.ts';
import { EMPTY_ACCOUNT, limitUse } from '../../src/core/records/account.ts';
import { EMPTY_PROVIDER } from '../../src/core/records/provider.ts';
import type { Question, RequestNeeds, Target } from '../../src/core/routing/question.ts';
import { STRATEGIES } from '../../src/core/routing/strategy.ts';
import { targetOf } from '../vectors/core.ts';
import { candidatesOf, poolSchema } from '../vectors/pool.ts';

const NOW = Date.UTC(2026, 0, 7, 12);
const MINUTE = { id: 'rpm', kind: 'sliding-window', unit: 'requests', per: 'account', windowMs: 60_000 };
const TOKENS = { ...MINUTE, id: 'tpm', unit: 'tokens', max: 10_000 };
const PLAIN: RequestNeeds = { size: 5, capabilities: [] };

/** The needs of a request with a prompt of so many tokens. */
const tokens = (prompt: number): RequestNeeds => ({
  ...PLAIN,
  tokens: () => ({ prompt, least: prompt, maxTokens: 0 }),
});

const stageOf = (limits: readonly object[]): Question['stages'][number] =>
  candidatesOf(
    poolSchema.parse({
      providers: [{ name: 'alpha', accounts: [{ id: 'a', keys: ['key'], limits }], models: ['m', 'other'] }],
    }),
  );

const routeIn = (stage: Question['stages'][number], model = 'm'): Target =>
  targetOf(stage, { provider: 'alpha', account: 'a', keyId: 'key', model });

const EMPTY: RouteRecords = { provider: EMPTY_PROVIDER, account: EMPTY_ACCOUNT };

/** The records after so many requests were reserved. */
function after(count: number, target: Target): RouteRecords {
  let records = EMPTY;
  for (let made = 0; made < count; made += 1) records = reserve(records, target, PLAIN, 1000, NOW);
  return records;
}

const FAILED = {
  kind: 'failure',
  size: 1,
  failure: { kind: 'network', scope: 'provider', message: '' },
} as const;

describe('a reservation with spares', () => {
  it.each([
    { limit: 40, used: 0, wanted: 3, spares: 3 },
    { limit: 40, used: 0, wanted: 1, spares: 1 },
    { limit: 40, used: 27, wanted: 3, spares: 3 },
    { limit: 40, used: 28, wanted: 3, spares: 2 },
    { limit: 40, used: 35, wanted: 3, spares: 1 },
    { limit: 40, used: 36, wanted: 3, spares: 0 },
    { limit: 40, used: 39, wanted: 3, spares: 0 },
    { limit: 5, used: 0, wanted: 3, spares: 1 },
  ])('makes $spares of $wanted if $used of $limit are used: at most a quarter of what is left', (row) => {
    const target = routeIn(stageOf([{ ...MINUTE, max: row.limit }]));
    const reserved = reserve(after(row.used, target), target, PLAIN, 1000, NOW);
    const { spares, account } = withSpares(reserved, PLAIN, row.wanted, 1000, NOW);
    expect(spares).toHaveLength(row.spares);
    const [limit] = target.account.limits('m');
    expect(limit && limitUse(account, limit, 'm', NOW).used).toBe(row.used + 1 + row.spares);
  });

  it.each([
    { what: 'the request probes a breaker', limits: [{ ...MINUTE, max: 40 }], failures: 20 },
    {
      what: 'places among concurrent requests are limited',
      limits: [
        { ...MINUTE, max: 40 },
        { id: 'c', kind: 'concurrency', unit: 'requests', per: 'account', max: 40 },
      ],
    },
    { what: 'no limit counts it', limits: [] },
    { what: 'an assumed limit is tried', limits: [{ ...MINUTE, max: 40, assumed: true }], used: 40 },
  ])('makes none if $what', ({ limits, failures = 0, used = 0 }) => {
    const target = routeIn(stageOf(limits));
    let records = after(used, target);
    for (let failed = 0; failed < failures; failed += 1) {
      const { reservation, ...booked } = reserve(records, target, PLAIN, 1000, NOW);
      records = settle(booked, reservation, FAILED, NOW);
    }
    const later = NOW + (failures > 0 ? 3_600_000 : 0);
    const reserved = reserve(records, target, PLAIN, 1000, later);
    expect(withSpares(reserved, PLAIN, 3, 1000, later).spares).toEqual([]);
  });

  it('charges spares as if they were sent at the end of their time', () => {
    const target = routeIn(stageOf([{ ...MINUTE, max: 40 }]));
    const { spares, account } = withSpares(reserve(EMPTY, target, PLAIN, 1000, NOW), PLAIN, 3, 900, NOW);
    expect(account.limiters['rpm']?.spent).toEqual([
      [NOW + 60_000, 1],
      [NOW + 60_900, 3],
    ]);
    expect(spares.flatMap(({ charges }) => charges.map(({ returnsAt }) => returnsAt))).toEqual(
      Array.from({ length: 3 }, () => NOW + 60_900),
    );
  });
});

describe('a request', () => {
  const limits = [{ ...MINUTE, max: 40 }, TOKENS];
  const stage = stageOf(limits);
  const target = routeIn(stage);
  const needs = tokens(100);
  const leased = withSpares(reserve(EMPTY, target, needs, 1000, NOW), needs, 2, 1000, NOW);

  function use(
    asked: Partial<Question>,
    records: RouteRecords = leased,
    spares: readonly Reservation[] = leased.spares,
  ): ReturnType<typeof useSpare> {
    const question: Question = {
      now: NOW + 500,
      stages: [stage],
      records: { provider: () => records.provider, account: () => records.account },
      preferences: { order: STRATEGIES.quota_aware, preferCheapest: true, turn: 0 },
      needs,
      failedAttempts: [],
      maxAttempts: 5,
      waitUntil: NOW,
      ...asked,
    };
    return useSpare(question, spares, 1000);
  }

  it('uses a spare of the route that it would take without spares', () => {
    const used = use({});
    expect(used?.spare).toBe(leased.spares[0]);
    // It counts as sent now, and its charges are those of the spare.
    expect(used?.reservation).toMatchObject({
      sentAt: NOW + 500,
      charges: leased.spares[0]?.charges.map(({ returnsAt, cost }) => ({ returnsAt, cost })) ?? [],
    });
  });

  it('uses a spare if nothing else is left', () => {
    let records: RouteRecords = leased;
    while (records.account.limiters['rpm']?.spent.reduce((sum, [, count]) => sum + count, 0) !== 40)
      records = reserve(records, target, PLAIN, 1000, NOW);
    expect(use({}, records)?.spare).toBe(leased.spares[0]);
    expect(use({}, records, [])).toBeUndefined();
  });

  const failure = { kind: 'server_error', scope: 'model', message: '' } as const;
  it.each<readonly [what: string, asked: Partial<Question>]>([
    ['it costs more', { needs: tokens(101) }],
    ['it takes another model', { stages: [stage.map((one) => ({ ...one, models: one.models.slice(1) }))] }],
    [
      'the route has failed it',
      { failedAttempts: [{ route: target.route, failure, excludedUntil: Number.POSITIVE_INFINITY }] },
    ],
  ])('uses none if %s', (_what, asked) => {
    expect(use(asked)).toBeUndefined();
  });

  it('uses none if the account was reset since', () => {
    expect(use({}, EMPTY)).toBeUndefined();
  });

  it('uses none if the breaker has opened since', () => {
    let records: RouteRecords = leased;
    for (let failed = 0; failed < 20; failed += 1) {
      const { reservation, ...booked } = reserve(records, target, needs, 1000, NOW);
      records = settle(booked, reservation, FAILED, NOW);
    }
    expect(use({}, records)).toBeUndefined();
  });
});
