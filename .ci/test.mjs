/** Runs the checks, then the tests even if a check failed. Arguments go to vitest. Fails if either fails. */
import { at, run, runModule } from './support.mjs';

const checks = await run(process.execPath, [at('.ci', 'check.mjs')]);
const tests = await runModule('vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);
if (checks.code !== 0) console.log('The checks failed, see above the tests.');
process.exitCode = checks.code || tests.code;
