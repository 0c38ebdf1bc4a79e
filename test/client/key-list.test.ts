/** A pool that comes with other keys than those that the stored records know. spec 5.15 */

import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import type { Fault } from '../../src/testing.ts';
import type { StateStore } from '../../src/index.ts';
import {
  laterStore,
  MINUTE,
  NOON,
  type ProviderSetup,
  simulatedPool,
  type SimulatedPool,
} from '../support/simulated-pool.ts';

/** A provider that refuses for good, and what its keys may not do then. */
const REFUSALS: readonly (readonly [what: string, fault: Fault, later: ProviderSetup])[] = [
  ['an account that is forbidden', { kind: 'forbidden' }, { accounts: [['k-1', 'k-2']] }],
  ['an account without credits', { kind: 'out-of-credits' }, { accounts: [['k-2']] }],
  ['a model that the account may not use', { kind: 'not-entitled' }, { accounts: [['k-2']] }],
  ['a model that was retired', { kind: 'retired' }, { accounts: [['k-1'], ['k-2']] }],
];

const stores: readonly (readonly [string, () => StateStore])[] = [
  ['a store in memory', memoryStore],
  ['a store that answers later', () => laterStore(memoryStore(), () => Promise.resolve())],
];

/** The next process, a minute later. The account keeps its name, whatever its keys. */
function next(store: StateStore, custom: ProviderSetup): SimulatedPool {
  return simulatedPool({ store, startAt: NOON + MINUTE, custom: { rpd: 100, ...custom } });
}

async function refusedBy(store: StateStore, fault: Fault): Promise<void> {
  const first = simulatedPool({ store, custom: { rpd: 100, accounts: [['k-1']], faults: [fault] } });
  await first.trace(1);
  await first.clock.advance(MINUTE);
}

describe.each(stores)('%s', (_name, make) => {
  it.each(REFUSALS)('after %s, a pool with another key asks again at once', async (_what, fault, later) => {
    const store = make();
    await refusedBy(store, fault);
    const pool = next(store, later);
    expect(await pool.trace(1)).toEqual([expect.stringMatching(/^k-\d custom-large$/)]);
  });

  it.each(REFUSALS)('after %s, a pool with the same keys remembers it', async (_what, fault) => {
    const store = make();
    await refusedBy(store, fault);
    const pool = next(store, { accounts: [['k-1']] });
    await pool.run(pool.llm.sync());
    expect(pool.llm.health()).toMatchObject([{ ready: false }]);
    await pool.trace(1);
    expect(pool.requests()).toBe(0);
  });

  it('what was spent stays spent, and what was learnt stays known', async () => {
    const store = make();
    const first = simulatedPool({
      store,
      custom: { rpd: 100, accounts: [['k-1']], faults: [{ kind: 'unsupported', parameters: ['seed'] }] },
    });
    await first.trace(3, { seed: 1 });
    const spent = first.requests();
    const pool = next(store, { accounts: [['k-2']] });
    expect(await pool.trace(1)).toEqual(['k-2 custom-large']);
    expect(pool.llm.health()).toMatchObject([{ rpdUsed: spent + 1 }]);
  });

  it('pools with different keys do not make each other forget again and again', async () => {
    const store = make();
    const fault = { kind: 'out-of-credits' } as const;
    await refusedBy(store, fault);
    const pools = [['k-1', 'k-2'], ['k-1'], ['k-1', 'k-2'], ['k-1']].map((keys) =>
      next(store, { faults: [fault], accounts: [keys] }),
    );
    for (const pool of pools) await pool.trace(1);
    expect(pools.map((pool) => pool.requests())).toEqual([1, 0, 0, 0]);
  });
});
