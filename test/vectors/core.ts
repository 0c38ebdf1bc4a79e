/** Runs the vectors of core. */

import * as z from 'zod/mini';
import { limiterName, EMPTY_ACCOUNT, limitUse } from '../../src/core/records/account.ts';
import { backoffMs } from '../../src/core/failure.ts';
import { type Reservation, reserve, type RouteRecords } from '../../src/core/ledger/reserve.ts';
import {
  admit,
  type Admitted,
  breakerReadyAt,
  type CircuitBreaker,
  CLOSED,
  countAgainst,
  fail,
  release,
  succeed,
} from '../../src/core/circuit-breaker.ts';
import { nextMidnight } from '../../src/core/limits/calendar.ts';
import { explain } from '../../src/core/report/explain.ts';
import { keyStatuses, quotaStatuses, limitStatuses } from '../../src/core/report/health.ts';
import { type Limit, returnsAt } from '../../src/core/limits/limit.ts';
import { substitutesFor } from '../../src/core/known-names.ts';
import { readModelName } from '../../src/core/model.ts';
import type { Target } from '../../src/core/routing/question.ts';
import type { Stage, Route } from '../../src/core/pool.ts';
import { EMPTY_LIMITER, type LimiterState, withFull } from '../../src/core/limits/state.ts';
import { charge, postpone, readyAtOf, refund } from '../../src/core/limits/window.ts';
import { type Outcome, settle } from '../../src/core/ledger/settle.ts';
import { STRATEGIES } from '../../src/core/routing/strategy.ts';
import { callsSchema, runCalls } from './call.ts';
import {
  candidatesOf,
  preferenceFields,
  preferencesOf,
  failureSchema,
  found,
  kindSchema,
  limitSchema,
  needsSchema,
  reportedQuotaSchema,
  plain,
  poolSchema,
  recordsSchema,
  stagesOf,
  stagesSchema,
  StoredRecords,
  tripSchema,
} from './pool.ts';

const MODEL = 'model';

/** Epoch ms, or the same as RFC 3339. */
const moment = z.union([
  z.number(),
  z.pipe(
    z.string(),
    z.transform((text) => Date.parse(text)),
  ),
]);

const limitStep = z.discriminatedUnion('do', [
  z.strictObject({
    now: moment,
    do: z.literal('take'),
    count: z.prefault(z.number(), 1),
    delayMs: z.prefault(z.number(), 0),
  }),
  z.strictObject({
    now: moment,
    do: z.literal('give back'),
    takenAt: moment,
    count: z.prefault(z.number(), 1),
  }),
  z.strictObject({ now: moment, do: z.literal('fill'), until: moment }),
  z.strictObject({ now: moment, do: z.literal('learn'), limit: z.number() }),
  z.strictObject({ now: moment, do: z.literal('look') }),
  z.strictObject({ now: moment, do: z.literal('show') }),
]);
type LimitStep = z.output<typeof limitStep>;
const limitInput = z.strictObject({ limit: limitSchema, steps: z.array(limitStep) });

function withStep(limit: Limit, limiter: LimiterState, step: LimitStep): LimiterState {
  switch (step.do) {
    case 'take': {
      const { now, count, delayMs } = step;
      const taken = charge(limiter, limit, limit.id, count, now);
      return delayMs === 0 ? taken.limiter : postpone(taken.limiter, taken.charge, delayMs, now).limiter;
    }
    case 'give back': {
      const at = returnsAt(limit, step.takenAt);
      const taken = {
        limit,
        limiter: limit.id,
        cost: step.count,
        sentAt: step.takenAt,
        returnsAt: at,
        probes: false,
        count: 0,
      };
      return refund(limiter, taken, step.now);
    }
    case 'fill':
      return withFull(limiter, step.until, step.now);
    case 'learn':
      return { ...limiter, learnt: { max: step.limit, at: step.now } };
    case 'look':
    case 'show':
      return limiter;
  }
}

/** What `look` and `show` see along the steps. */
function runLimit(input: z.output<typeof limitInput>, write: (at: number) => unknown): readonly unknown[] {
  const { limit } = input;
  let limiter = EMPTY_LIMITER;
  return input.steps.flatMap((step): readonly unknown[] => {
    limiter = withStep(limit, limiter, step);
    if (step.do === 'show') return [limiter];
    if (step.do !== 'look') return [];
    const record = { ...EMPTY_ACCOUNT, limiters: { [limiterName(limit, MODEL)]: limiter } };
    const readyAt = Math.max(readyAtOf(limiter, limit, 1, step.now), step.now);
    return [{ ...limitUse(record, limit, MODEL, step.now), readyAt: write(readyAt) }];
  });
}

const dailyInput = z.union([z.strictObject({ timeZone: z.string(), at: z.string() }), limitInput]);

function isoOf(at: number): string {
  return new Date(at).toISOString();
}

