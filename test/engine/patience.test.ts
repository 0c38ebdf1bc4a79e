/** How long calls wait at a limit that is assumed, which is 30 requests a minute here, while more is tried. spec 3.14 */

import { describe, expect, it } from 'vitest';
import { MINUTE, NOON, SECOND, simulatedPool } from '../support/simulated-pool.ts';

interface Crowd {
  /** The true limit of a minute. */
  readonly rpm: number;
  readonly calls: number;
  readonly maxWaitMs: number;
}

/** Calls that come at once, and ms after which the last of them ended. */
async function crowd({ rpm, calls, maxWaitMs }: Crowd) {
  const pool = simulatedPool({ nim: { limits: { rpm }, latencyMs: 500 } });
  const options = { wait: true, maxWaitMs, timeoutMs: 2 * MINUTE };
  const results = await pool.run(
    Promise.allSettled(Array.from({ length: calls }, () => pool.llm.chat('Hello', options))),
  );
  const lastMs = pool.clock.now() - NOON;
  const served = results.filter(({ status }) => status === 'fulfilled').length;
  return { served, lastMs, refused: pool.world.counts.refused };
}

describe('a call that waits at an assumed limit', () => {
  it('stays while the limit is raised, and is served before the minute is over', async () => {
    // The first try takes one call more, and the next one, 24 requests later, two.
    const { served, lastMs, refused } = await crowd({ rpm: 90, calls: 33, maxWaitMs: 55 * SECOND });
    expect({ served, refused }).toEqual({ served: 33, refused: 0 });
    expect(lastMs).toBeLessThan(55 * SECOND);
  });

  it('stays when a try is refused, and is served when the minute is over', async () => {
    const { served, lastMs, refused } = await crowd({ rpm: 30, calls: 33, maxWaitMs: 90 * SECOND });
    expect(served).toBe(33);
    expect(refused).toBeGreaterThanOrEqual(1);
    expect(lastMs).toBeGreaterThanOrEqual(MINUTE);
  });

  it('fails at once when a try is refused and nothing comes back before its patience ends', async () => {
    const { served, lastMs } = await crowd({ rpm: 30, calls: 31, maxWaitMs: 55 * SECOND });
    expect(served).toBe(30);
    expect(lastMs).toBeLessThan(SECOND);
  });
});
