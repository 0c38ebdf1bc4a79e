/**
 * Bundles src/ into dist/. Few files load several times faster than the 200 of src/, and weigh half as much.
 * - The ES modules: the entries at the top, and beside them the parts that they share or load later.
 * - dist/cjs, for CommonJS that cannot require ES modules, such as jest's. Node itself takes the ES modules for `require`, too.
 * - The declarations of the entries.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { parted, writeCommonJs } from './common-js.mjs';
import { at } from './support.mjs';

const ENTRIES = ['index', 'compat', 'testing', 'redis'];
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

/** Packages that users install. The bundle holds the others: small ones, and ES modules that jest cannot require. */
const EXTERNAL = ['commander', 'eventsource-parser', 'undici', 'zod'];

/** Takes in what is used of zod/mini. The package is 60 files, most of them texts in other languages. */
const zodMini = {
  name: 'zod-mini',
  setup({ onResolve }) {
    onResolve({ filter: /^zod\/mini$/ }, () => ({
      path: at('node_modules', 'zod', 'mini', 'index.js'),
      sideEffects: false,
    }));
    // freelm/testing imports it so that it is loaded.
    onResolve({ filter: /^zod$/ }, () => ({ path: 'zod', external: true, sideEffects: true }));
  },
};

/** The code in short lines: Node prints the line of an uncaught error before its message. */
async function wrapped(text) {
  const { code } = await transform(text, { minifyWhitespace: true, lineLimit: 120, target: shared.target });
  return withClassNames(code);
}

/** The modules that entries consist of: those that they import, however indirectly. */
function partsOf(outputs, entries) {
  const found = new Set();
  const left = entries.map((entry) => `dist/${entry}.js`);
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    for (const { path: file, external, kind } of outputs[name].imports)
      if (external !== true && kind === 'import-statement') left.push(file);
  }
  return found;
}

/** Writes the ES modules, and dist/cjs. Returns the files that they are made of. */
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
    external: EXTERNAL,
    plugins: [dataFiles('..'), zodMini],
    write: false,
    metafile: true,
  });
  const parts = partsOf(metafile.outputs, ENTRIES);
  const recipes = {};
  mkdirSync(at('dist', 'cli'), { recursive: true });
  mkdirSync(at('dist', 'cjs'), { recursive: true });
  for (const { path: file, text } of outputFiles) {
    const place = path.relative(at(), file).replaceAll(path.sep, '/');
    if (parts.has(place)) {
      const { text: written, recipe } = await parted(text, wrapped);
      recipes[path.basename(file)] = recipe;
      writeFileSync(file, written);
    } else writeFileSync(file, await wrapped(text));
  }
  writeCommonJs(ENTRIES, recipes);
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

/** Writes the types of what `require()` returns: those of the ES module. */
function writeCommonJsTypes(entry) {
  const older = OLDER_TYPES[entry];
  const types = [`export * from '../${older ?? entry}.js';`];
  if (older !== undefined) types.push(`export { default } from '../${older}.js';`);
  writeFileSync(at('dist', 'cjs', `${entry}.d.cts`), `${types.join('\n')}\n`);
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
  const [inputs] = await Promise.all([bundleModules(), bundleTypes(types)]);
  for (const entry of ENTRIES) writeCommonJsTypes(entry);
  const texts = notices(inputs);
  writeFileSync(at('dist', 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}
