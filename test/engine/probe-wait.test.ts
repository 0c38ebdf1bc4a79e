/** Calls that wait do not give up while a probe may open the way for them. */

import { expect, it } from 'vitest';
import { FreeLLM, NIM } from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { inProcessFetch, SimulatedWorld, VirtualClock } from '../../src/testing.ts';

it('a call that waits for less than a probe may take is served when the probe succeeds', async () => {
  const clock = new VirtualClock(1_790_000_000_000);
  const world = new SimulatedWorld({ nim: { keys: 1, latencyMs: 2000 } });
  const llm = new FreeLLM(
    {
      providers: [new NIM(world.nim.keys.map(String))],
      fetch: inProcessFetch(world, clock),
      wait: true,
      maxWaitMs: 20_000,
    },
    { clock, cache: memoryCache(), env: {} },
  );
  world.nim.script({ kind: 'outage', times: 3 });
  const first = clock.run(llm.text('one', { wait: false }).catch(() => 'failed'));
  expect(await first).toBe('failed');
  await clock.run(llm.text('two', { wait: false }).catch(() => 'failed'));
  await clock.run(llm.text('three', { wait: false }).catch(() => 'failed'));
  await clock.advance(15_000);
  const answers = await clock.run(Promise.all(['probe', 'waiter', 'waiter'].map((text) => llm.text(text))));
  expect(answers).toHaveLength(3);
  expect(world.nim.counts.served).toBe(3);
  await llm.close();
});
