/** `freelm doctor`: checks every key at its provider. */

import type { EnvironmentReport, KeyCheck } from '../index.ts';
import { checkLines, environmentLines, isFine } from './doctor-lines.ts';
import { FAILED, USAGE } from './exit.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { countText, json } from './text.ts';

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
      if (err.isTerminal) await err.write(`Checking ${countText(llm.health().length, 'key')}…\n`);
      return llm.checkKeys({ timeoutMs, chat, signal });
    },
    // Without a usable provider, this throws the error that lists the variables.
    ({ FreeLLM }, options) =>
      usable.length === 0
        ? FreeLLM.fromEnv(options, env)
        : new FreeLLM({ ...options, providers: usable }, { env }),
  );
}

/** Returns the exit code: `USAGE` if freelm refuses the environment, `FAILED` if a key does not work, else 0. */
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
    `${working} of ${countText(keys.length, 'key')} ${working === 1 ? 'works' : 'work'}.`,
    ...(isRefused
      ? ['No other command works in this environment until you correct the variables marked ✗.']
      : []),
  ];
  await write(flags.json === true ? json({ keys, providers }, 2) : `${lines.join('\n')}\n`);
  if (isRefused) return USAGE;
  return working === keys.length ? 0 : FAILED;
}
