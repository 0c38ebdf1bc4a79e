/** The stores of a day's pools, as processes on one machine or on several have them. */

import { memoryStore } from '../../src/adapters/memory-store.ts';
import type { Clock, StateStore } from '../../src/ports.ts';
import { HOUR } from '../support/simulated-pool.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { Deployment } from './scenario.ts';

/** How often a waiting call looks at a store that others change, too. */
const POLL_MS = 250;
const SLOW_MS = 20;
const FAILS_FROM_MS = HOUR;
const FAILS_UNTIL_MS = 2 * HOUR;

/** The store, some time away. */
function distant(store: StateStore, clock: Clock, meanMs: number): StateStore {
  const random = seededRandom(meanMs);
  const later = async <T>(action: () => T | Promise<T>): Promise<T> => {
    await new Promise<void>((resolve) => {
      // With equal delays, one of two processes would win each race for a record.
      clock.after(meanMs * (0.5 + random()), resolve);
    });
    return action();
  };
  return {
    pollMs: POLL_MS,
    read: (ids) => later(() => store.read(ids)),
    swap: (id, expectedVersion, next) => later(() => store.swap(id, expectedVersion, next)),
  };
}

function failing(store: StateStore, clock: Clock): StateStore {
  const startedAt = clock.now();
  const check = (): void => {
    const since = clock.now() - startedAt;
    if (since >= FAILS_FROM_MS && since < FAILS_UNTIL_MS) throw new Error('no space left on device');
  };
  return {
    pollMs: POLL_MS,
    read: (ids) => {
      check();
      return store.read(ids);
    },
    swap: (id, expectedVersion, next) => {
      check();
      return store.swap(id, expectedVersion, next);
    },
  };
}

/** The store that all pools of a day share; undefined if the day has one pool with a memory of its own. */
export function storeOf(deployment: Deployment | undefined, clock: Clock): StateStore | undefined {
  if (deployment === undefined) return undefined;
  const store: StateStore = { ...memoryStore(), pollMs: POLL_MS };
  if (deployment.store === 'slow') return distant(store, clock, SLOW_MS);
  return deployment.store === 'fails' ? failing(store, clock) : store;
}

/** What a machine sees whose clock is `aheadMs` ahead: its clock, and the store, which tells its own time. */
export function machineOf(
  store: StateStore,
  clock: Clock,
  aheadMs: number,
): { readonly store: StateStore; readonly clock: Clock } {
  if (aheadMs === 0) return { store, clock };
  return {
    store: {
      clockOffsetMs: -aheadMs,
      pollMs: store.pollMs,
      read: (ids) => store.read(ids),
      swap: (id, expectedVersion, next) => store.swap(id, expectedVersion, next),
    },
    clock: {
      now: () => clock.now() + aheadMs,
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, callback) => clock.after(delayMs, callback),
    },
  };
}
