/** Runs the vectors of what is learnt of limits and accounts: calls go out, answers come, and what is believed is looked at. */

import * as z from 'zod/mini';
import { limitUse } from '../../src/core/records/account.ts';
import { accountAdmission, providerAdmission } from '../../src/core/routing/admission.ts';
import { accountsOf } from '../../src/core/records/shared-accounts.ts';
import { reserve } from '../../src/core/ledger/reserve.ts';
import { demandOf } from '../../src/core/routing/cost.ts';
import { settle } from '../../src/core/ledger/settle.ts';
import type { Route } from '../../src/core/pool.ts';
import { outcomeSchema, targetOf } from './core.ts';
import { candidatesOf, found, needsSchema, plain, poolSchema, StoredRecords } from './pool.ts';

const PROBE_MS = 30_000;

const step = z.discriminatedUnion('do', [
  z.strictObject({
    now: z.number(),
    do: z.literal('call'),
    times: z.prefault(z.number(), 1),
    /** `provider account key model`. */
    route: z.string(),
    needs: needsSchema,
    outcome: z.prefault(outcomeSchema, { kind: 'success', latencyMs: 100 }),
  }),
  z.strictObject({ now: z.number(), do: z.literal('look'), route: z.string(), needs: needsSchema }),
  z.strictObject({ now: z.number(), do: z.literal('accounts') }),
]);
const schema = z.strictObject({ pool: poolSchema, steps: z.array(step) });

function routeOf(text: string): Route {
  const [provider = '', account = '', keyId = '', model = ''] = text.split(' ');
  return { provider, account, keyId, model };
}

class LearningScript {
  readonly #candidates;
  readonly #records = new StoredRecords();

  constructor(input: z.output<typeof schema>) {
    this.#candidates = candidatesOf(input.pool);
  }

  run(one: z.output<typeof step>): readonly unknown[] {
    switch (one.do) {
      case 'call':
        this.#call(one);
        return [];
      case 'look':
        return [this.#look(one)];
      case 'accounts':
        return [this.#accounts(one.now)];
    }
  }

  /** Sends all requests before the first answer comes. */
  #call({ route, times, needs, now, outcome }: Extract<z.output<typeof step>, { do: 'call' }>): void {
    const target = targetOf(this.#candidates, routeOf(route));
    const reservations = Array.from({ length: times }, () => {
      const { reservation, ...reserved } = reserve(this.#records.of(target), target, needs, PROBE_MS, now);
      this.#records.store(target, reserved);
      return reservation;
    });
    for (const reservation of reservations)
      this.#records.store(target, settle(this.#records.of(target), reservation, outcome, now));
  }

  /** Each limit in force with its use, and the moment at which a request is admitted. */
  #look({ route, needs, now }: Extract<z.output<typeof step>, { do: 'look' }>): unknown {
    const target = targetOf(this.#candidates, routeOf(route));
    const { provider, account } = this.#records.of(target);
    const { model } = target.route;
    const demand = demandOf(target, account, model, needs, now);
    const own = accountAdmission(target.account, account, model, demand, { now });
    const readyAt = Math.max(now, own.readyAt, providerAdmission(provider, { now }).readyAt);
    const limits = target.account.limits(model).map((limit) => {
      const { max, used } = limitUse(account, limit, model, now);
      return [limit.id, `${used} of ${max}`];
    });
    return { ...Object.fromEntries(limits), readyAt, maxTokens: demand.maxTokens };
  }

  /** The keys of each account, as far as it is known which share one. */
  #accounts(now: number): unknown {
    const { provider } = found(this.#candidates[0], 'provider');
    return accountsOf(provider, this.#records.provider(provider), now).map(({ keyIds }) => keyIds);
  }
}

export const runners: Record<string, (input: unknown) => unknown> = {
  learning: (input) => {
    const parsed = schema.parse(input);
    const script = new LearningScript(parsed);
    return plain(parsed.steps.flatMap((one) => script.run(one)));
  },
};
