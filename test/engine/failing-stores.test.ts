import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import type { StateStore } from '../../src/index.ts';
import { MINUTE, NOON, SECOND, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const never = new Promise<never>(() => {});

const PATIENT = { wait: true, maxWaitMs: MINUTE * 5, timeoutMs: MINUTE * 5 };

function rejects(): Promise<never> {
  return Promise.reject(new Error('connection lost'));
}

function throws(): never {
  throw new Error('connection lost');
}

/** A store that records nothing of what it should. */
function faulty(methods: { readonly read?: () => unknown; readonly swap?: () => unknown }): StateStore {
  return Object.assign(memoryStore(), methods);
}

const FAULTS: readonly (readonly [what: string, store: StateStore])[] = [
  ['hangs when it reads', faulty({ read: () => never })],
  ['hangs when it writes', faulty({ swap: () => never })],
  ['rejects reads', faulty({ read: rejects })],
  ['rejects writes', faulty({ swap: rejects })],
  ['throws when it reads', faulty({ read: throws })],
  ['throws when it writes', faulty({ swap: throws })],
  ['reads nothing', faulty({ read: () => undefined })],
  ['reads too few records', faulty({ read: () => [] })],
  ['reads records without versions', faulty({ read: () => Promise.resolve([{}, {}]) })],
  ['answers OK to writes', faulty({ swap: () => 'OK' })],
  ['refuses every write', faulty({ swap: () => false })],
  ['refuses every write later', faulty({ swap: () => Promise.resolve(false) })],
];

const warnings = ({ events }: SimulatedPool): unknown[] => events.filter(({ type }) => type === 'warning');

it('a store that refuses every write of a record that always changes is given up, with one warning', async () => {
  let version = 0;
  const changing = (): { version: number; value: unknown } => ({ version: (version += 1), value: undefined });
  const store = faulty({ read: () => [changing(), changing()], swap: () => false });
  const pool = simulatedPool({ store, nim: {} });
  await pool.run(Promise.all([pool.llm.chat('Hello'), pool.llm.chat('Hello')]));
  await pool.run(pool.llm.chat('Hello'));
  expect(warnings(pool)).toMatchObject([
    { message: expect.stringContaining('refused 1000 writes') as unknown },
  ]);
  expect(pool.requests()).toBe(3);
  expect(pool.clock.now()).toBeLessThan(NOON + 30 * SECOND);
});

describe.each(FAULTS)('with a store that %s', (_what, store) => {
  it('a call takes a second longer at most, and the user is warned once', async () => {
    const pool = simulatedPool({ store, nim: {} });
    await pool.run(pool.llm.chat('Hello'));
    expect(pool.clock.now()).toBeLessThan(NOON + 2 * SECOND);
    for (let call = 0; call < 5; call += 1) await pool.run(pool.llm.chat('Hello'));
    await pool.clock.advance(10 * MINUTE);
    await pool.run(pool.llm.chat('Hello'));
    expect(warnings(pool)).toHaveLength(1);
    // A probe of the store may be under way.
    await pool.clock.advance(SECOND);
    expect(pool.clock.pending).toBe(0);
  });

  it('limits are kept and calls wait for quota', async () => {
    const pool = simulatedPool({ store, custom: { rpm: 10, limits: { rpm: 10 } } });
    await pool.run(Promise.all(Array.from({ length: 25 }, () => pool.llm.chat('Hello', PATIENT))));
    expect(pool.world.counts.causes).toEqual({});
    expect(pool.clock.now()).toBeLessThan(NOON + 3 * MINUTE);
  });

  it('looking at the pool works at once, and leaves no rejection behind', async () => {
    const pool = simulatedPool({ store, nim: {} });
    for (let look = 0; look < 3; look += 1) {
      expect(pool.llm.health()).toMatchObject([{ ready: true }]);
      expect(pool.llm.capacity()).toMatchObject({ requestsNow: 30 });
      expect(pool.llm.explain()).toHaveLength(1);
      await pool.clock.advance(2 * SECOND);
    }
    expect(pool.clock.pending).toBe(0);
  });
});
