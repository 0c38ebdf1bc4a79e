/** Processes that contend for a key over a store on another machine: some reserve in advance. spec 2.11 */

import { describe, expect, it } from 'vitest';
import { NoProvidersAvailableError, type StateStore } from '../../src/index.ts';
import { type OpenStore, openStore } from '../support/open-store.ts';
import { laterStore, MINUTE, SECOND, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

/** A store at which another process is faster so often before the next swaps. */
class Contested implements StateStore {
  readonly open: OpenStore = openStore();
  races = 0;
  /** Whether the process that uses it is dead: nothing that it asks is answered. */
  isDead = false;

  read(ids: readonly string[]): ReturnType<StateStore['read']> {
    return this.open.read(ids);
  }

  swap(id: string, version: number, next: unknown): ReturnType<StateStore['swap']> {
    if (this.isDead) return new Promise(() => {});
    if (this.races === 0) return this.open.swap(id, version, next);
    this.races -= 1;
    return false;
  }
}

interface Contest {
  readonly pool: SimulatedPool;
  readonly store: Contested;
  /** Requests that are booked now. */
  readonly booked: () => number;
  /** Calls once, after so many lost races. */
  readonly call: (races?: number) => Promise<unknown>;
}

/** A pool with 40 requests a minute that has made some calls and lost no race so far. */
async function contest(calls = 3, isRemote = true): Promise<Contest> {
  const store = new Contested();
  const pool = simulatedPool({
    store: isRemote ? laterStore(store, () => Promise.resolve()) : store,
    custom: { rpm: 40, limits: { rpm: 40 } },
    maxAttempts: 2,
  });
  await pool.trace(calls);
  return {
    pool,
    store,
    booked: () => store.open.booked(pool.clock.now()),
    call: (races = 0) => {
      store.races = races;
      return pool.run(pool.llm.chat('Hello'));
    },
  };
}

describe('a call that loses races for its reservation', () => {
  it.each([
    { races: 0, calls: 3, spares: 0 },
    { races: 1, calls: 3, spares: 0 },
    { races: 2, calls: 3, spares: 3 },
    { races: 9, calls: 3, spares: 3 },
    { races: 2, calls: 9, spares: 3 },
    { races: 2, calls: 1, spares: 1 },
    { races: 2, calls: 0, spares: 0 },
  ])('reserves $spares in advance after $races races and $calls calls in a second', async (row) => {
    const { store, booked, call } = await contest(row.calls);
    await call(row.races);
    expect(booked()).toBe(row.calls + 1 + row.spares);
    expect(store.open.spares()).toBe(row.spares);
  });

  it('reserves nothing in advance if the process made no call in the last second', async () => {
    const { pool, store, call } = await contest();
    await pool.clock.advance(SECOND);
    await call(2);
    expect(store.open.spares()).toBe(0);
  });

  it('reserves nothing in advance in a store that answers at once', async () => {
    const { store, call } = await contest(3, false);
    await call(9);
    expect(store.open.spares()).toBe(0);
  });
});

describe('spares', () => {
  it('serve the next calls, which then store their outcome only', async () => {
    const { pool, store, booked, call } = await contest();
    await call(2);
    expect(booked()).toBe(7);
    const before = store.open.swaps();
    for (const _ of [1, 2, 3]) await call();
    expect(store.open.swaps() - before).toBe(3);
    expect([pool.requests(), booked()]).toEqual([7, 7]);
    await call();
    expect(store.open.swaps() - before).toBe(5);
    expect(booked()).toBe(8);
    expect(pool.clock.pending).toBe(0);
  });

  it('are given back in one swap after a second', async () => {
    const { pool, store, booked, call } = await contest();
    await call(2);
    const before = store.open.swaps();
    await pool.clock.advance(SECOND - 1);
    expect(booked()).toBe(7);
    await pool.clock.advance(1);
    expect([booked(), store.open.swaps() - before, pool.clock.pending]).toEqual([4, 1, 0]);
  });

  it('are given back when the pool is closed', async () => {
    const { pool, booked, call } = await contest();
    await call(2);
    await pool.llm.close();
    expect([booked(), pool.clock.pending]).toEqual([4, 0]);
  });

  it('are given back with the outcome of a call that fails', async () => {
    const { pool, store, booked, call } = await contest();
    await call(2);
    const before = store.open.swaps();
    pool.world.custom.script({ kind: 'unauthorized', key: pool.transport.sent[0]?.key ?? '' });
    await expect(call()).rejects.toThrow(NoProvidersAvailableError);
    expect([pool.requests(), booked()]).toEqual([5, 5]);
    expect(store.open.swaps() - before).toBe(1);
  });

  it('are not used after a reset', async () => {
    const { pool, booked, call } = await contest();
    await call(2);
    await pool.llm.reset();
    expect(booked()).toBe(0);
    await call();
    expect(booked()).toBe(1);
    await pool.clock.advance(SECOND);
    expect(booked()).toBe(1);
  });

  it('are the first to go when nothing else is left', async () => {
    const { pool, booked, call } = await contest();
    await call(2);
    const other = pool.sibling();
    const calls = Array.from({ length: 40 }, () => other.chat('Hello'));
    const results = await pool.run(Promise.allSettled(calls));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(33);
    for (const _ of [1, 2, 3]) await call();
    await expect(call()).rejects.toThrow(NoProvidersAvailableError);
    expect([pool.requests(), booked()]).toEqual([40, 40]);
  });

  it('of a process that is killed return with their window', async () => {
    const { pool, store, booked, call } = await contest();
    const living = pool.sibling({ store: laterStore(store.open, () => Promise.resolve()) });
    const crowd = async (): Promise<number> => {
      const calls = Array.from({ length: 50 }, () => living.chat('Hello'));
      const results = await pool.run(Promise.allSettled(calls));
      return results.filter(({ status }) => status === 'fulfilled').length;
    };
    await call(2);
    store.isDead = true;
    expect([await crowd(), booked()]).toEqual([33, 40]);
    await pool.clock.advance(MINUTE + 3 * SECOND);
    expect([await crowd(), booked()]).toEqual([40, 40]);
    expect(pool.world.counts.causes).not.toHaveProperty('minute-limit');
  });
});

describe('outcomes that wait for their turn', () => {
  it('are stored in one swap, and each of them is learnt', async () => {
    const { pool, store, booked } = await contest(0);
    await pool.run(Promise.all(Array.from({ length: 10 }, () => pool.llm.chat('Hello'))));
    // Ten reservations, the list of keys, and two for the outcomes, which wait behind the reservations.
    expect(store.open.swaps()).toBe(13);
    expect([pool.requests(), booked()]).toEqual([10, 10]);
  });
});
