/** How large the records of a busy pool grow. spec 2.12 */

import { expect, it } from 'vitest';
import { EMPTY_ACCOUNT, limiterOf } from '../../src/core/records/account.ts';
import { EMPTY_PROVIDER } from '../../src/core/records/provider.ts';
import { reserve, type RouteRecords } from '../../src/core/ledger/reserve.ts';
import { type Outcome, settle } from '../../src/core/ledger/settle.ts';
import { withIdentity } from '../../src/core/records/shared-accounts.ts';
import { readyAtOf, usedOf } from '../../src/core/limits/window.ts';
import type { Target } from '../../src/core/routing/question.ts';
import { Provider } from '../../src/providers/provider.ts';
import { SPECS } from '../../src/providers/spec.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { DAY, MINUTE, NOON } from '../support/simulated-pool.ts';

const NEEDS = {
  size: 1000,
  capabilities: [],
  tokens: () => ({ prompt: 300, least: 200, maxTokens: undefined }),
};
const MEGABYTE = 1_000_000;

/** Every known provider, with one key. Makes a target of any of its models. */
const PROVIDERS = Object.values(SPECS).map((spec, index): ((model: string) => Target) => {
  const vars = Object.fromEntries(Object.keys(spec.vars ?? {}).map((name) => [name, 'a'.repeat(32)]));
  const provider = new Provider(spec.title, spec, 'abcdef-0123456789-0123456789', { vars });
  const { name, recordId, accounts } = provider;
  const [account] = accounts;
  if (account === undefined) throw new Error(`${name} has no account`);
  const pool = { name, index, recordId, priority: 0, accounts, trip: provider.trip.bind(provider) };
  const route = { provider: name, account: account.id, keyId: account.keyIds[0] ?? '' };
  return (model) => ({ route: { ...route, model }, provider: pool, account, model: { id: model } });
});

/** Records of a pool in which a share of requests fails. */
class Day {
  readonly records = new Map<string, RouteRecords>();
  readonly #random = seededRandom(1);
  readonly #failing: number;
  now: number = NOON;

  constructor(failing = 0) {
    this.#failing = failing;
  }

  of({ provider: { name } }: Target): RouteRecords {
    return this.records.get(name) ?? { provider: EMPTY_PROVIDER, account: EMPTY_ACCOUNT };
  }

  /** Sends a request, if the limits admit it. */
  send(target: Target): void {
    const before = this.of(target);
    const { model } = target.route;
    const isReady = target.account
      .limits(model)
      .every((limit) => readyAtOf(limiterOf(before.account, limit, model), limit, 1, this.now) <= this.now);
    if (!isReady) return;
    const { reservation, ...reserved } = reserve(before, target, NEEDS, MINUTE, this.now);
    this.records.set(target.provider.name, settle(reserved, reservation, this.#outcome(), this.now + 1000));
  }

  #outcome(): Outcome {
    const message = 'The model is busy. '.repeat(25);
    return this.#random() < this.#failing
      ? { kind: 'failure', failure: { kind: 'model_busy', scope: 'model', message, status: 503 }, size: 1000 }
      : {
          kind: 'success',
          latencyMs: 1234.5,
          tokens: { input: 300, total: 400 + Math.floor(1000 * this.#random()) },
        };
  }

  /** Sends requests for a day, to models that `modelOf` names. Returns the size of all records at its end. */
  run(requests: number, modelOf: (random: number) => string): number {
    const until = this.now + DAY;
    for (; this.now < until; this.now += DAY / requests) {
      const targetOf = PROVIDERS[Math.floor(this.#random() * PROVIDERS.length)];
      if (targetOf !== undefined) this.send(targetOf(modelOf(this.#random())));
    }
    return this.size();
  }

  size(): number {
    return JSON.stringify([...this.records.values()]).length;
  }
}

it('a busy day of all providers with 100 models each, of which a tenth fails, stays under a megabyte', () => {
  const size = new Day(0.1).run(5000, (random) => `maker/model-${Math.floor(100 * random)}`);
  expect(size).toBeGreaterThan(MEGABYTE / 20);
  expect(size).toBeLessThan(MEGABYTE / 2);
});

it('days with other models each do not add up', () => {
  const day = new Day();
  const sizes = [1, 2, 3].map((number) =>
    day.run(2000, (random) => `maker/model-${number}-${Math.floor(100 * random)}`),
  );
  expect(Math.max(...sizes)).toBeLessThan(1.5 * (sizes[0] ?? 0));
});

it('names of models that somebody makes up fill no record, and displace no other', () => {
  const day = new Day();
  const targetOf = PROVIDERS.find((make) =>
    make('m')
      .account.limits('m')
      .some(({ per }) => per === 'account-model'),
  );
  if (targetOf === undefined) throw new Error('no provider has limits for each model');
  const real = targetOf('a real model');
  day.send(real);
  for (let request = 0; request < 600; request += 1) day.send(targetOf(`made up ${request}`));
  const { limiters } = day.of(real).account;
  expect(Object.keys(limiters).length).toBeLessThan(1100);
  expect(day.size()).toBeLessThan(MEGABYTE / 5);
  const limits = real.account.limits(real.route.model);
  const used = limits.map((limit) =>
    usedOf(limiterOf(day.of(real).account, limit, real.route.model), limit, day.now),
  );
  expect(Math.min(...used)).toBeGreaterThan(0);
});

it('a provider that names an account anew with each refusal fills no record', () => {
  let record = EMPTY_PROVIDER;
  for (let name = 0; name < 700; name += 1) {
    const failure = {
      kind: 'rate_limited',
      scope: 'account',
      message: '',
      identity: `name-${name}`,
    } as const;
    record = withIdentity(record, `account-${name % 3}`, failure, NOON);
  }
  expect(Object.keys(record.identities ?? {})).toHaveLength(500);
  expect(record.identities).toHaveProperty('name-699');
});
