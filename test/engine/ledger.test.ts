import { describe, expect, it } from 'vitest';
import { readAccountRecord } from '../../src/core/records/account.ts';
import { reserve } from '../../src/core/ledger/reserve.ts';
import type { Target } from '../../src/core/routing/question.ts';
import { readProviderRecord } from '../../src/core/records/provider.ts';
import type { Outcome } from '../../src/core/ledger/settle.ts';
import { sumOf } from '../../src/core/limits/state.ts';
import { Ledger } from '../../src/engine/ledger.ts';
import type { StateStore } from '../../src/ports.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { VirtualClock } from '../../src/testing.ts';
import { targetOf } from '../vectors/core.ts';
import { candidatesOf, poolSchema } from '../vectors/pool.ts';

const NOW = 1_790_000_000_000;
const LIMITS = [
  {
    id: 'rpm',
    kind: 'sliding-window',
    unit: 'requests',
    per: 'account',
    windowMs: 60_000,
    marginMs: 0,
    max: 20,
  },
];
const POOL = candidatesOf(
  poolSchema.parse({
    providers: [
      {
        name: 'alpha',
        accounts: ['a', 'b'].map((id) => ({ id, keys: [`key-${id}`], limits: LIMITS })),
        models: ['m'],
      },
    ],
  }),
);
const SERVED: Outcome = { kind: 'success', latencyMs: 100 };
const REFUSED: Outcome = {
  kind: 'failure',
  size: 1,
  failure: { kind: 'rate_limited', scope: 'account', status: 429, message: '', reportedLimit: 20 },
};

/** A pool of two keys over a store of which the test decides which writes come too late. */
class Race {
  readonly #memory = memoryStore();
  readonly #store: StateStore = {
    read: (ids) => this.#memory.read(ids),
    swap: (id, version, next) => {
      if (id !== this.late) return this.#memory.swap(id, version, next);
      this.late = undefined;
      return false;
    },
  };
  readonly #ledger = new Ledger(this.#store, new VirtualClock(NOW));
  /** The record of which the next write comes too late. */
  late: string | undefined;

  target(account: string): Target {
    return targetOf(POOL, { provider: 'alpha', account, keyId: `key-${account}`, model: 'm' });
  }

  #at(id: string): unknown {
    const read = this.#memory.read([id]);
    return read instanceof Promise ? undefined : read[0]?.value;
  }

  async call(account: string, outcome: Outcome, times = 1): Promise<void> {
    const target = this.target(account);
    for (let made = 0; made < times; made += 1) {
      const records = {
        provider: readProviderRecord(this.#at(target.provider.recordId)),
        account: readAccountRecord(this.#at(target.account.recordId)),
      };
      const needs = { size: 0, capabilities: [] };
      const { reservation, account: reserved } = reserve(records, target, needs, 30_000, NOW);
      const id = target.account.recordId;
      const [known] = await this.#memory.read([id]);
      await this.#memory.swap(id, known?.version ?? 0, reserved);
      await this.#ledger.settle(reservation, outcome);
    }
  }

  /** What is reserved of the account's minute. */
  spent(account: string): number {
    const { limiters } = readAccountRecord(this.#at(this.target(account).account.recordId));
    return sumOf(limiters['rpm']?.spent ?? [], NOW, 60_000);
  }
}

describe('an outcome that changes two records', () => {
  it.each([
    { what: 'no write comes too late', late: undefined },
    { what: "the provider's does", late: 'alpha' },
    { what: "the account's does", late: 'alpha/b' },
  ])('is learnt whole when $what', async ({ late }) => {
    const race = new Race();
    await race.call('a', SERVED, 8);
    await race.call('b', SERVED, 12);
    await race.call('a', REFUSED);
    race.late = late;
    await race.call('b', REFUSED);
    expect(race.late).toBeUndefined();
    // The two keys share an account: what one of them did not spend of it, the other did.
    expect(race.spent('b')).toBe(20);
  });
});
