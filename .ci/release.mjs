/**
 * Checks what a release needs beside the tests: licences, known vulnerabilities, and a software bill of materials in
 * sbom.json. With a tag as its argument, e.g. v1.2.3, it also checks the version and the changelog. Exits with 75 if the
 * registry does not answer questions about vulnerabilities.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkLicences, runtimePackages } from './licences.mjs';
import { at, npm, remove } from './support.mjs';

const NOT_POSSIBLE = 75;
const piped = { stdio: ['ignore', 'pipe', 'ignore'] };

const read = (...parts) => readFileSync(at(...parts), 'utf8');

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the tag, the package and the changelog name the same version. */
function checkVersion(tag) {
  if (tag === undefined) return 0;
  const { version } = JSON.parse(read('package.json'));
  if (tag !== `v${version}`) console.log(`version: the tag is ${tag}, package.json says ${version}`);
  else if (!read('CHANGELOG.md').includes(`\n## [${version}]`))
    console.log(`version: CHANGELOG.md has no section [${version}]`);
  else return 0;
  return 1;
}

async function checkAudit() {
  const { output } = await npm(['audit', '--json'], piped);
  const report = parsed(output);
  const total = report?.metadata?.vulnerabilities?.total;
  if (total === 0) {
    console.log('audit: no known vulnerability');
    return 0;
  }
  if (total === undefined) {
    console.log(
      `audit: not possible here: ${report?.message ?? report?.error?.summary ?? 'npm gives no report'}`,
    );
    return NOT_POSSIBLE;
  }
  for (const { name, severity, range } of Object.values(report.vulnerabilities))
    console.log(`audit: ${name} ${range}: ${severity}`);
  return 1;
}

/**
 * Has npm describe the runtime packages. It does so in a copy without development packages, because `--omit=dev` also
 * leaves out a runtime package that a development package depends on.
 */
async function describePackages(folder) {
  const lockfile = JSON.parse(read('package-lock.json'));
  const { devDependencies: _, ...manifest } = JSON.parse(read('package.json'));
  const { devDependencies: __, ...root } = lockfile.packages[''];
  const packages = { '': root };
  for (const { place } of runtimePackages()) packages[place] = lockfile.packages[place];
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ ...lockfile, packages }));
  const { output } = await npm(['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    ...piped,
    cwd: folder,
  });
  return output;
}

async function checkSbom() {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'freelm-sbom-')), 'freelm');
  // npm names the described package after its folder.
  mkdirSync(folder);
  const sbom = await describePackages(folder);
  remove(path.dirname(folder));
  const described = (parsed(sbom)?.components ?? []).map((component) => component['bom-ref']);
  const wanted = runtimePackages().map(({ name, version }) => `${name}@${version}`);
  const missing = wanted.filter((name) => !described.includes(name));
  if (missing.length > 0) {
    console.log(`sbom: npm does not describe ${missing.join(', ')}`);
    return 1;
  }
  writeFileSync(at('sbom.json'), sbom);
  console.log(`sbom: ${described.length} packages, written to sbom.json`);
  return 0;
}

const codes = [
  checkLicences() ? 0 : 1,
  checkVersion(process.argv[2]),
  ...(await Promise.all([checkSbom(), checkAudit()])),
];
process.exitCode = codes.includes(1) ? 1 : Math.max(...codes);
