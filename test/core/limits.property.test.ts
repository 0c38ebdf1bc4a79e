import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { type Limit, returnsAt } from '../../src/core/limits/limit.ts';
import { DAY, happen, mildOutcome, MINUTE, PoolWorld, providerOf, type Sent, steps } from './pool-world.ts';

const per = fc.constantFrom('account' as const, 'account-model' as const);
const smallOrLarge = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 121, max: 400 }));
const counted = { unit: fc.constant('requests' as const), per, marginMs: fc.constantFrom(0, 250, 1000) };

const tokenBucket = fc.record({
  ...counted,
  id: fc.constant('rpm'),
  kind: fc.constant('sliding-window' as const),
  max: smallOrLarge,
  windowMs: fc.constantFrom(MINUTE, 10_000, 7777),
});
const clockMinute = fc.record({
  ...counted,
  id: fc.constant('clock'),
  kind: fc.constant('fixed-window' as const),
  max: smallOrLarge,
});
const daily = fc.record({
  ...counted,
  id: fc.constant('rpd'),
  kind: fc.constant('daily' as const),
  max: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 200, max: 1000 })),
  timeZone: fc.constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kolkata', 'Pacific/Auckland'),
});
const anyMeter: fc.Arbitrary<Limit> = fc.oneof(tokenBucket, clockMinute, daily);

/** Beginnings near the days on which clocks change. */
const beginning = fc
  .tuple(
    fc.constantFrom(
      '2026-03-08T07:00:00Z',
      '2026-11-01T06:30:00Z',
      '2026-09-26T11:00:00Z',
      '2026-11-22T00:00:00Z',
    ),
    fc.nat(DAY),
  )
  .map(([day, ms]) => Date.parse(day) + ms);

/** When each counted request arrives, by what the limit counts. */
function arrivals(
  limit: Limit,
  sent: Iterable<Sent>,
  delayOf: (index: number) => number,
): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  let index = 0;
  for (const { at, account, model } of sent) {
    const whom = limit.per === 'account' ? account : `${account} ${model}`;
    const moments = groups.get(whom) ?? [];
    moments.push(at + delayOf(index));
    groups.set(whom, moments);
    index += 1;
  }
  return [...groups.values()].map((moments) => moments.toSorted((a, b) => a - b));
}

const dates = new Map<string, Intl.DateTimeFormat>();

/** The date on a wall calendar in the provider's time zone. */
function dateOf(timeZone: string, at: number): string {
  let format = dates.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: 'long', day: 'numeric' });
    dates.set(timeZone, format);
  }
  return format.format(at);
}

/** The most requests that the provider sees in one of its own windows. */
function mostInWindow(limit: Limit, moments: readonly number[]): number {
  if (limit.kind === 'sliding-window') {
    let most = 0;
    let first = 0;
    for (const [last, at] of moments.entries()) {
      while ((moments[first] ?? at) <= at - limit.windowMs) first += 1;
      most = Math.max(most, last - first + 1);
    }
    return most;
  }
  const windows = new Map<number | string, number>();
  for (const at of moments) {
    const window = limit.kind === 'daily' ? dateOf(limit.timeZone, at) : Math.floor(at / MINUTE);
    windows.set(window, (windows.get(window) ?? 0) + 1);
  }
  return Math.max(0, ...windows.values());
}

/** How long a request may be on its way, or how far the provider's clock may be off: what the margin allows for. */
function delays(limit: Limit, seed: readonly number[]): (index: number) => number {
  return (index) => {
    const part = (seed[index % seed.length] ?? 0) / 100;
    return limit.kind === 'sliding-window' ? part * limit.marginMs : (2 * part - 1) * limit.marginMs;
  };
}

const roads = fc.array(fc.nat(100), { minLength: 7, maxLength: 31 });

/** The limits of a world, and what happens in it: about a thousand requests are asked for. */
function worlds(limits: fc.Arbitrary<readonly Limit[]>, longestPassMs: number) {
  return fc.record({
    limits,
    now: beginning,
    accounts: fc.integer({ min: 1, max: 2 }),
    models: fc.integer({ min: 1, max: 2 }),
    roads,
    script: fc.array(steps(mildOutcome, longestPassMs), { minLength: 2200, maxLength: 2200, size: 'max' }),
  });
}

