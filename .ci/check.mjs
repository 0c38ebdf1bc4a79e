/** Checks everything but behaviour, side by side: types, lint, format, dead code, licences, the package as published. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { buildIfNeeded } from './build.mjs';
import { at, run } from './support.mjs';

const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

/** The checks and their commands, the longest first. */
const checks = {
  package: scripts['check:package'],
  // The build has checked those of src/.
  types: `${scripts.typecheck} src/gateway/page test/tsconfig.json`,
  lint: scripts.lint,
  'dead code': scripts['check:dead'],
  licences: scripts['check:licences'],
  size: scripts['check:size'],
  format: `${scripts.format} --check`,
};

// Set in place, because Windows spells the variable differently.
process.env.PATH = [at('node_modules', '.bin'), process.env.PATH].join(path.delimiter);

const options = { shell: true, stdio: ['ignore', 'pipe', 'pipe'] };

async function check([name, command]) {
  const { code, output } = await run(command, [], options);
  if (code !== 0) console.log(`\n${name}: ${command}\n${output.trimEnd()}\n`);
  return code === 0 ? undefined : name;
}

const failed = [];
if ((await buildIfNeeded()) === 0) {
  const waiting = Object.entries(checks);
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      failed.push(await check(next));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
} else {
  failed.push('build');
}

const names = failed.filter((name) => name !== undefined);
console.log(
  names.length === 0 ? `check: ${Object.keys(checks).join(', ')} ok` : `check: ${names.join(', ')} FAILED`,
);
process.exitCode = names.length === 0 ? 0 : 1;
