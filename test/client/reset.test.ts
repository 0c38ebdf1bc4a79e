/** What was remembered is forgotten on request, and heals by itself. */

import { describe, expect, it } from 'vitest';
import { ConfigError, FreeLLMError, type HealthRow } from '../../src/index.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { HOUR, laterStore, MINUTE, NOON, SECOND, simulatedPool } from '../support/simulated-pool.ts';

const TWO_KEYS = { accounts: [['n-1'], ['n-2']] } as const;

/** `key: ready` or `key: why not`, for every key. */
function standing(rows: readonly HealthRow[]): readonly string[] {
  return rows.map(({ provider, ready, reason, rpmUsed }) => `${provider} ${ready ? rpmUsed : reason}`);
}

const REFUSED = 'the key was refused as invalid';

describe('reset()', () => {
  it('forgets used quotas, refused keys and pauses', async () => {
    const pool = simulatedPool({ nim: TWO_KEYS, custom: { faults: [{ kind: 'outage', times: 3 }] } });
    pool.world.nim.script({ kind: 'unauthorized', key: 'n-1', times: 1 });
    await pool.trace(4);
    expect(standing(pool.llm.health())).toContain(`nim ${REFUSED}`);
    await pool.llm.reset();
    expect(standing(pool.llm.health())).toEqual(['nim 0', 'nim 0', 'custom undefined']);
    expect(pool.llm.health().every(({ lastError }) => lastError === undefined)).toBe(true);
  });

  it('forgets one provider', async () => {
    const dead = { faults: [{ kind: 'unauthorized' }] } as const;
    const pool = simulatedPool({ nim: dead, openrouter: dead });
    await pool.trace(1);
    expect(standing(pool.llm.health())).toEqual([`nim ${REFUSED}`, `openrouter ${REFUSED}`]);
    await pool.llm.reset({ provider: 'nim' });
    expect(standing(pool.llm.health())).toEqual(['nim 0', `openrouter ${REFUSED}`]);
  });

  it.each([
    ['whole', () => 'key-two-of-nim'],
    ['masked', (rows: readonly HealthRow[]) => rows[1]?.key ?? ''],
  ])('forgets one key that is %s', async (_form, keyOf) => {
    const accounts = [['key-one-of-nim'], ['key-two-of-nim']];
    const pool = simulatedPool({ nim: { accounts, faults: [{ kind: 'unauthorized' }] } });
    await pool.trace(1);
    await pool.llm.reset({ provider: 'nim', key: keyOf(pool.llm.health()) });
    expect(standing(pool.llm.health())).toEqual([`nim ${REFUSED}`, 'nim 0']);
  });

  it('wakes the calls that wait', async () => {
    const pool = simulatedPool({ nim: { rpd: 1 } });
    await pool.trace(1);
    const waiting = pool.llm.chat('Hello', { wait: true, maxWaitMs: 24 * HOUR, timeoutMs: 24 * HOUR });
    await pool.clock.advance(MINUTE);
    await pool.llm.reset();
    await pool.run(waiting);
    expect(pool.clock.now()).toBeLessThan(NOON + 2 * MINUTE);
  });

  it('holds for every process that shares the store', async () => {
    const store = laterStore(memoryStore(), () => Promise.resolve());
    const pool = simulatedPool({ store, nim: { faults: [{ kind: 'unauthorized', times: 1 }] } });
    await pool.trace(1);
    await pool.sibling().reset();
    expect(await pool.trace(1)).toEqual(['key-of-nim z-ai/glm-5.3']);
  });

  it.each([
    ['a provider that the pool lacks', { provider: 'nowhere' }, 'no provider of this name. It has nim'],
    ['a key that the pool lacks', { key: 'sk-secret-of-another' }, 'no such key'],
    ['a key of another provider', { provider: 'custom', key: 'key-of-nim' }, 'no such key'],
  ])('refuses %s, and does not repeat it', async (_what, options, message) => {
    const pool = simulatedPool({ nim: {}, custom: {} });
    const error = await pool.fails(pool.llm.reset(options));
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('secret');
  });

  it('rejects when the pool is closed', async () => {
    const pool = simulatedPool({ nim: {} });
    await pool.llm.close();
    const error = await pool.fails(pool.llm.reset());
    expect(FreeLLMError.is(error) && error.code).toBe('closed');
  });
});

describe('a key that was refused and is repaired', () => {
  const refused = { nim: { faults: [{ kind: 'unauthorized', until: NOON + MINUTE }] } } as const;

  it('serves again after checkKeys()', async () => {
    const pool = simulatedPool(refused);
    await pool.trace(1);
    await pool.clock.advance(2 * MINUTE);
    expect(await pool.trace(1)).toEqual(['NoProvidersAvailableError']);
    const [check] = await pool.run(pool.llm.checkKeys({ chat: true }));
    expect(check).toMatchObject({ works: true });
    expect(pool.llm.health()).toMatchObject([{ ready: true, disabled: false, breaker: 'closed' }]);
    expect(await pool.trace(1)).toEqual(['key-of-nim z-ai/glm-5.3']);
  });

  it('serves again by itself within an hour', async () => {
    const pool = simulatedPool(refused);
    await pool.trace(1);
    await pool.clock.advance(HOUR - SECOND);
    expect(await pool.trace(1)).toEqual(['NoProvidersAvailableError']);
    await pool.clock.advance(SECOND);
    expect(await pool.trace(1)).toEqual(['key-of-nim z-ai/glm-5.3']);
  });

  it('is not proven by a check that fails', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'unauthorized' }] } });
    await pool.trace(1);
    await pool.run(pool.llm.checkKeys({ chat: true }));
    expect(pool.llm.health()).toMatchObject([{ ready: false, disabled: true }]);
  });

  it('costs a request an hour at most while it stays refused, and only if nothing else can serve', async () => {
    const dead = { ...TWO_KEYS, faults: [{ kind: 'unauthorized', key: 'n-1' }] } as const;
    const pool = simulatedPool({ nim: dead, strategy: 'priority' });
    const toDeadKey = (): number => pool.transport.sent.filter(({ key }) => key === 'n-1').length;
    for (let minutes = 0; minutes < 300; minutes += 1) {
      await pool.trace(1);
      await pool.clock.advance(MINUTE);
    }
    expect(toDeadKey()).toBe(1);
    pool.world.nim.script({ kind: 'unauthorized' });
    for (let minutes = 0; minutes < 300; minutes += 1) {
      await pool.trace(1);
      await pool.clock.advance(MINUTE);
    }
    expect(toDeadKey()).toBeLessThanOrEqual(1 + 5);
  });
});
