/** Runs the checks and then, whatever they say, the tests; arguments go to vitest. Fails if either does. */
import { at, run, runModule } from './support.mjs';

const checks = await run(process.execPath, [at('.ci', 'check.mjs')]);
const tests = await runModule('vitest/vitest.mjs', [
  'run',
  '--typecheck',
  '--coverage',
  ...process.argv.slice(2),
]);
if (checks.code !== 0) console.log('The checks failed, see above the tests.');
process.exitCode = checks.code || tests.code;
