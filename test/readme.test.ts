/** The README and the manuals in src/: their code runs as it stands, and their claims have tests. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { transformSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { startWorld } from '../src/testing.ts';
import { libraryFile } from './support/library.ts';

const ROOT = path.join(import.meta.dirname, '..');
const at = (...parts: readonly string[]): string => path.join(ROOT, ...parts);

const PAGES = [
  'README.md',
  '.github/CONTRIBUTING.md',
  ...readdirSync(at('src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => path.basename(name).endsWith('.md'))
    .map((name) => `src/${name.replaceAll('\\', '/')}`),
];

/** What the simulated models say, so that the README can show its output. */
const REPLIES: Readonly<Record<string, string>> = {
  'Explain black holes in one sentence.':
    'A black hole is a region of space whose gravity is so strong that not even light escapes.',
  'Write a haiku about failover.': 'One door falls silent.\nThe next one opens for you.\nThe answer arrives.',
  'Count to five.': '1, 2, 3, 4, 5',
  'Name three colours.': '{"colours": ["red", "green", "blue"]}',
};

interface Block {
  readonly name: string;
  readonly language: string;
  readonly code: string;
  /** What the page says that the code prints: a block `text output` right after it. */
  readonly output: string | undefined;
}

const FENCE = /^```(?<language>\w*)(?<rest>[^\n]*)\n(?<code>[\s\S]*?)^```$/gm;

function blocksOf(page: string): readonly Block[] {
  const source = readFileSync(at(page), 'utf8');
  const found = [...source.matchAll(FENCE)];
  return found.map((match, index) => {
    const next = found[index + 1];
    const between = next === undefined ? '' : source.slice(match.index + match[0].length, next.index);
    const isShown = next?.groups?.['rest'] === ' output' && between.trim() === '';
    const line = source.slice(0, match.index).split('\n').length;
    return {
      name: `${page}:${line}`,
      language: match.groups?.['language'] ?? '',
      code: match.groups?.['code'] ?? '',
      output: isShown ? next.groups?.['code'] : undefined,
    };
  });
}

const blocks = PAGES.flatMap(blocksOf);
const programs = blocks.filter(({ language }) => language === 'ts');
const commands = blocks.filter(({ language, code }) => language === 'sh' && code.includes('npx freelm'));

