/** Usage errors, help, error messages and exit codes: 0 success, 1 a call failed, 2 wrong usage or configuration. */

import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/index.ts';
import { command, envOf, world } from './support.ts';

const COMMANDS = ['chat', 'models', 'health', 'doctor', 'serve', 'demo'];

describe('freelm', () => {
  it.each<{ args: readonly string[]; code: number; out?: RegExp; err?: RegExp }>([
    { args: ['--version'], code: 0, out: new RegExp(`^${VERSION.replaceAll('.', String.raw`\.`)}\n$`) },
    { args: ['-v'], code: 0, out: /^\d/ },
    { args: ['--help'], code: 0, out: /Usage: freelm <command>[\s\S]*chat[\s\S]*serve[\s\S]*Exit codes/ },
    { args: ['help', 'chat'], code: 0, out: /Usage: freelm chat/ },
    { args: [], code: 2, err: /Usage: freelm <command>/ },
    {
      args: ['chatt'],
      code: 2,
      err: /^freelm: unknown command 'chatt'\n\(Did you mean chat\?\)\nRun freelm --help/,
    },
    { args: ['--dance'], code: 2, err: /^freelm: unknown option '--dance'\nRun freelm --help/ },
    { args: ['demo', 'now'], code: 2, err: /^freelm: too many arguments/ },
    { args: ['chat', '--strem', 'hi'], code: 2, err: /Did you mean --stream\?\)\nRun freelm chat --help/ },
    {
      args: ['chat', '--strategy', 'luck', 'hi'],
      code: 2,
      err: /quota_aware, priority, round_robin, latency/,
    },
    { args: ['chat', '--max-tokens', '0', 'hi'], code: 2, err: /It must be a whole number, at least 1/ },
    { args: ['chat', '--max-tokens', '1.5', 'hi'], code: 2, err: /It must be a whole number/ },
    { args: ['chat', '--timeout-ms', 'soon', 'hi'], code: 2, err: /It must be a whole number/ },
    { args: ['chat', '--temperature=-1', 'hi'], code: 2, err: /It must be a number, 0 or more/ },
    { args: ['chat', '--model', ' , ', 'hi'], code: 2, err: /It must name at least one model/ },
    { args: ['chat', '--model'], code: 2, err: /argument missing/ },
    { args: ['serve', '--port', '70000'], code: 2, err: /It must be a port, 0 to 65535\./ },
    { args: ['serve', '--max-body', '32mb'], code: 2, err: /It must be a number of bytes, at least 1, or/ },
    { args: ['serve', '--max-memory', '0'], code: 2, err: /It must be a number of bytes/ },
    { args: ['serve', '--max-connections', '1.5'], code: 2, err: /It must be a whole number/ },
    { args: ['serve', '--port', ''], code: 2, err: /It must be a port/ },
  ])('$args exits with $code', async ({ args, code, out = /^$/, err = /^$/ }) => {
    const finished = await command(args);
    expect(finished.code).toBe(code);
    expect(finished.out).toMatch(out);
    expect(finished.err).toMatch(err);
  });

  it.each(COMMANDS)('%s --help shows an example', async (name) => {
    const { code, out, err } = await command([name, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`Usage: freelm ${name}`));
    expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*.*freelm ${name}`));
  });
});

describe('without a key', () => {
  it.each([['chat', 'hi'], ['models'], ['health'], ['doctor'], ['serve']])(
    'freelm %s lists the variables and exits with 2',
    async (...args) => {
      const { code, out, err } = await command(args);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/^freelm: No key was found in the environment\. Set at least one of:\n/);
      expect(err).toContain('OPENROUTER_API_KEY');
    },
  );
});

describe('an error message', () => {
  it('has no stack trace', async () => {
    const { err } = await command(['chat', 'hi']);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it.each([
    { where: 'at a terminal', isTerminal: true, env: {}, begins: '\u001B[31mfreelm\u001B[39m: No key' },
    {
      where: 'at a terminal with NO_COLOR',
      isTerminal: true,
      env: { NO_COLOR: '1' },
      begins: 'freelm: No key',
    },
    { where: 'in a pipe', isTerminal: false, env: {}, begins: 'freelm: No key' },
    {
      where: 'in a pipe with FORCE_COLOR',
      isTerminal: false,
      env: { FORCE_COLOR: '1' },
      begins: '\u001B[31mfreelm',
    },
  ])('begins with $begins $where', async ({ isTerminal, env, begins }) => {
    const { err } = await command(['chat', 'hi'], { isTerminal, env });
    expect(err.slice(0, begins.length)).toBe(begins);
  });

  it.each([
    { how: '--debug', args: ['--debug'], env: {} },
    { how: 'FREELM_DEBUG', args: [], env: { FREELM_DEBUG: '1' } },
  ])('has a stack trace with $how', async ({ args, env }) => {
    const { err } = await command([...args, 'chat', 'hi'], { env });
    expect(err).toMatch(/^\s+at /m);
  });

  it('for an unknown model says what to do; the exit code is 2', async () => {
    const env = envOf(await world(), ['nim']);
    const { code, err } = await command(['chat', '-m', 'gpt-9', 'hi'], { env });
    expect(code).toBe(2);
    expect(err).toContain('"gpt-9"');
    expect(err).toContain('freelm models lists the models that your keys can use.');
  });

  it('for a failed call shows no key; the exit code is 1', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'unauthorized' }] } });
    const { code, out, err } = await command(['chat', 'hi'], { env: envOf(simulated, ['nim']) });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/nim nvapi-….{4}: the key was refused as invalid/);
    expect(err).toContain('freelm doctor checks the keys');
    expect(err).not.toContain(simulated.nim.keys[0]);
  });

  it.each([
    { what: 'helps', fault: { kind: 'outage' }, isNamed: true },
    { what: 'cannot help', fault: { kind: 'unauthorized' }, isNamed: false },
  ] as const)('names --wait if waiting $what: $isNamed', async ({ fault, isNamed }) => {
    const simulated = await world({ nim: { keys: 1, faults: [fault] } });
    const { code, err } = await command(['chat', 'hi'], { env: envOf(simulated, ['nim']) });
    expect(code).toBe(1);
    expect(err.includes('Waiting will not help')).toBe(!isNamed);
    expect(err.includes('--wait')).toBe(isNamed);
  });

  it('for a deadline names the option', async () => {
    const simulated = await world({ nim: { keys: 1, faults: [{ kind: 'hang' }] } });
    const { code, err } = await command(['chat', '--timeout-ms', '50', 'hi'], {
      env: envOf(simulated, ['nim']),
    });
    expect(code).toBe(1);
    expect(err).toContain('--timeout-ms');
  });
});
