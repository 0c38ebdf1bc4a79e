import { expect, it } from 'vitest';
import { readAccountRecord } from '../../src/core/records/account.ts';
import { readProviderRecord } from '../../src/core/records/provider.ts';
import { isSoundRecord } from '../../src/core/records/sound-record.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import { keyStatuses, limitStatuses, quotaStatuses } from '../../src/core/report/health.ts';
import { explain } from '../../src/core/report/explain.ts';
import { isJsonObject } from '../../src/core/json.ts';
import fc from '../support/fast-check.ts';
import { happen, MINUTE, outcomeAt, PoolWorld, providerOf, type Step, steps } from './pool-world.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

const base = { id: 'rpm', unit: 'requests', max: 9, marginMs: 250 } as const;
const LIMITS: readonly Limit[] = [
  { ...base, kind: 'sliding-window', per: 'account', windowMs: MINUTE },
  { ...base, id: 'bucket', kind: 'token-bucket', per: 'account-model', windowMs: MINUTE },
];

/** Records in which every member is there. */
const ACCOUNT = {
  v: 1,
  since: NOW,
  breaker: { state: 'closed', failures: 1, trips: 0.5, generation: 3, failureRate: 0.1 },
  limiters: {
    rpm: {
      spent: [[NOW + 5000, 2]],
      refused: [[NOW + 5000, 1]],
      full: { since: NOW, until: NOW + 9000 },
      learnt: { max: 7, at: NOW },
      margin: { ms: 300, at: NOW },
      pace: { at: NOW, since: NOW, sent: 1, served: 1, shown: { max: 2, spanMs: 1000, usedUp: 1 } },
    },
    'bucket m0': { spent: [], fullAt: NOW + 4000 },
  },
  models: {
    m0: { state: 'open', until: NOW - 1, at: NOW - 9, trips: 1, generation: 1, reason: 'not_entitled' },
  },
  keys: {
    'alpha-k0-1': {
      breaker: {
        state: 'half-open',
        probeUntil: NOW + 9,
        at: NOW - 9,
        avoidUntil: NOW + 99,
        failures: 2,
        since: NOW,
        trips: 1,
        generation: 2,
        reason: 'unauthorized',
      },
      billed: { amount: 0.5, calls: 1 },
      lastError: { kind: 'timeout', message: 'no answer', at: NOW, model: 'm0' },
      latencyMs: 200,
    },
  },
};
const PROVIDER = {
  v: 1,
  bills: 1,
  keys: ['alpha-k0-1'],
  breaker: ACCOUNT.models.m0,
  models: {
    m0: {
      breaker: ACCOUNT.breaker,
      refuses: ['seed'],
      lacks: ['tools'],
      tooLong: 9000,
      ctx: 4096,
      maxOutput: 512,
      dislikes: [{ features: ['field:seed'], at: NOW, plain: true }],
      learntAt: NOW,
      billed: 0,
    },
  },
  merged: { a0: { into: 'a1', at: NOW, guessed: true } },
  identities: { abcd: 'a0' },
  suspicions: { rpm: [{ account: 'a0', used: 2, max: 9, at: NOW }] },
};

type Path = readonly (string | number)[];

/** The places in a value at which something else can stand. */
function places(value: unknown, path: Path = []): readonly Path[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, index) => places(item, [...path, index]))];
  if (!isJsonObject(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => places(member, [...path, name]))];
}

/** A copy of a value with something else in one place. */
function withGarbage(value: object, path: Path, garbage: unknown): unknown {
  const copy: unknown = structuredClone(value);
  let at: unknown = copy;
  for (const name of path.slice(0, -1)) at = Reflect.get(Object(at), name) as unknown;
  const last = path.at(-1);
  if (last === undefined) return garbage;
  Reflect.set(Object(at), last, garbage);
  return JSON.parse(JSON.stringify(copy)) as unknown;
}

const garbage = fc.oneof(
  fc.constantFrom(
    null,
    true,
    '',
    'x',
    0,
    -1,
    1e300,
    [],
    {},
    [null],
    [[1]],
    [{}],
    { a: null },
    { a: {} },
    'constructor',
  ),
  fc.jsonValue(),
);
const damage = fc
  .constantFrom(ACCOUNT, PROVIDER)
  .chain((record) => fc.tuple(fc.constant(record), fc.constantFrom(...places(record)), garbage));
const ahead = fc.array(steps(outcomeAt(NOW), MINUTE), { minLength: 12, maxLength: 12 });

/** Everything that reads or changes records. */
function use(record: unknown, history: readonly Step[]): void {
  const world = new PoolWorld(NOW, [providerOf(2, 2, LIMITS)]);
  const isProvider = !isJsonObject(record) || !('limiters' in record);
  for (const { provider } of world.stage)
    for (const account of provider.accounts)
      world.records.store(
        { provider, account },
        {
          provider: readProviderRecord(isProvider ? record : undefined),
          account: readAccountRecord(isProvider ? undefined : record),
        },
      );
  for (const candidate of world.stage) {
    keyStatuses(world.records, candidate, world.now);
    quotaStatuses(world.records, candidate, world.now);
    limitStatuses(world.records, candidate, world.now);
  }
  explain(world.question());
  for (const step of history) happen(world, step);
}

it('records in which every member is there are sound', () => {
  expect(isSoundRecord(ACCOUNT)).toBe(true);
  expect(isSoundRecord(PROVIDER)).toBe(true);
});

it('a record with anything in any place is either unsound, or harms no decision', () => {
  let unsound = 0;
  fc.assert(
    fc.property(damage, ahead, ([record, path, anything], history) => {
      const damaged = withGarbage(record, path, anything);
      if (!isSoundRecord(damaged)) {
        unsound += 1;
        return;
      }
      use(damaged, history);
    }),
    { numRuns: 3000 },
  );
  expect(unsound).toBeGreaterThan(1000);
});

it('every record that decisions make is sound when it comes back from a store', () => {
  const long = fc.array(steps(outcomeAt(NOW), 10 * MINUTE), { minLength: 200, maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(long, (history) => {
      const world = new PoolWorld(NOW, [providerOf(2, 2, LIMITS)]);
      for (const step of history) happen(world, step);
      for (const { provider } of world.stage)
        for (const account of provider.accounts)
          for (const record of Object.values(world.records.of({ provider, account })))
            expect([isSoundRecord(JSON.parse(JSON.stringify(record))), record]).toEqual([true, record]);
    }),
    { numRuns: 30 },
  );
});
