/**
 * Writes the kinds of failures, the rows of spec/failure-effects.json, into the schemas that list them.
 * With `--check` it writes nothing, and fails if a schema differs from the data.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { at } from './support.mjs';

const read = (file) => readFileSync(at('spec', file), 'utf8');
const kinds = Object.keys(JSON.parse(read('failure-effects.json')).effects);

function setRows(schema) {
  const { effects } = schema.properties;
  effects.required = kinds;
  effects.properties = Object.fromEntries(kinds.map((kind) => [kind, { $ref: '#/$defs/effect' }]));
}

function setKinds(schema) {
  schema.$defs.kind.enum = kinds;
}

const SCHEMAS = {
  'failure-effects.schema.json': setRows,
  'provider.schema.json': setKinds,
  'refusals.schema.json': setKinds,
};

for (const [file, change] of Object.entries(SCHEMAS)) {
  const before = read(file);
  const schema = JSON.parse(before);
  change(schema);
  const after = `${JSON.stringify(schema, undefined, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(at('spec', file), after);
  } else if (before !== after) {
    console.error(`spec/${file} differs from spec/failure-effects.json. Run npm run generate.`);
    process.exitCode = 1;
  }
}
