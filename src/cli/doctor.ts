/** `freelm doctor`: which keys work, what they have, and what to fix. */

import type { EnvironmentReport, KeyCheck } from '../index.ts';
import { checkLines, environmentLines, isFine } from './doctor-lines.ts';
import { FAILED, USAGE } from './exit.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { count, json } from './text.ts';

/** What `freelm doctor` can be told. */
export interface DoctorFlags {
  readonly chat?: boolean;
  readonly timeoutMs?: number;
  readonly json?: boolean;
}

function check(
  { usable }: EnvironmentReport,
  { timeoutMs, chat }: DoctorFlags,
  shell: Shell,
): Promise<readonly KeyCheck[]> {
  const { env, err, signal } = shell;
  return withPool(
    shell,
    {},
    async (llm) => {
      if (err.isTerminal) await err.write(`Checking ${count(llm.health().length, 'key')}…\n`);
      return llm.checkKeys({ timeoutMs, chat, signal });
    },
    // Without a usable provider, the error says which variables there are.
    ({ FreeLLM }, options) =>
      usable.length === 0
        ? FreeLLM.fromEnv(options, env)
        : new FreeLLM({ ...options, providers: usable }, { env }),
  );
}

/** Resolves with the exit code: whether every key that is set works, and the environment is one that freelm takes. */
export async function doctor(flags: DoctorFlags, shell: Shell): Promise<number> {
  const { inspectEnv } = await import('../index.ts');
  const { paint, write } = shell.out;
  const environment = inspectEnv(shell.env);
  const { providers } = environment;
  const keys = await check(environment, flags, shell);
  const working = keys.filter(isFine).length;
  const isRefused = providers.some((report) => report.isRefused);
  const lines = [
    ...keys.flatMap((key) => checkLines(key, paint)),
    ...environmentLines(providers, paint),
    '',
    `${working} of ${count(keys.length, 'key')} ${working === 1 ? 'works' : 'work'}.`,
    ...(isRefused
      ? ['Nothing else runs in this environment until the variables marked ✗ are corrected.']
      : []),
  ];
  await write(flags.json === true ? json({ keys, providers }, 2) : `${lines.join('\n')}\n`);
  if (isRefused) return USAGE;
  return working === keys.length ? 0 : FAILED;
}