const breakerStep = z.discriminatedUnion('do', [
  z.strictObject({ now: z.number(), do: z.literal('admit'), as: z.string() }),
  z.strictObject({ now: z.number(), do: z.literal('succeed'), as: z.string() }),
  z.strictObject({
    now: z.number(),
    do: z.literal('fail'),
    as: z.string(),
    reason: z.prefault(kindSchema, 'server_error'),
    retryAt: z.optional(z.number()),
  }),
  z.strictObject({ now: z.number(), do: z.literal('count against'), as: z.string() }),
  z.strictObject({ now: z.number(), do: z.literal('release'), as: z.string() }),
  z.strictObject({ now: z.number(), do: z.literal('look') }),
]);
type BreakerStep = z.output<typeof breakerStep>;
const breakerInput = z.strictObject({
  trip: tripSchema,
  probeMs: z.prefault(z.number(), 30_000),
  steps: z.array(breakerStep),
});

/** A breaker, and the generation under which each request was admitted. */
class BreakerScript {
  readonly #input: z.output<typeof breakerInput>;
  readonly #admitted = new Map<string, Admitted>();
  #breaker: CircuitBreaker = CLOSED;

  constructor(input: z.output<typeof breakerInput>) {
    this.#input = input;
  }

  /** What the step shows: of `admit` whether it was, of `look` the breaker. */
  run(step: BreakerStep): readonly unknown[] {
    if (step.do === 'look') {
      const readyAt = Math.max(breakerReadyAt(this.#breaker, step.now), step.now);
      return [{ ...this.#breaker, readyAt }];
    }
    if (step.do === 'admit') return [this.#admit(step.now, step.as)];
    this.#breaker = this.#ended(step, found(this.#admitted.get(step.as), `admitted request ${step.as}`));
    return [];
  }

  #admit(now: number, name: string): boolean {
    if (breakerReadyAt(this.#breaker, now) > now) return false;
    this.#breaker = admit(this.#breaker, now, this.#input.probeMs);
    this.#admitted.set(name, { generation: this.#breaker.generation, sentAt: now });
    return true;
  }

  #ended(step: Exclude<BreakerStep, { do: 'look' | 'admit' }>, admitted: Admitted): CircuitBreaker {
    const { now } = step;
    if (step.do === 'succeed') return succeed(this.#breaker, admitted);
    if (step.do === 'count against') return countAgainst(this.#breaker, admitted);
    if (step.do === 'release') return release(this.#breaker, admitted.generation, now);
    const { reason, retryAt } = step;
    return fail(this.#breaker, { ...admitted, now, reason, trip: this.#input.trip, retryAt });
  }
}

export const outcomeSchema: z.ZodMiniType<Outcome> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('success'),
    latencyMs: z.number(),
    tokens: z.optional(
      z.strictObject({
        input: z.optional(z.number()),
        total: z.optional(z.number()),
        cached: z.optional(z.number()),
      }),
    ),
    reported: z.optional(z.array(reportedQuotaSchema)),
  }),
  z.strictObject({ kind: z.literal('aborted'), sent: z.boolean() }),
  z.strictObject({
    kind: z.literal('failure'),
    failure: failureSchema,
    /** Null: the answer may have been too long. */
    size: z.pipe(
      z.prefault(z.nullable(z.number()), 100),
      z.transform((size) => size ?? undefined),
    ),
  }),
]);
const routeSchema: z.ZodMiniType<Route> = z.strictObject({
  provider: z.string(),
  account: z.string(),
  keyId: z.string(),
  model: z.string(),
});
const settleInput = z.strictObject({
  pool: poolSchema,
  records: z.optional(recordsSchema),
  probeMs: z.prefault(z.number(), 30_000),
  steps: z.array(
    z.discriminatedUnion('do', [
      z.strictObject({
        now: z.number(),
        do: z.literal('reserve'),
        as: z.string(),
        route: routeSchema,
        needs: needsSchema,
      }),
      z.strictObject({ now: z.number(), do: z.literal('settle'), as: z.string(), outcome: outcomeSchema }),
    ]),
  ),
});

export function targetOf(candidates: Stage, route: Route): Target {
  const { provider, models } = found(
    candidates.find((candidate) => candidate.provider.name === route.provider),
    `provider ${route.provider}`,
  );
  const account = found(
    provider.accounts.find(({ id }) => id === route.account),
    `account ${route.account}`,
  );
  const model = found(
    models.find(({ id }) => id === route.model),
    `model ${route.model}`,
  );
  return { route, provider, account, model };
}

/** The parts of a route's records by their path, e.g. `account.keys.k1`. */
function partsOf({ provider, account }: RouteRecords): ReadonlyMap<string, unknown> {
  const { breaker, models } = provider;
  const parts = new Map<string, unknown>([
    ['provider.breaker', breaker],
    ['provider.merged', provider.merged],
    ['account.breaker', account.breaker],
  ]);
  const groups = {
    'provider.models': models,
    'account.limiters': account.limiters,
    'account.models': account.models,
    'account.keys': account.keys,
  };
  for (const [group, entries] of Object.entries(groups)) {
    for (const [name, value] of Object.entries(entries)) parts.set(`${group}.${name}`, value);
  }
  return parts;
}

/** The parts that are not as they were, as they are now. */
function changes(before: RouteRecords, after: RouteRecords): Record<string, unknown> {
  const old = partsOf(before);
  const differing = [...partsOf(after)].filter(
    ([path, value]) => JSON.stringify(value) !== JSON.stringify(old.get(path)),
  );
  return Object.fromEntries(differing);
}

/** What the last `settle` of the steps changes. */
function runSettle(input: z.output<typeof settleInput>): unknown {
  const candidates = candidatesOf(input.pool);
  const records = new StoredRecords(input.records);
  const reservations = new Map<string, Reservation>();
  let last: Record<string, unknown> = {};
  for (const step of input.steps) {
    if (step.do === 'reserve') {
      const target = targetOf(candidates, step.route);
      const { reservation, ...reserved } = reserve(
        records.of(target),
        target,
        step.needs,
        input.probeMs,
        step.now,
      );
      reservations.set(step.as, reservation);
      records.store(target, reserved);
    } else {
      const reservation = found(reservations.get(step.as), `reservation ${step.as}`);
      const before = records.of(reservation.target);
      const after = settle(before, reservation, step.outcome, step.now);
      records.store(reservation.target, after);
      last = changes(before, after);
    }
  }
  return last;
}

const explainInput = z.strictObject({
  pool: poolSchema,
  stages: z.optional(stagesSchema),
  records: z.optional(recordsSchema),
  ...preferenceFields,
  needs: needsSchema,
  now: z.number(),
});

const healthInput = z.strictObject({
  pool: poolSchema,
  records: z.optional(recordsSchema),
  now: z.number(),
});

const strategiesInput = z.strictObject({
  strategy: z.enum(['priority', 'round_robin', 'quota_aware', 'latency']),
  scores: z.array(
    z.strictObject({
      name: z.string(),
      index: z.number(),
      priority: z.prefault(z.number(), 0),
      latencyMs: z.optional(z.number()),
      price: z.prefault(z.number(), 0),
      minuteUse: z.prefault(z.number(), 0),
    }),
  ),
  turns: z.prefault(z.array(z.number()), [0]),
});

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = {
  'known-names': (input) => ({
    models: substitutesFor(z.strictObject({ name: z.string() }).parse(input).name) ?? [],
  }),
  aliases: (input) => readModelName(z.strictObject({ name: z.string() }).parse(input).name),
  backoff: (input) => {
    const schema = z.strictObject({ baseMs: z.number(), maxMs: z.number(), trips: z.array(z.number()) });
    const { baseMs, maxMs, trips } = schema.parse(input);
    return trips.map((count) => backoffMs(baseMs, count, maxMs));
  },
  'circuit-breaker': (input) => {
    const parsed = breakerInput.parse(input);
    const script = new BreakerScript(parsed);
    return parsed.steps.flatMap((step) => script.run(step));
  },
  'daily-quota': (input) => {
    const parsed = dailyInput.parse(input);
    if ('limit' in parsed) return plain(runLimit(parsed, isoOf));
    return isoOf(nextMidnight(parsed.timeZone, Date.parse(parsed.at)));
  },
  explain: (input) => {
    const { pool, stages, records, strategy, turn, needs, now } = explainInput.parse(input);
    const rows = explain({
      now,
      stages: stagesOf(candidatesOf(pool), stages),
      records: new StoredRecords(records),
      preferences: preferencesOf({ strategy, turn }),
      needs,
      failedAttempts: [],
      maxAttempts: Number.POSITIVE_INFINITY,
      waitUntil: 0,
    });
    return plain(rows);
  },
  health: (input) => {
    const { pool, records, now } = healthInput.parse(input);
    const stored = new StoredRecords(records);
    const candidates = candidatesOf(pool);
    return plain({
      keys: candidates.flatMap((candidate) => keyStatuses(stored, candidate, now)),
      quotas: candidates.flatMap((candidate) => quotaStatuses(stored, candidate, now)),
    });
  },
  'limit-status': (input) => {
    const { pool, records, now } = healthInput.parse(input);
    const stored = new StoredRecords(records);
    return plain(candidatesOf(pool).flatMap((candidate) => limitStatuses(stored, candidate, now)));
  },
  plan: (input) => plain(runCalls(callsSchema.parse(input))),
  settle: (input) => plain(runSettle(settleInput.parse(input))),
  strategies: (input) => {
    const { strategy, scores, turns } = strategiesInput.parse(input);
    const given = scores.map((standing) => ({ ...standing, latencyMs: standing.latencyMs }));
    return turns.map((turn) => STRATEGIES[strategy](given, turn).map(({ name }) => name));
  },
  limits: (input) => plain(runLimit(limitInput.parse(input), (at) => at)),
};
