/**
 * Runs the packed package where users run it: other runtimes, bundles, Next.js, jest, an older TypeScript, and by
 * version 7 of the AI SDK. Each tool is installed into a folder of its own, outside of the repository's dependencies. A tool that
 * cannot be installed is skipped with a message.
 * Arguments name the rows to run, e.g. `npm run test:runtimes -- bun jest`.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildIfNeeded } from './build.mjs';
import { fetchNode } from './fetch-node.mjs';
import { at, npm, remove, run } from './support.mjs';

const cache = at('node_modules', '.cache', 'freelm', 'runtimes');
const piped = { stdio: ['ignore', 'pipe', 'pipe'] };
const node = process.execPath;
/** Stands for a Node that some tools need: this one, or one that is fetched if this one is older. */
const NODE_22 = '{node 22 or newer}';
const TSC = ['--noEmit', '--strict', '--target', 'es2022', '--types', 'node'];
const musl = existsSync('/etc/alpine-release') ? '-musl' : '';
const platform = `${process.platform}-${process.arch}`;

/** Packages to install, and commands to run one after another. `{tools}` is the folder of the tool's packages. */
const rows = {
  bun: {
    packages: ['bun@1'],
    commands: [[`{tools}/@oven/bun-${platform.replace('arm64', 'aarch64')}${musl}/bin/bun`, 'smoke.mjs']],
  },
  deno: {
    packages: ['deno@2'],
    commands: [[`{tools}/@deno/${platform}-glibc/deno`, 'run', '-A', 'smoke.mjs']],
  },
  worker: {
    packages: ['miniflare@4', 'esbuild@0.28'],
    commands: [
      [
        node,
        '{tools}/esbuild/bin/esbuild',
        'worker.mjs',
        '--bundle',
        '--format=esm',
        '--platform=node',
        '--outfile=out/worker.mjs',
      ],
      [NODE_22, 'in-worker.mjs', '{tools}', 'out/worker.mjs'],
    ],
  },
  esbuild: {
    packages: ['esbuild@0.28'],
    commands: ['esm', 'cjs'].flatMap((format) => {
      const file = `out/esbuild-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`;
      const options = [
        '--bundle',
        '--platform=node',
        `--format=${format}`,
        `--outfile=${file}`,
        '--log-level=error',
      ];
      return [
        [node, '{tools}/esbuild/bin/esbuild', 'call.mjs', ...options],
        [node, file],
      ];
    }),
  },
  rollup: {
    packages: [
      'rollup@4',
      '@rollup/plugin-node-resolve@16',
      '@rollup/plugin-commonjs',
      '@rollup/plugin-json',
    ],
    commands: [
      [node, 'bundle.mjs', 'rollup', '{tools}'],
      [node, 'out/rollup/call.mjs'],
    ],
  },
  webpack: {
    packages: ['webpack@5'],
    commands: [
      [node, 'bundle.mjs', 'webpack', '{tools}'],
      [node, 'out/webpack/call.cjs'],
    ],
  },
  ncc: {
    packages: ['@vercel/ncc'],
    commands: [
      [node, '{tools}/@vercel/ncc/dist/ncc/cli.js', 'build', 'call.mjs', '-o', 'out/ncc'],
      [node, 'out/ncc/index.mjs'],
    ],
  },
  jest: {
    packages: ['jest@30'],
    commands: [
      [node, '{tools}/jest/bin/jest.js', '--rootDir', '.', '--testMatch', '**/jest.test.cjs', '--no-cache'],
    ],
  },
  vitest: {
    packages: ['vitest@4'],
    commands: [[node, '{tools}/vitest/vitest.mjs', 'run', '--globals', 'vitest.test.mjs']],
  },
  'typescript 5.4': {
    packages: ['typescript@5.4', '@types/node@20'],
    commands: [
      ['esnext', 'bundler', 'types.mts'],
      ['nodenext', 'nodenext', 'types.mts'],
      ['commonjs', 'node', 'types.ts'],
    ].map(([module, resolution, file]) => [
      node,
      '{tools}/typescript/bin/tsc',
      ...TSC,
      '--esModuleInterop',
      ...['--typeRoots', '{tools}/@types', '--module', module, '--moduleResolution', resolution, file],
    ]),
  },
  ai7: {
    packages: [
      'ai@7.0.173',
      '@ai-sdk/openai@4.0.118',
      '@ai-sdk/anthropic@4.0.105',
      '@ai-sdk/openai-compatible@3.0.92',
    ],
    commands: [[NODE_22, at('.ci', 'ai7.mjs'), '{tools}']],
  },
  next: {
    packages: ['next@16', 'react@19', 'react-dom@19'],
    commands: [[node, 'next.mjs', '{tools}']],
  },
};

