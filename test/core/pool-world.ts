/** A pool in virtual time on which requests are taken and settled in any order; every value in it is frozen. */

import fc from '../support/fast-check.ts';
import { type Reservation, reserve, type RouteRecords } from '../../src/core/ledger/reserve.ts';
import type { FailureKind, Scope } from '../../src/core/failure.ts';
import type { Limit } from '../../src/core/limits/limit.ts';
import type { Decision, Question } from '../../src/core/routing/question.ts';
import { plan } from '../../src/core/routing/plan.ts';
import type { Stage } from '../../src/core/pool.ts';
import { type Outcome, settle } from '../../src/core/ledger/settle.ts';
import { deepFreeze } from '../support/deep-freeze.ts';
import { candidateOf, preferencesOf, type ProviderData, StoredRecords } from '../vectors/pool.ts';

export const MINUTE: number = 60_000;
export const DAY: number = 24 * 60 * MINUTE;
export const PROBE_MS: number = 30_000;

/** A request that the provider counts, at the moment at which it was sent. */
export interface Sent {
  readonly at: number;
  readonly account: string;
  readonly model: string;
}

interface UnderWay {
  readonly reservation: Reservation;
  readonly sent: Sent;
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** A limit of requests per minute that an account has for all models. */
export function perMinute(max: number): Limit {
  const counted = { unit: 'requests', per: 'account', windowMs: MINUTE, marginMs: 250 } as const;
  return { id: 'rpm', kind: 'sliding-window', max, ...counted };
}

/** A provider with accounts of two keys each; every account has the same limits. */
export function providerOf(
  accounts: number,
  models: number,
  limits: readonly Limit[] = [],
  name: string = 'alpha',
): ProviderData {
  return {
    name,
    priority: 0,
    accounts: numbers(accounts).map((account) => ({
      id: `a${account}`,
      keys: [`${name}-k${account}-1`, `${name}-k${account}-2`],
      limits: [...limits],
    })),
    models: numbers(models).map((model) => `m${model}`),
    trips: {},
  };
}

export class PoolWorld {
  now: number;
  readonly stage: Stage;
  readonly records = new StoredRecords();
  readonly underWay: UnderWay[] = [];
  /** What the providers have counted, or may have. */
  readonly sent = new Set<Sent>();
  #turn = 0;

  constructor(now: number, providers: readonly ProviderData[]) {
    this.now = now;
    this.stage = deepFreeze(providers.map(candidateOf));
  }

