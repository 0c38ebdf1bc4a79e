/**
 * Installs the packed package the way a user does, and runs test/smoke with every Node line that it supports.
 * Exits with 75 if it could not try: no binary for this platform, or no registry.
 */
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildIfNeeded } from './build.mjs';
import { fetchNode, install } from './fetch-node.mjs';
import { at, npm, remove, run } from './support.mjs';

/** The oldest Node that package.json admits, exactly, and the newest of each line since. */
const versions = ['20.19.0', '22', '24', '26'];
const smokes = ['smoke.mjs', 'require.cjs'];
const NOT_POSSIBLE = 75;

/** The error codes with which npm reports that it could not reach the registry. */
const unreachable = /code (ECONN|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT)/;

const piped = { stdio: ['ignore', 'pipe', 'pipe'] };

/** Packs the project and installs the tarball, with its dependencies, into an empty folder. */
async function installPackage(scratch) {
  const packed = await npm(['pack', '--loglevel=error', '--pack-destination', scratch], piped);
  const tarball = packed.output.trim().split('\n').at(-1);
  if (packed.code !== 0) throw new Error(`npm pack failed\n${packed.output}`);
  const folder = path.join(scratch, 'user');
  const installed = await install(folder, path.join(scratch, tarball));
  for (const smoke of smokes) copyFileSync(at('test', 'smoke', smoke), path.join(folder, smoke));
  return { folder, ...installed };
}

/** Runs every smoke script with one Node. Prints a line, and the output of a script that failed. */
async function trySmokes(node, folder) {
  const { output: version } = await run(node, ['--version'], piped);
  const results = [];
  for (const smoke of smokes) {
    const { code, output } = await run(node, [smoke], { cwd: folder, ...piped });
    results.push({ smoke, ok: code === 0, output: output.trim() });
  }
  const verdicts = results.map(({ smoke, ok }) => `${smoke} ${ok ? 'ok' : 'FAILED'}`).join(', ');
  console.log(`node ${version.trim().slice(1)}: ${verdicts}`);
  for (const { ok, output } of results) if (!ok || output !== '') console.log(output.replaceAll(/^/gm, '  '));
  return results.every(({ ok }) => ok);
}

async function main(scratch) {
  const built = await buildIfNeeded();
  if (built !== 0) return built;
  const user = await installPackage(scratch);
  if (user.code !== 0) {
    console.log(`the package could not be installed\n${user.output.trimEnd()}`);
    return unreachable.test(user.output) ? NOT_POSSIBLE : 1;
  }
  let missing = 0;
  let failed = 0;
  for (const version of versions) {
    const node = await fetchNode(version, scratch);
    if (node === undefined) missing += 1;
    else if (!(await trySmokes(node, user.folder))) failed += 1;
  }
  if (failed > 0) return 1;
  return missing > 0 ? NOT_POSSIBLE : 0;
}

const scratch = mkdtempSync(path.join(tmpdir(), 'freelm-nodes-'));
try {
  process.exitCode = await main(scratch);
} finally {
  remove(scratch);
}
