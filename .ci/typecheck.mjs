/**
 * Checks the types of the sources, the status page and the tests, each even if another one fails. It names the compiler by its
 * path: an older one that bundling the declarations needs has the same command name and takes ten times as long.
 */
import { runModule } from './support.mjs';

const projects = ['tsconfig.json', 'src/gateway/page', 'test/tsconfig.json'];
let failed = false;
for (const project of projects) {
  const { code } = await runModule('typescript/bin/tsc', ['-p', project, '--noEmit']);
  failed ||= code !== 0;
}
process.exitCode = failed ? 1 : 0;
