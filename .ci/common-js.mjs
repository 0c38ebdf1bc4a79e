/**
 * Makes dist/cjs: the package for a `require()` that takes no ES modules, such as jest's. It holds no second copy of the code: it
 * reads the ES modules beside it, and replaces their imports and exports, which the build has put at their ends.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { at } from './support.mjs';

/** A line that parts the imports of a module, its code and its exports. */
const PARTING = '//:';
const IMPORT = /(?<=^|[;}\n])import(?:([\w$*{},\s]+?)from)?"([^"]+)"(?:with\{type:"json"\})?;/g;
const EXPORT = /export\{([^}]*)\};\s*$/;
const DYNAMIC = /\bimport\("([^"]+)"\)/g;

const namesIn = (list) =>
  list
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => one.split(/\s+as\s*(?=[\s"])\s*/));

/** An import as CommonJS. */
function requiring(bindings, from) {
  const found = `$from(${JSON.stringify(from)})`;
  if (bindings === undefined) return `${found};`;
  const [, first = '', , list] = /^\s*([\w$]+|\*\s*as\s+[\w$]+)?(,?\s*\{([^}]*)\})?\s*$/.exec(bindings);
  const parts = [];
  if (first.startsWith('*')) parts.push(`${first.replace(/^\*\s*as\s+/, '')}=${found}`);
  else if (first !== '') parts.push(`${first}=$whole(${found})`);
  if (list !== undefined)
    parts.push(
      `{${namesIn(list)
        .map(([name, own = name]) => `${name}:${own}`)
        .join()}}=${found}`,
    );
  return `const ${parts.join()};`;
}

/**
 * Parts a module in which no statement is broken into lines.
 * @param wrap - Breaks lines of code that are too long.
 */
export async function parted(text, wrap) {
  const imports = [...text.matchAll(IMPORT)].map(([statement]) => statement);
  const [exported = ''] = EXPORT.exec(text) ?? [];
  const code = text.slice(0, text.length - exported.length).replaceAll(IMPORT, '');
  // What is left must be code without imports and exports.
  Reflect.construct(Function, [code]);
  const wrapped = await wrap(code);
  return {
    text: [imports.join(''), wrapped.trim(), exported.trim()].join(`\n${PARTING}\n`),
    recipe: recipeOf(imports, code, exported),
  };
}

/** How a module is run as CommonJS: what comes before and after its code, and which modules it needs. */
function recipeOf(imports, code, exported) {
  const statements = imports.flatMap((statement) => [...statement.matchAll(IMPORT)]);
  const names = namesIn(EXPORT.exec(exported)?.[1] ?? '').map(([own, name = own]) => `${name}:()=>${own}`);
  const dynamic = [...code.matchAll(DYNAMIC)];
  if (dynamic.length !== [...code.matchAll(/\bimport\b/g)].length)
    throw new Error('a module has the word import where it imports nothing');
  return {
    before: statements.map(([, bindings, from]) => requiring(bindings, from)).join(''),
    after: `return{${names.join()}};`,
    needs: [...statements.map(([, , from]) => from), ...dynamic.map(([, from]) => from)],
  };
}

/** What reads the modules. Its requires are literal, for bundlers that look at it. */
function loaderOf(recipes, outside) {
  const requires = outside.map((name) => {
    const place = name.startsWith('../') ? `../${name}` : name;
    return `${JSON.stringify(name)}: () => require(${JSON.stringify(place)}),`;
  });
  const glue = Object.entries(recipes).map(
    ([name, { before, after }]) => `${JSON.stringify(name)}: ${JSON.stringify([before, after])},`,
  );
  return `'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const outside = {
${requires.join('\n')}
};
const glue = {
${glue.join('\n')}
};
const loaded = new Map();
const whole = (found) => (found.__esModule ? found.default : found);
const from = (name) => (name in outside ? outside[name]() : load(name.slice(2)));
const later = async (name) => from(name);
function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const [before, after] = glue[name];
  const file = join(__dirname, '..', name);
  const code = readFileSync(file, 'utf8').split('\\n${PARTING}\\n')[1].replaceAll(/\\bimport\\(/g, '$later(');
  const run = new Function('$from', '$whole', '$later', '"use strict";' + before + code + '\\n' + after + '\\n//# sourceURL=' + file);
  const found = {};
  for (const [exported, get] of Object.entries(run(from, whole, later)))
    Object.defineProperty(found, exported, { get, enumerable: true });
  loaded.set(name, found);
  return found;
}
module.exports = load;
`;
}

/** What \`require()\` returns: Node and bundlers take the ES module here as well. */
function entryOf(name) {
  return `'use strict';
let found;
try {
  found = require('../${name}.js');
} catch {
  found = require('./load.cjs')('${name}.js');
}
module.exports = found['module.exports'] ?? found;
`;
}

/**
 * Writes dist/cjs.
 * @param recipes - Those of the modules that the entries consist of, by their names in dist/.
 */
export function writeCommonJs(entries, recipes) {
  const needs = Object.values(recipes).flatMap((recipe) => recipe.needs);
  const outside = [...new Set(needs)].filter((name) => !name.startsWith('./')).toSorted();
  const place = (name) => path.join(at('dist', 'cjs'), name);
  writeFileSync(place('load.cjs'), loaderOf(recipes, outside));
  for (const entry of entries) writeFileSync(place(`${entry}.cjs`), entryOf(entry));
}
