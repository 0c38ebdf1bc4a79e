/**
 * Bundles dist/ for CommonJS that cannot require ES modules, such as jest's. Node itself takes the ES modules for `require`, too.
 * One file holds the code of all entries, so that they share their classes.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { at } from './support.mjs';

const ENTRIES = ['index', 'compat', 'testing', 'redis'];
/** Packages that have CommonJS of their own. */
const EXTERNAL = ['eventsource-parser', 'undici', 'zod'];

/** The data of spec/ stays in its files. */
const specFiles = {
  name: 'spec-files',
  setup({ onResolve }) {
    onResolve({ filter: /\/spec\/.*\.json$/ }, ({ path: file }) => ({
      external: true,
      path: file.replace(/^.*\/spec\//, '../../spec/'),
    }));
  },
};

/** The licences of the packages in the bundle, which ask for their notice. */
function notices(inputs) {
  const packages = inputs
    .map((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
    .filter((place) => place !== undefined);
  return [...new Set(packages)].map((place) => {
    const licence = readdirSync(at(place)).find((name) => /^licen[cs]e/i.test(name));
    if (licence === undefined) throw new Error(`${place} has no file with its licence`);
    const { name, version } = JSON.parse(readFileSync(at(place, 'package.json'), 'utf8'));
    return `${name} ${version}\n\n${readFileSync(at(place, licence), 'utf8').trim()}\n`;
  });
}

/** Entries with a default export, and the older declarations that they have. */
const OLDER_TYPES = { compat: 'compat.ts5.0' };

/** What `require()` returns, and its types: those of the ES module. */
function writeEntry(entry) {
  const older = OLDER_TYPES[entry];
  const exported = older === undefined ? `.${entry}` : `.${entry}['module.exports']`;
  writeFileSync(at('dist', 'cjs', `${entry}.cjs`), `module.exports = require('./all.cjs')${exported};\n`);
  const types = [`export * from '../${older ?? entry}.js';`];
  if (older !== undefined) types.push(`export { default } from '../${older}.js';`);
  writeFileSync(at('dist', 'cjs', `${entry}.d.cts`), `${types.join('\n')}\n`);
}

/** Writes dist/cjs. */
export async function buildCommonJs() {
  const contents = ENTRIES.map((entry) => `export * as ${entry} from './${entry}.js';`).join('\n');
  const { metafile } = await build({
    stdin: { contents, resolveDir: at('dist') },
    absWorkingDir: at(),
    outfile: at('dist', 'cjs', 'all.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    external: EXTERNAL,
    plugins: [specFiles],
    // jest runs a dynamic import only with a flag of Node.
    supported: { 'dynamic-import': false },
    minify: true,
    keepNames: true,
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(
    at('dist', 'cjs', 'LICENSES.txt'),
    notices(Object.keys(metafile.inputs)).join(`\n${'-'.repeat(80)}\n\n`),
  );
  for (const entry of ENTRIES) writeEntry(entry);
}

/** The declarations of freelm/compat for TypeScript before 5.6, which has no names of exports in quotes. */
export function writeOlderTypes() {
  const text = readFileSync(at('dist', 'compat.d.ts'), 'utf8');
  const older = text.replace(/, OpenAI as ['"]module\.exports['"]/, '');
  if (older === text) throw new Error("dist/compat.d.ts does not export 'module.exports'");
  writeFileSync(at('dist', `${OLDER_TYPES.compat}.d.ts`), older);
}
