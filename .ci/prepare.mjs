/** Makes a clone ready to run: installs the packages of the lockfile and builds, if needed. */
import { existsSync, readFileSync } from 'node:fs';
import { buildIfNeeded } from './build.mjs';
import { at, npm } from './support.mjs';

const packagesOf = (lockfile) => JSON.parse(readFileSync(lockfile, 'utf8')).packages;

/** Whether node_modules has what package-lock.json asks for, according to npm's record of installed packages. */
function isInstalled() {
  const record = at('node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = packagesOf(record);
  return Object.entries(packagesOf(at('package-lock.json'))).every(([place, wanted]) => {
    if (place === '') return true;
    const found = installed[place];
    // An optional package for another platform is absent.
    if (found === undefined) return wanted.optional === true;
    if (found.version !== wanted.version) return false;
    return wanted.integrity === undefined || found.integrity === wanted.integrity;
  });
}

async function installIfNeeded() {
  if (isInstalled()) return 0;
  console.log('installing…');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code } = await npm(args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return code;
}

process.exitCode = (await installIfNeeded()) || (await buildIfNeeded());
