/**
 * Checks the types of the sources, the status page and the tests, each even if another one fails. It names the compiler by its
 * path: an older one that bundling the declarations needs has the same command name and takes ten times as long.
 * Arguments name the projects to check, if not all.
 */
import { availableParallelism } from 'node:os';
import { runModule } from './support.mjs';

const named = process.argv.slice(2);
const projects = named.length > 0 ? named : ['tsconfig.json', 'src/gateway/page', 'test/tsconfig.json'];
/** Each checker works out anew what others have, so that a second one pays only if it has processors of its own. */
const checkers = String(Math.max(1, Math.floor(availableParallelism() / 2)));
let failed = false;
for (const project of projects) {
  const { code } = await runModule('typescript/bin/tsc', ['-p', project, '--noEmit', '--checkers', checkers]);
  failed ||= code !== 0;
}
process.exitCode = failed ? 1 : 0;
