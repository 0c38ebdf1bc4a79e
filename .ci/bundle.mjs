/**
 * Bundles src/ into dist/. Few files load several times faster than the 200 of src/, and weigh half as much.
 * - The ES modules: the entries at the top, and beside them the parts that they share or load later.
 * - dist/cjs, for CommonJS that cannot require ES modules, such as jest's. Node itself takes the ES modules for `require`, too.
 *   One file holds the code of all entries, so that they share their classes.
 * - The declarations of the entries.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { at } from './support.mjs';

const ENTRIES = ['index', 'compat', 'testing', 'redis'];
/** Packages that have CommonJS of their own. */
const WITH_COMMON_JS = ['eventsource-parser', 'undici', 'zod'];
/** Files of the repository that the package holds beside dist/: their paths from its root. */
const DATA = /\/(spec\/.*\.json|package\.json)$/;

/** Leaves data in its files. `up` leads from the bundle to the root of the package. */
const dataFiles = (up) => ({
  name: 'data-files',
  setup({ onResolve }) {
    onResolve({ filter: DATA }, ({ path: file }) => {
      const [, fromRoot] = DATA.exec(file);
      return { external: true, path: `${up}/${fromRoot}` };
    });
  },
});

const shared = {
  absWorkingDir: at(),
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  // Node prints the line of an uncaught error before its message.
  lineLimit: 120,
  logLevel: 'warning',
};

/** Gives classes that mention themselves their names back: esbuild calls them `_Name` within `Name`. */
function withClassNames(text) {
  return text
    .replaceAll(/\b(\w+)=class _\1\b/g, '$1=class $1')
    .replaceAll(/\b_([A-Z]\w*)\b/g, (whole, name) =>
      text.includes(`${name}=class _${name}`) ? name : whole,
    );
}

/** Takes into the bundle what it uses of zod/mini. The package itself is 60 files, most of them texts in other languages. */
const zodMini = {
  name: 'zod-mini',
  setup({ onResolve }) {
    onResolve({ filter: /^zod\/mini$/ }, () => ({
      path: at('node_modules', 'zod', 'mini', 'index.js'),
      sideEffects: false,
    }));
  },
};

/** Writes the ES modules. Returns the files that they are made of. */
async function bundleModules() {
  const { outputFiles, metafile } = await build({
    ...shared,
    entryPoints: {
      ...Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
      'cli/main': 'src/cli/main.ts',
    },
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    packages: 'external',
    plugins: [dataFiles('..'), zodMini],
    write: false,
    metafile: true,
  });
  mkdirSync(at('dist', 'cli'), { recursive: true });
  for (const { path: file, text } of outputFiles) writeFileSync(file, withClassNames(text));
  return Object.keys(metafile.inputs);
}

/** The licences of the packages in a bundle, which ask for their notice. */
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

/** Writes dist/cjs. Returns the files that it is made of. */
async function bundleCommonJs() {
  const contents = ENTRIES.map((entry) => `export * as ${entry} from './${entry}.ts';`).join('\n');
  const { metafile } = await build({
    ...shared,
    stdin: { contents, resolveDir: at('src') },
    outfile: 'dist/cjs/all.cjs',
    format: 'cjs',
    external: WITH_COMMON_JS,
    plugins: [dataFiles('../..')],
    // Few run it, and it doubles the code of the package.
    minifyIdentifiers: true,
    // jest runs a dynamic import only with a flag of Node.
    supported: { 'dynamic-import': false },
    metafile: true,
  });
  for (const entry of ENTRIES) writeEntry(entry);
  return Object.keys(metafile.inputs);
}

/** The declarations of freelm/compat for TypeScript before 5.6, which has no names of exports in quotes. */
function writeOlderTypes() {
  const text = readFileSync(at('dist', 'compat.d.ts'), 'utf8');
  const older = text.replace(/, OpenAI as ['"]module\.exports['"]/, '');
  if (older === text) throw new Error("dist/compat.d.ts does not export 'module.exports'");
  writeFileSync(at('dist', `${OLDER_TYPES.compat}.d.ts`), older);
}

/**
 * Writes the declarations.
 * @param types - The folder with those of each file of src/.
 */
async function bundleTypes(types) {
  const rolled = ENTRIES.filter((entry) => OLDER_TYPES[entry] === undefined);
  const bundle = await rollup({
    input: Object.fromEntries(rolled.map((entry) => [entry, path.join(types, `${entry}.d.ts`)])),
    plugins: [dts()],
    external: [/^node:/, 'undici', 'zod', 'zod/mini'],
  });
  await bundle.write({
    dir: at('dist'),
    format: 'es',
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'types/[name].d.ts',
  });
  // A name that is a type and a namespace at once cannot be bundled.
  for (const entry of Object.keys(OLDER_TYPES)) {
    cpSync(path.join(types, `${entry}.d.ts`), at('dist', `${entry}.d.ts`));
    cpSync(path.join(types, entry), at('dist', entry), { recursive: true });
  }
  writeOlderTypes();
}

export async function bundleAll(types) {
  const [modules, commonJs] = await Promise.all([bundleModules(), bundleCommonJs(), bundleTypes(types)]);
  const texts = notices([...modules, ...commonJs]);
  writeFileSync(at('dist', 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}
