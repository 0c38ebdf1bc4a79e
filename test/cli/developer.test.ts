/**
 * The walk of a developer: the packed package in a fresh folder, from the first mistake to a bundle. `npm run test:runtimes`
 * goes on with other runtimes, bundlers and test runners, which it installs.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the dependencies depend on. */
const INDIRECT = ['is-network-error', 'is-safe-filename'];
const KEYS_PAGE = 'https://openrouter.ai/settings/keys';
const NO_KEYS = {
  PATH: process.env['PATH'] ?? '',
  FREELM_CACHE_DIR: path.join(tmpdir(), 'freelm-developer-cache'),
};

interface Finished {
  readonly code: number;
  readonly output: string;
}

describe('a developer', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'freelm-developer-'));
  const modules = path.join(folder, 'node_modules');

  function run(program: string, ...args: readonly string[]): Promise<Finished> {
    return new Promise((resolve) => {
      execFile(program, args, { cwd: folder, env: NO_KEYS }, (error, stdout, stderr) => {
        const code = error === null ? 0 : 1;
        resolve({ code, output: `${stdout}${stderr}` });
      });
    });
  }

  const node = (...args: readonly string[]): Promise<Finished> => run(process.execPath, ...args);
  /** A program of the repository's own packages. */
  const tool = (file: string, ...args: readonly string[]): Promise<Finished> =>
    node(path.join(ROOT, 'node_modules', file), ...args);

  /** Runs a script of the developer's own. */
  async function script(name: string, text: string): Promise<Finished> {
    writeFileSync(path.join(folder, name), text);
    return node(name);
  }

  beforeAll(async () => {
    const packed = await new Promise<Finished>((resolve) => {
      const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
      execFile('npm', args, { cwd: ROOT }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : 1, output: `${stdout}${stderr}` });
      });
    });
    if (packed.code !== 0) throw new Error(packed.output);
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    mkdirSync(path.join(modules, 'freelm'), { recursive: true });
    const unpacked = await run(
      'tar',
      '-xzf',
      tarball,
      '-C',
      path.join(modules, 'freelm'),
      '--strip-components=1',
    );
    if (unpacked.code !== 0) throw new Error(unpacked.output);
    for (const name of [...Object.keys(manifest.dependencies), ...INDIRECT])
      cpSync(path.join(ROOT, 'node_modules', name), path.join(modules, name), { recursive: true });
    for (const scripts of [path.join('test', 'smoke'), path.join('.ci', 'runtimes')])
      cpSync(path.join(ROOT, scripts), folder, { recursive: true });
    return () => rmSync(folder, { recursive: true, force: true, maxRetries: 9 });
  });

  /** The packages and the programs of freelm that Node loads, as its record of coverage lists them. */
  async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
    const records = mkdtempSync(path.join(folder, 'loaded-'));
    await new Promise((resolve) => {
      const env = { ...NO_KEYS, NODE_V8_COVERAGE: records };
      execFile(process.execPath, args, { cwd: folder, env }, resolve);
    });
    const text = readdirSync(records)
      .map((name) => readFileSync(path.join(records, name), 'utf8'))
      .join('');
    const files = [...text.matchAll(/"url":"file:[^"]*\/node_modules\/([^"]+)"/g)].map(([, file = '']) =>
      file.startsWith('freelm/') ? file : file.replace(/\/.*/, ''),
    );
    return [...new Set(files)].toSorted();
  }

  it('loads no package before it is needed: not with the library, and no engine for its version', async () => {
    const program =
      "import { FreeLLM, OpenRouter } from 'freelm'; new FreeLLM({ providers: [new OpenRouter('k'.repeat(20))] });";
    writeFileSync(path.join(folder, 'pool.mjs'), program);
    const library = await loadedBy('pool.mjs');
    expect(library).toContain('freelm/dist/index.js');
    expect(library.filter((file) => !file.startsWith('freelm/'))).toEqual(['eventsource-parser']);
    const version = await loadedBy('node_modules/freelm/dist/cli/main.js', '--version');
    expect(version).toContain('commander');
    expect(version.filter((file) => /index|undici|zod|eventsource/.test(file))).toEqual([]);
  });

  it('is told where a key is made, and which option was meant', async () => {
    const [keyless, mistyped, lazy] = await Promise.all([
      script('keyless.mjs', "import { FreeLLM } from 'freelm'; await FreeLLM.fromEnv().text('hi');"),
      script(
        'mistyped.mjs',
        "import { FreeLLM, OpenRouter } from 'freelm'; new FreeLLM({ providers: [new OpenRouter('k'.repeat(20))], timeout: 5 });",
      ),
      // What a build does with a module that makes a pool.
      script(
        'lazy.mjs',
        "import { FreeLLM } from 'freelm'; const llm = FreeLLM.fromEnv({ lazy: true }); await llm.close();",
      ),
    ]);
    expect(keyless.code).toBe(1);
    expect(keyless.output).toContain(`OPENROUTER_API_KEY or FREELM_OPENROUTER_KEYS (${KEYS_PAGE})`);
    expect(mistyped.code).toBe(1);
    expect(mistyped.output).toContain('Did you mean "timeoutMs"?');
    expect(lazy).toEqual({ code: 0, output: '' });
  });

  it.each<[what: string, commands: readonly (readonly [file: string, ...args: string[]])[]]>([
    ['ES modules', [['smoke.mjs']]],
    ['CommonJS', [['require.cjs']]],
    ['the command line', [['node_modules/freelm/dist/cli/main.js', 'demo']]],
  ])('runs %s', async (_what, commands) => {
    for (const command of commands) {
      expect(await node(...command)).toMatchObject({ code: 0 });
    }
  });

  it.each(['esm', 'cjs'] as const)('bundles a call as %s', async (format) => {
    const outfile = path.join(folder, 'out', `call.${format === 'esm' ? 'mjs' : 'cjs'}`);
    const entryPoints = [path.join(folder, 'call.mjs')];
    const { warnings } = await build({ entryPoints, bundle: true, platform: 'node', format, outfile });
    expect(warnings).toEqual([]);
    expect(await node(outfile)).toEqual({ code: 0, output: '' });
  });

  it('tests with vitest', async () => {
    expect(await tool('vitest/vitest.mjs', 'run', '--globals', 'vitest.test.mjs')).toMatchObject({ code: 0 });
  });

  it.each([
    ['esnext', 'bundler'],
    ['nodenext', 'nodenext'],
  ])('gets types, with --module %s --moduleResolution %s', async (module, resolution) => {
    const types = ['--types', 'node', '--typeRoots', path.join(ROOT, 'node_modules', '@types')];
    const options = ['--noEmit', '--strict', '--target', 'es2022', ...types];
    const how = ['--module', module, '--moduleResolution', resolution];
    expect(await tool('typescript/bin/tsc', ...options, ...how, 'types.mts')).toEqual({
      code: 0,
      output: '',
    });
  });
});
