/** The first hour of a user with one key, in a folder with a `.env`. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { withEnvFile } from '../../src/cli/env-file.ts';
import { command, type Finished, world } from './support.ts';

const PAGE = 'https://openrouter.ai/settings/keys';

it('a student with a key that turns out to be invalid finds the way to an answer', async () => {
  const simulated = await world({ openrouter: { keys: 1 } });
  const folder = mkdtempSync(path.join(tmpdir(), 'freelm-first-hour-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 9 }));
  const env = {
    FREELM_CACHE_DIR: path.join(folder, 'cache'),
    FREELM_OPENROUTER_BASE_URL: simulated.openrouter.baseUrl,
  };
  const file = path.join(folder, '.env');
  const run = (...args: readonly string[]): Promise<Finished> =>
    command(args, { env: withEnvFile(env, file) });
  const write = (text: string): void => writeFileSync(file, text);

  const withoutKey = await run('chat', 'hi');
  expect(withoutKey.code).toBe(2);
  expect(withoutKey.err).toContain(`OPENROUTER_API_KEY or FREELM_OPENROUTER_KEYS (${PAGE})`);

  write('OPENROUTER_KEY=sk-or-v1-0123456789abcdef0123456789abcdef\n');
  const misnamed = await run('chat', 'hi');
  expect(misnamed.err).toContain('OPENROUTER_KEY is set. Did you mean OPENROUTER_API_KEY?');

  write('OPENROUTER_API_KEY=sk-or-v1-0123456789abcdef0123456789abcdef\n');
  const untried = await run('health');
  expect(untried.out).toContain('1 of 1 keys have not been tried');
  const refused = await run('chat', 'hi');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain(`make a new one at ${PAGE}`);
  const doctor = await run('doctor');
  expect(doctor.code).toBe(1);
  expect(doctor.out).toContain(`Remove or replace the key. Keys are made at ${PAGE}.`);
  expect(`${refused.err}${doctor.out}${doctor.err}`).not.toContain('0123456789abcdef');

  write(`OPENROUTER_API_KEY=${simulated.openrouter.keys.join(',')}\n`);
  const answered = await run('chat', 'hi');
  expect(answered).toMatchObject({ code: 0, out: expect.stringMatching(/heard: hi\n$/) as unknown });
  const health = await run('health');
  expect(health.out).toMatch(/^openrouter +sk-or-….{4} +ready +closed +1\/20 +1\/50$/m);
});
