/** Compiles src/ into a clean dist/; other scripts do so only when a source is newer than the last build. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { at, remove, runModule } from './support.mjs';

/** Holds the moment at which the last successful build began. */
const stamp = at('node_modules', '.cache', 'freelm', 'built-at');
const sources = ['src', 'spec', 'tsconfig.json', '.ci/bundle.mjs', '.ci/common-js.mjs'];
/** The declarations of each file of src/, before those of the entries are made of them. */
const types = at('dist', 'types-of-files');
const isPageFile = (file) => !file.endsWith('tsconfig.json');

/** The latest change at or below a path; a folder's own time tells of files removed. */
function changedAt(target) {
  const entry = statSync(target, { throwIfNoEntry: false });
  if (entry === undefined) return 0;
  if (!entry.isDirectory()) return entry.mtimeMs;
  return readdirSync(target).reduce(
    (latest, name) => Math.max(latest, changedAt(path.join(target, name))),
    entry.mtimeMs,
  );
}

function isUpToDate() {
  if (!existsSync(stamp) || !existsSync(at('dist'))) return false;
  const builtAt = Number(readFileSync(stamp, 'utf8'));
  return sources.every((source) => changedAt(at(source)) <= builtAt);
}

/** Builds; resolves to the compiler's exit code. */
async function build() {
  const startedAt = Date.now();
  remove(stamp);
  remove(at('dist'));
  remove(types);
  const { code } = await runModule('typescript/bin/tsc', [
    ...['-p', 'tsconfig.json', '--emitDeclarationOnly', '--outDir', types],
  ]);
  if (code !== 0) return code;
  // Only now: it needs packages, and this file is loaded before they are installed.
  const { bundleAll } = await import('./bundle.mjs');
  await bundleAll(types);
  remove(types);
  // The gateway reads the files of its page when it starts.
  cpSync(at('src', 'gateway', 'page'), at('dist', 'page'), { recursive: true, filter: isPageFile });
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, String(startedAt));
  return 0;
}

/** Builds unless dist/ is newer than everything it comes from. */
export async function buildIfNeeded() {
  if (isUpToDate()) return 0;
  console.log('building…');
  return build();
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) process.exitCode = await build();