type WorldOf = ReturnType<typeof worlds> extends fc.Arbitrary<infer T> ? T : never;

function neverExceeded({ limits, now, accounts, models, roads: seed, script }: WorldOf): void {
  const world = new PoolWorld(now, [providerOf(accounts, models, limits)]);
  for (const step of script) happen(world, step);
  expect(world.sent.size).toBeGreaterThan(0);
  for (const limit of limits) {
    for (const moments of arrivals(limit, world.sent, delays(limit, seed))) {
      expect(mostInWindow(limit, moments)).toBeLessThanOrEqual(limit.max);
    }
  }
}

const RUNS = { numRuns: 25, endOnFailure: true };

describe('whatever the order in which a thousand requests are taken, settled and given back', () => {
  it('no window of a sliding-window limit holds more than its limit', () => {
    fc.assert(
      fc.property(
        worlds(
          tokenBucket.map((limit) => [limit]),
          2 * MINUTE,
        ),
        neverExceeded,
      ),
      RUNS,
    );
  });

  it('no minute of the clock holds more than the limit of a fixed-window limit', () => {
    fc.assert(
      fc.property(
        worlds(
          clockMinute.map((limit) => [limit]),
          2 * MINUTE,
        ),
        neverExceeded,
      ),
      RUNS,
    );
  });

  it("no day of the provider's calendar holds more than a day's quota", () => {
    fc.assert(
      fc.property(
        worlds(
          daily.map((limit) => [limit]),
          DAY / 8,
        ),
        neverExceeded,
      ),
      RUNS,
    );
  });

  it('no limit is exceeded where several count the same requests', () => {
    fc.assert(fc.property(worlds(fc.tuple(tokenBucket, clockMinute, daily), DAY / 24), neverExceeded), RUNS);
  });
});

describe('the full burst', () => {
  it('goes out at once, not one more, and again as soon as it has come back', () => {
    const anyLimit = fc.tuple(anyMeter, fc.integer({ min: 1, max: 1500 }));
    fc.assert(
      fc.property(anyLimit, beginning, ([given, max], now) => {
        const limit: Limit = { ...given, max };
        const world = new PoolWorld(now, [providerOf(1, 1, [limit])]);
        for (let round = 0; round < 2; round += 1) {
          for (let count = 0; count < max; count += 1) expect(world.take()).toBe(true);
          expect(world.take()).toBe(false);
          const comesBack = returnsAt(limit, world.now);
          world.passUntilReady();
          expect(world.now).toBe(comesBack);
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('is held back by rounding for no more than a 120th of the window', () => {
    fc.assert(
      fc.property(tokenBucket, fc.nat(DAY), (limit, now) => {
        const exact = now + limit.windowMs + limit.marginMs;
        expect(returnsAt(limit, now)).toBeGreaterThanOrEqual(exact);
        expect(returnsAt(limit, now)).toBeLessThanOrEqual(exact + limit.windowMs / 120);
      }),
    );
  });
});

describe('what is stored of a limit', () => {
  it('stays small, however large the limit and however many requests', () => {
    const large = fc.integer({ min: 121, max: 5000 });
    fc.assert(
      fc.property(
        tokenBucket,
        large,
        fc.array(fc.nat(60), { minLength: 3000, maxLength: 3000, size: 'max' }),
        (given, max, pauses) => {
          const limit: Limit = { ...given, per: 'account', max };
          const world = new PoolWorld(0, [providerOf(1, 1, [limit])]);
          for (const ms of pauses) {
            world.now += ms;
            world.take();
          }
          const account = world.stage[0]?.provider.accounts[0];
          if (account === undefined) throw new Error('the world has no account');
          const most = 120 * (1 + given.marginMs / given.windowMs) + 2;
          expect(world.records.account(account).limiters['rpm']?.spent.length).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: 5, endOnFailure: true },
    );
  });
});
