/** `freelm health`: the state of the keys and what is left of their quotas. It sends no requests. */

import { durationText } from '../duration.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { billed, isUntried, keyTable, json } from './text.ts';

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
    const untried = keys.filter(isUntried).length;
    const unknown =
      untried === 0
        ? []
        : [
            `${untried} of ${keys.length} keys have not been tried, so nothing is known of them but the limits of their tier.`,
          ];
    await shell.out.write(`${[...keyTable(keys, now), '', left, ...unknown, ...bill].join('\n')}\n`);
    if (shell.out.isTerminal || untried > 0)
      await shell.err.write('To check the keys at their providers, run freelm doctor.\n');
  });
}
