/** `freelm health`: how the keys stand, and what is left of their quotas. Sends nothing. */

import { durationText } from '../duration.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { keyTable, json } from './text.ts';

/** What `freelm health` can be told. */
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
    const { requestsNow: atOnce, requestsToday, nextAt = now } = capacity;
    const next = nextAt > now ? `; the next one in ${durationText(nextAt - now)}` : '';
    const left = `${atOnce} requests can go out at once, ${requestsToday} more are left of the quotas of the day${next}.`;
    await shell.out.write(`${[...keyTable(keys, now), '', left].join('\n')}\n`);
    if (shell.out.isTerminal) await shell.err.write('To ask the providers: freelm doctor\n');
  });
}
