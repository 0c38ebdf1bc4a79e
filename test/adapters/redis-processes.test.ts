/** Several processes that spend one quota over a real Redis. `REDIS_PROCESSES=8 REDIS_CALLS=500` sets how many, and their calls. */

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import { RedisServer, WITHOUT_REDIS } from '../support/redis-server.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** With so many calls, processes lose several races in a row, and reserve in advance. */
const LONG = 200;
const { REDIS_PROCESSES = '4', REDIS_CALLS = '40' } = process.env;

/** The script and the library in JavaScript: each process would compile them again. It lies below the root, for the packages. */
async function compiled(): Promise<string> {
  const outfile = join(ROOT, `.processes-${process.pid}-${Date.now()}`, 'process.mjs');
  onTestFinished(() => {
    rmSync(join(outfile, '..'), { recursive: true, force: true, maxRetries: 9 });
  });
  const entryPoints = [join(ROOT, 'test', 'support', 'spending-process.ts')];
  await build({ entryPoints, bundle: true, packages: 'external', platform: 'node', format: 'esm', outfile });
  return outfile;
}

it.skipIf(WITHOUT_REDIS !== undefined)(
  'processes that want more than a limit admits are granted exactly the limit',
  { timeout: 300_000 },
  async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    const limit = (Number(REDIS_PROCESSES) * Number(REDIS_CALLS)) / 4;
    const args = [String(server.port), 'processes:', REDIS_CALLS, '1', String(limit)];
    const script = await compiled();
    const children = Array.from({ length: Number(REDIS_PROCESSES) }, () =>
      spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    onTestFinished(() => {
      for (const child of children) child.kill('SIGKILL');
    });
    const outputs = children.map(({ stdout }) => createInterface(stdout)[Symbol.asyncIterator]());
    await Promise.all(outputs.map(async (output) => output.next()));
    for (const { stdin } of children) stdin.write('go\n');
    const lines = await Promise.all(outputs.map(async (output) => output.next()));
    const results: unknown[] = lines.map(({ value }): unknown => JSON.parse(String(value)));
    const sumOf = (name: string): number =>
      results.reduce<number>((sum, result) => sum + Number(Reflect.get(Object(result), name)), 0);
    for (const result of results) expect(result).toMatchObject({ warnings: [] });
    expect(sumOf('served')).toBe(limit);
    if (Number(REDIS_CALLS) < LONG) return;
    console.log(results);
    expect(sumOf('spares')).toBeGreaterThan(0);
  },
);
