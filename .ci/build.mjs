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
const sources = ['src', 'spec', 'tsconfig.json', '.ci/commonjs.mjs'];
/** The files of the status page, which the gateway reads when it starts. */
const page = path.join('gateway', 'page');
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
  const { code } = await runModule('typescript/bin/tsc', ['-p', 'tsconfig.json']);
  if (code !== 0) return code;
  cpSync(at('src', page), at('dist', page), { recursive: true, filter: isPageFile });
  // Only now: it needs a package, and this file is loaded before the packages are installed.
  const { buildCommonJs, writeOlderTypes } = await import('./commonjs.mjs');
  await buildCommonJs();
  writeOlderTypes();
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
