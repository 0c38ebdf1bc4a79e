/**
 * Lists the packages that users install with freelm, and their licences. Fails if a licence is not one of those that ask
 * for nothing but their notice. Each package arrives from the registry with the text of its licence. The bundles hold
 * some of them, and dist/LICENSES.txt has their licences.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { at } from './support.mjs';

const allowed = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD'];

const json = (...parts) => JSON.parse(readFileSync(at(...parts), 'utf8'));

/** The runtime packages of package-lock.json: name, version, the licence that the lockfile states, and the place. */
export function runtimePackages() {
  return Object.entries(json('package-lock.json').packages)
    .filter(([place, { dev, devOptional, peer }]) => place !== '' && !dev && !devOptional && !peer)
    .map(([place, { version, license }]) => ({
      name: place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license,
      place,
    }));
}

/** What is wrong with the licence of a package. */
function problemOf({ name, licence, place }) {
  if (!allowed.includes(licence))
    return `${name}: the licence ${licence} is not in the list of .ci/licences.mjs`;
  const { license: installed } = json(place, 'package.json');
  if (installed !== licence) return `${name}: the lockfile says ${licence}, the package says ${installed}`;
  return undefined;
}

/** Prints the list. Returns whether every licence is allowed. */
export function checkLicences() {
  const packages = runtimePackages();
  const problems = packages.map(problemOf).filter((problem) => problem !== undefined);
  for (const { name, version, licence } of packages) console.log(`${name} ${version}: ${licence}`);
  for (const problem of problems) console.log(problem);
  return problems.length === 0;
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1]))
  process.exitCode = checkLicences() ? 0 : 1;