  question(): Question {
    return deepFreeze({
      now: this.now,
      stages: [this.stage],
      records: this.records.snapshot(),
      preferences: preferencesOf({ strategy: 'round_robin', turn: this.#turn }),
      needs: { size: 100, capabilities: [] },
      failedAttempts: [],
      maxAttempts: 12,
      waitUntil: Number.POSITIVE_INFINITY,
    });
  }

  decide(): Decision {
    return plan(this.question());
  }

  /** Takes a request where one is admitted. */
  take(): boolean {
    this.#turn += 1;
    const decision = this.decide();
    if (decision.kind !== 'attempt') return false;
    const { target } = decision;
    const needs = { size: 100, capabilities: [] };
    const { reservation, ...records } = deepFreeze(
      reserve(this.records.of(target), target, needs, PROBE_MS, this.now),
    );
    this.records.store(target, records);
    const sent = { at: this.now, account: target.route.account, model: target.route.model };
    this.sent.add(sent);
    this.underWay.push({ reservation, sent });
    return true;
  }

  /** Settles one of the requests under way; gives the records before and after. */
  settle(
    which: number,
    outcome: Outcome,
  ): { reservation: Reservation; before: RouteRecords; after: RouteRecords } | undefined {
    const [request] = this.underWay.splice(which % Math.max(1, this.underWay.length), 1);
    if (request === undefined) return undefined;
    const { reservation, sent } = request;
    const before = this.records.of(reservation.target);
    const after = deepFreeze(settle(before, reservation, deepFreeze(outcome), this.now));
    this.records.store(reservation.target, after);
    const uncounted =
      outcome.kind === 'aborted'
        ? !outcome.sent
        : outcome.kind === 'failure' && outcome.failure.uncounted === true;
    if (uncounted) this.sent.delete(sent);
    return { reservation, before, after };
  }

  /** Lets time pass until the next request is admitted, should that be a moment that comes. */
  passUntilReady(): void {
    const decision = this.decide();
    if (decision.kind === 'wait') this.now = decision.until;
  }
}

/** One thing that happens in the world. */
export type Step =
  | { readonly do: 'take' }
  | { readonly do: 'settle'; readonly which: number; readonly outcome: Outcome }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'pass until ready' };

export function happen(world: PoolWorld, step: Step): void {
  switch (step.do) {
    case 'take':
      world.take();
      break;
    case 'settle':
      world.settle(step.which, step.outcome);
      break;
    case 'pass':
      world.now += step.ms;
      break;
    case 'pass until ready':
      world.passUntilReady();
      break;
  }
}

/** Every kind with the scopes at which it occurs. */
export const SCOPES_OF: Readonly<Record<FailureKind, readonly Scope[]>> = {
  rate_limited: ['account', 'account-model', 'provider'],
  quota_exhausted: ['account', 'account-model'],
  model_busy: ['model', 'provider'],
  out_of_credits: ['account', 'account-model', 'key'],
  unauthorized: ['key'],
  not_entitled: ['account-model'],
  forbidden: ['provider', 'account', 'account-model', 'key'],
  model_gone: ['model', 'account-model'],
  unsupported: ['model'],
  context_too_long: ['model', 'provider'],
  content_blocked: ['request'],
  server_error: ['provider', 'model'],
  timeout: ['provider', 'model', 'request'],
  network: ['provider'],
  broken_stream: ['provider'],
  invalid_output: ['model'],
  rejected: ['request'],
  bad_request: ['request'],
};

export function isKind(kind: string): kind is FailureKind {
  return Object.hasOwn(SCOPES_OF, kind);
}

const KINDS = Object.keys(SCOPES_OF)
  .filter(isKind)
  .flatMap((kind) => SCOPES_OF[kind].map((scope) => ({ kind, scope })));

const success = fc.record({ kind: fc.constant('success' as const), latencyMs: fc.nat(30_000) });
const aborted = fc.record({ kind: fc.constant('aborted' as const), sent: fc.boolean() });

/** Outcomes of every kind; moments that a provider names lie within a minute after `now`. */
export function outcomeAt(now: number): fc.Arbitrary<Outcome> {
  const failure = fc
    .tuple(
      fc.constantFrom(...KINDS),
      fc.record(
        {
          status: fc.constantFrom(400, 401, 429, 500),
          retryAt: fc.nat(MINUTE).map((ms) => now + ms),
          uncounted: fc.boolean(),
          parameters: fc.constant(['seed']),
          capabilities: fc.constant(['tools']),
          contextLength: fc.constantFrom(4096, 8192),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([{ kind, scope }, details]) => ({
      kind: 'failure' as const,
      failure: { kind, scope, message: 'refused', ...details },
      size: 1000,
    }));
  return fc.oneof(success, aborted, failure);
}

/** Outcomes that hold up a pool of limits as little as can be, refunds among them. */
export const mildOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 6, arbitrary: success },
  { weight: 2, arbitrary: aborted },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Outcome>(
      {
        kind: 'failure',
        failure: { kind: 'network', scope: 'provider', message: '', uncounted: true },
        size: 1,
      },
      { kind: 'failure', failure: { kind: 'network', scope: 'provider', message: '' }, size: 1 },
      {
        kind: 'failure',
        failure: { kind: 'rate_limited', scope: 'account', message: '', status: 429 },
        size: 1,
      },
      {
        kind: 'failure',
        failure: { kind: 'bad_request', scope: 'request', message: '', status: 400 },
        size: 1,
      },
    ),
  },
);

/** What happens, in any order. */
export function steps(outcome: fc.Arbitrary<Outcome>, longestPassMs: number): fc.Arbitrary<Step> {
  const pass = fc.oneof(fc.nat(50), fc.nat(5000), fc.nat(MINUTE), fc.nat(longestPassMs));
  return fc.oneof(
    { weight: 10, arbitrary: fc.constant<Step>({ do: 'take' }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), outcome }) },
    { weight: 2, arbitrary: pass.map((ms): Step => ({ do: 'pass', ms })) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'pass until ready' }) },
  );
}
