/**
 * Runs the AI SDK's tables of test/clients with its version 7, which needs a newer Node than the project does:
 * `node ai7.mjs <node_modules of the AI SDK>`, in a folder in which the packed package is installed. What the tables import of
 * the SDK and of freelm's public entries then comes from those packages.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { startVitest } from 'vitest/node';
import { at } from './support.mjs';

const TABLES = ['ai-sdk', 'responses-ai-sdk', 'anthropic-ai', 'conversations-ai-sdk'];
const SDK = ['ai', '@ai-sdk/openai', '@ai-sdk/anthropic', '@ai-sdk/openai-compatible'];

/** The file that an `import` of a package loads. */
function entryOf(folder) {
  const { exports, main } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  let target = exports?.['.'] ?? main;
  while (typeof target === 'object') target = target.import ?? target.default;
  return path.join(folder, target);
}

const [tools] = process.argv.slice(2);
const dist = path.resolve('node_modules', 'freelm', 'dist');
const gateway = readdirSync(dist).find((name) => /^gateway-.*\.js$/.test(name));
const packed = new Map([
  [at('src', 'index.ts'), path.join(dist, 'index.js')],
  [at('src', 'testing.ts'), path.join(dist, 'testing.js')],
  [at('src', 'gateway', 'index.ts'), path.join(dist, gateway)],
]);

/** What has been led to the packages: without it, the tables would pass with the project's own. */
const led = new Set();

const fromPackages = {
  name: 'from-packages',
  enforce: 'pre',
  resolveId(source, importer) {
    const file = SDK.includes(source)
      ? entryOf(path.join(tools, source))
      : packed.get(path.resolve(path.dirname(importer ?? ''), source));
    if (file !== undefined) led.add(file);
    return file;
  },
};

const options = {
  config: false,
  root: at(),
  include: TABLES.map((name) => `test/clients/${name}.test.ts`),
  env: { FREELM_PERSIST: '0', XDG_CACHE_HOME: path.join(tmpdir(), 'freelm-tests') },
  pool: 'threads',
  maxWorkers: availableParallelism(),
  testTimeout: 120_000,
  watch: false,
};
await startVitest('test', [], options, { plugins: [fromPackages] });
if (led.size !== SDK.length + packed.size) {
  console.error(`The tables took only these from the packages:\n${[...led].join('\n')}`);
  process.exitCode = 1;
}
