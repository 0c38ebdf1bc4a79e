/** The command line as a person and a pipe meet it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/index.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Finished {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function freelm(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed: readonly unknown[] = await once(child, 'close');
  return { code: closed[0], stdout, stderr };
}

describe('freelm', () => {
  it.each([
    { args: ['--version'], code: 0, out: `${VERSION}\n`, error: '' },
    { args: ['--help'], code: 0, out: 'Usage: freelm <command>', error: '' },
    { args: [], code: 2, out: '', error: 'Usage: freelm <command>' },
    { args: ['dance'], code: 2, out: '', error: 'there is no command "dance"' },
    { args: ['demo', 'now'], code: 2, out: '', error: 'there is no command "demo now"' },
    { args: ['--dance'], code: 2, out: '', error: '--dance' },
  ])('freelm $args ends with $code', async ({ args, code, out, error }) => {
    const finished = await freelm(args);
    expect(finished.code).toBe(code);
    expect(finished.stdout).toContain(out);
    expect(finished.stderr).toContain(error);
    expect(out === '' ? finished.stdout : finished.stderr).toBe('');
  });
});

describe('freelm demo', () => {
  it('shows every attempt, why the call moved on, and how the keys stand; plain in a pipe, no key in full', async () => {
    const { code, stdout, stderr } = await freelm(['demo'], { FORCE_COLOR: '1' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001B');
    expect(stdout).toMatch(/✗ nim {8}nvapi-… ?\S+ +\S+ +\d+ ms → HTTP 502/);
    expect(stdout).toMatch(/→ no answer in time/);
    expect(stdout).toMatch(/→ HTTP 401 dead key/);
    expect(stdout).toMatch(/→ HTTP 402 no credit/);
    expect(stdout).toContain('60 of 60 served');
    expect(stdout).toContain('0 upstream refusals');
    expect(stdout).toMatch(/openrouter {2}sk-or-…\w{4} {2}disabled/);
    expect(stdout).not.toMatch(/sk-or-v1-\w{8}|AIza\w{8}|nvapi-\w{8}/);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'demo'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const closed: readonly unknown[] = await once(child, 'close');
    expect({ code: closed[0], stderr }).toEqual({ code: 0, stderr: '' });
  });
});