// Below the root, so that imports of packages are resolved as in a project of a user.
const folder = mkdtempSync(at('.readme-'));
mkdirSync(path.join(folder, 'cache'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const tsconfig = path.join(folder, 'tsconfig.json');
const entries = {
  freelm: 'index',
  'freelm/compat': 'compat',
  'freelm/redis': 'redis',
  'freelm/testing': 'testing',
};
writeFileSync(
  tsconfig,
  JSON.stringify({
    extends: '../tsconfig.json',
    compilerOptions: {
      noEmit: true,
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      rootDir: '..',
      paths: Object.fromEntries(
        Object.entries(entries).map(([name, file]) => [name, [`../dist/${file}.d.ts`]]),
      ),
    },
    include: ['*.ts'],
  }),
);

const fileOf = ({ name }: Block, ending: string): string =>
  path.join(folder, `${name.replaceAll(/\W+/g, '-')}.${ending}`);
for (const program of programs) {
  writeFileSync(fileOf(program, 'ts'), program.code);
  // Without types, so that Node runs it.
  const { code } = transformSync(program.code, { loader: 'ts', format: 'esm', target: 'es2023' });
  writeFileSync(fileOf(program, 'mjs'), code);
}

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Run> {
  const { PATH = '', SystemRoot = '' } = process.env;
  const child = spawn(file, args, {
    cwd: ROOT,
    env: { PATH, SystemRoot, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

/** Runs a program with keys for a simulated world of its own. Nothing else can be reached. */
async function inWorld(
  file: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const world = await startWorld({
    reply: ({ lastUserText }) => REPLIES[lastUserText] ?? `heard: ${lastUserText}`,
  });
  try {
    return await run(file, args, {
      ...world.env(),
      FREELM_OPENROUTER_BASE_URL: world.openrouter.baseUrl,
      FREELM_GOOGLE_BASE_URL: world.google.baseUrl,
      FREELM_NIM_BASE_URL: world.nim.baseUrl,
      FREELM_CACHE_DIR: path.join(folder, 'cache'),
      // Each program starts with full quotas.
      FREELM_PERSIST: '0',
      http_proxy: 'http://127.0.0.1:9',
      https_proxy: 'http://127.0.0.1:9',
      no_proxy: '127.0.0.1',
      ...more,
    });
  } finally {
    await world.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const MAIN = libraryFile('cli/main.js');
/** Stands for the installed package: `npx freelm` runs the build, and `serve` listens at a free port, in the background. */
const SHELL = `
npx() {
  shift
  if [ "$1" != serve ]; then node '${MAIN}' "$@"; return; fi
  node '${MAIN}' "$@" --port "$PORT" >/dev/null & trap "kill $!" EXIT
  until command curl -fs "http://127.0.0.1:$PORT/health" >/dev/null; do sleep 0.1; done
}
curl() { command curl -fsS "\${@//4141/$PORT}"; }
set -eo pipefail
`;

describe('the code of the pages', () => {
  it('is there', () => {
    expect(programs.length).toBeGreaterThan(4);
    expect(commands.length).toBeGreaterThan(1);
  });

  it('has no type error', async () => {
    expect(await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', tsconfig], {})).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  it.concurrent.each(programs)('$name runs and prints what the page shows', async (block) => {
    const { code, out, err } = await inWorld(process.execPath, [fileOf(block, 'mjs')]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    if (block.output !== undefined) expect(out.trimEnd()).toBe(block.output.trimEnd());
  });

  it.skipIf(process.platform === 'win32').concurrent.each(commands)(
    '$name runs',
    async ({ code: script }) => {
      const port = await freePort();
      const { code, err } = await inWorld('bash', ['-c', `${SHELL}${script}`], { PORT: String(port) });
      expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    },
  );
});

describe('the README', () => {
  const readme = readFileSync(at('README.md'), 'utf8');

  it('has at most 250 lines', () => {
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(250);
  });

  it('has a table of keys that is made from spec/providers/*.json', async () => {
    expect(await run(process.execPath, ['.ci/keys-table.mjs', '--check'], {})).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  /** What it claims, and the file whose tests hold it to that. */
  const CLAIMS: Readonly<Record<string, string>> = {
    'fails over to the next key, model or provider until there is an answer':
      'test/client/whole-path.test.ts',
    "`require('freelm')` works too": 'test/smoke/require.cjs',
    'it uses simulated providers on your machine': 'test/cli/commands.test.ts',
    '**freelm counts a request against its quota before it sends it**': 'test/engine/quotas.property.test.ts',
    '**freelm understands refusals.**': 'test/vectors.test.ts',
    'remembers it for later calls': 'test/engine/failures.test.ts',
    '**Flaky providers stay in use.**': 'test/engine/comebacks.test.ts',
    'lets single requests test it again': 'test/engine/breakers.test.ts',
    '**Another route continues a broken stream.**': 'test/client/stream.test.ts',
    '**A call ends at its deadline**, even if a provider hangs': 'test/client/deadlines.test.ts',
    'Separate several keys of one provider with commas': 'test/client/from-env.test.ts',
    'freelm sends tools and images only to models that accept them': 'test/engine/requests.test.ts',
    'freelm uses a later name if no route for an earlier one is ready': 'test/client/models.test.ts',
    'the call waits in a queue until a route is ready': 'test/engine/wait-queue.test.ts',
    'If a route fails before the first part, freelm silently switches': 'test/client/stream.test.ts',
    'Change the import and keep the rest': 'test/compat/app.test.ts',
    'use the AI SDK or LangChain': 'test/clients/ai-sdk.test.ts',
    'to every program that takes an OpenAI base URL': 'test/gateway/gateway.test.ts',
    'A status page is at': 'test/gateway/page.test.ts',
    'starts a coding agent': 'test/cli/launch.test.ts',
    'that count, refuse and fail as the real ones do': 'test/testing/faults.test.ts',
    '`llm.health()`, `llm.capacity()` and `llm.explain()` show the state':
      'test/client/introspection.test.ts',
    'No error contains a key': 'test/client/no-key-anywhere.test.ts',
    "rejects with your signal's own reason": 'test/client/abort.test.ts',
    'freelm uses only those whose id or listed price shows that they are free': 'test/client/models.test.ts',
    'freelm counts them together': 'test/core/accounts.test.ts',
    'freelm stores model lists and used quotas on disk, but no keys': 'test/client/no-key-anywhere.test.ts',
  };

  it.each(Object.entries(CLAIMS))('claims "%s", which %s tests', (claim, file) => {
    expect(readme.replaceAll(/\s+/g, ' ')).toContain(claim);
    expect(existsSync(at(file))).toBe(true);
  });
});

it.each(PAGES)('every link of %s leads somewhere', (page) => {
  const links = readFileSync(at(page), 'utf8').matchAll(
    /\]\((?!https?:)(?<target>[^)#\s]*)(?:#(?<heading>[^)\s]*))?\)/g,
  );
  for (const { groups = {} } of links) {
    const target = groups['target'] === '' ? at(page) : at(path.dirname(page), groups['target'] ?? '');
    expect.soft(existsSync(target), target).toBe(true);
    const { heading } = groups;
    if (heading === undefined || !existsSync(target)) continue;
    const titles = Array.from(readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm), ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    expect.soft(titles, target).toContain(heading);
  }
});
