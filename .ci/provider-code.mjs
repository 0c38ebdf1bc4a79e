/**
 * Writes what src/providers needs for each file of spec/providers: the import, and the class.
 * With `--check` it writes nothing, and fails if a file differs from the data.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { at } from './support.mjs';

const WIDTH = 110;
const GENERATED = 'Generated from spec/providers/*.json by `npm run generate`.';

function readSpecs() {
  return readdirSync(at('spec', 'providers'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(at('spec', 'providers', file), 'utf8')))
    .toSorted((a, b) => a.order - b.order || a.name.localeCompare(b.name));
}

const identifierOf = (name) => name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
const quoted = (name) => (/^\w+$/.test(name) ? name : `'${name}'`);
const memberOf = (name) => (/^\w+$/.test(name) ? `.${name}` : `['${name}']`);

/** A text as a comment of lines that are no wider than the code's. */
function comment(text) {
  if (text.length + 8 <= WIDTH) return `/** ${text} */`;
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length + 3 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return ['/**', ...lines.map((line) => ` * ${line}`), ' */'].join('\n');
}

function files(specs) {
  const imports = specs.map(
    ({ name }) =>
      `import ${identifierOf(name)} from '../../spec/providers/${name}.json' with { type: 'json' };`,
  );
  const members = specs.map(({ name }) => {
    const identifier = identifierOf(name);
    return identifier === name ? `  ${name},` : `  ${quoted(name)}: ${identifier},`;
  });
  return `/** The files of spec/providers, in the order in which they are tried on equal terms. ${GENERATED} */

${imports.toSorted().join('\n')}

type KnownProvider =${specs.map(({ name }) => `\n  | '${name}'`).join('')};

export const FILES: Readonly<Record<KnownProvider, { readonly name: string; readonly request?: object }>> = {
${members.join('\n')}
};
`;
}

function classOf({ name, class: className, summary, keyless, tiers }) {
  const names = Object.keys(tiers).map((tier) => `'${tier}'`);
  const base = keyless === true ? 'KeylessProvider' : 'KeyedProvider';
  const parameter = base === 'KeyedProvider' && names.join('') !== "'free'" ? `<${names.join(' | ')}>` : '';
  return `${comment(summary)}
export class ${className} extends ${base}${parameter} {
  static override readonly spec: ProviderSpec = SPECS${memberOf(name)};
}
`;
}

function presets(specs) {
  return `/** One class for each provider of spec/providers. ${GENERATED} */

import { KeyedProvider, KeylessProvider } from './known-provider.ts';
import { type ProviderSpec, SPECS } from './spec.ts';

${specs.map(classOf).join('\n')}`;
}

const specs = readSpecs();
const texts = { 'files.ts': files(specs), 'presets.ts': presets(specs) };
for (const [name, text] of Object.entries(texts)) {
  const path = at('src', 'providers', name);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`src/providers/${name} differs from spec/providers/*.json. Run npm run generate.`);
    process.exitCode = 1;
  }
}
