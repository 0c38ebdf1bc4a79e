/** `freelm health`: the state of the keys and what is left of their quotas. It sends no requests. */

import { durationText } from '../duration.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { billed, keyTable, json } from './text.ts';

export interface HealthFlags {
  readonly json?: boolean;
}

export async function health(flags: HealthFlags, shell: Shell): Promise<void> {
  await withPool(shell, {}, async (llm) => {
    const keys = llm.health();
    const capacity = llm.capacity();
    if (flags.json === true) {
      await shell.out.write(json({ keys, capacity }, 2));
      return;
    }
    const now = Date.now();
    const { requestsNow, requestsToday, nextAt = now } = capacity;
    const next = nextAt > now ? `, the next one in ${durationText(nextAt - now)}` : '';
    const bill = billed(keys);
    const left = `${requestsNow} requests can be sent at once${next}; ${requestsToday} are left in the daily quotas.`;
    await shell.out.write(`${[...keyTable(keys, now), '', left, ...bill].join('\n')}\n`);
    if (shell.out.isTerminal)
      await shell.err.write('To check the keys at their providers, run freelm doctor.\n');
  });
}
