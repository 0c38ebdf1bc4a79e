/** `freelm reset`: forgets what freelm remembers about the keys. It sends no requests. */

import type { ResetOptions } from '../index.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';

export async function reset(options: ResetOptions, shell: Shell): Promise<void> {
  await withPool(shell, {}, (llm) => llm.reset(options));
  const { provider, key } = options;
  const what = key === undefined ? (provider ?? 'all keys') : 'the key and its account';
  await shell.out.write(`Forgot what was remembered of ${what}.\n`);
}