/** Installs packages into a folder, once. Returns npm's output if it cannot. */
async function install(folder, ...packages) {
  if (existsSync(path.join(folder, 'installed'))) return undefined;
  remove(folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', '--fetch-retries=1'];
  const { code, output } = await npm(['install', ...options, ...packages], { cwd: folder, ...piped });
  if (code !== 0) return output.trim() || `npm ended with ${code}`;
  writeFileSync(path.join(folder, 'installed'), '');
  return undefined;
}

/** A folder in which a user has installed the packed package, with the files of test/smoke and .ci/runtimes. */
async function userFolder(scratch) {
  const packed = await npm(
    ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', scratch],
    piped,
  );
  if (packed.code !== 0) throw new Error(`npm pack failed\n${packed.output}`);
  const folder = path.join(scratch, 'user');
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  const problem = await install(folder, path.join(scratch, tarball));
  for (const scripts of [at('test', 'smoke'), at('.ci', 'runtimes')])
    cpSync(scripts, folder, { recursive: true });
  cpSync(path.join(folder, 'types.mts'), path.join(folder, 'types.ts'));
  return { folder, problem };
}

/** The program of a command. `undefined` if it is a newer Node that is not to be had. */
async function programOf(named, scratch) {
  if (named !== NODE_22) return named;
  return Number.parseInt(process.versions.node, 10) >= 22 ? node : fetchNode('24', scratch);
}

/** Runs a row. Resolves to `ok`, or to what went wrong. */
async function tryRow([name, { packages, commands }], folder, scratch) {
  const tools = path.join(cache, name.replaceAll(' ', '-'));
  const problem = await install(tools, ...packages);
  if (problem !== undefined) return `skipped: cannot be installed: ${problem.split('\n')[0]}`;
  for (const command of commands) {
    const [named, ...args] = command.map((part) => part.replace('{tools}', path.join(tools, 'node_modules')));
    const program = await programOf(named, scratch);
    if (program === undefined) return 'skipped: it needs Node 22 or newer';
    if (!existsSync(program)) return `skipped: ${program} is not there`;
    const { code, output } = await run(program, args, { cwd: folder, ...piped });
    if (code !== 0) return `FAILED: ${command.join(' ')}\n${output.trim().slice(-3000)}`;
  }
  return 'ok';
}

async function main(scratch) {
  const built = await buildIfNeeded();
  if (built !== 0) return built;
  const { folder, problem } = await userFolder(scratch);
  if (problem !== undefined) {
    console.log(`skipped: the package cannot be installed\n${problem}`);
    return 0;
  }
  const named = process.argv.slice(2);
  let code = 0;
  for (const row of Object.entries(rows)) {
    if (named.length > 0 && !named.includes(row[0])) continue;
    const result = await tryRow(row, folder, scratch);
    console.log(`${row[0]}: ${result}`);
    if (result.startsWith('FAILED')) code = 1;
  }
  return code;
}

const scratch = mkdtempSync(path.join(tmpdir(), 'freelm-runtimes-'));
try {
  process.exitCode = await main(scratch);
} finally {
  remove(scratch);
}
