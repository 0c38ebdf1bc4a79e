/** Fetches Node binaries of other lines from npm, for the scripts that run the packed package with them. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { at, npm, remove } from './support.mjs';

const cache = at('node_modules', '.cache', 'freelm', 'nodes');
const piped = { stdio: ['ignore', 'pipe', 'pipe'] };

/** The npm package that has only a Node binary for this platform. */
function binaryPackage() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const prefix = platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform}-${process.arch}`;
}

/** Installs packages into a folder of their own. */
export async function install(folder, ...packages) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=2000'];
  return npm([...args, ...patience, ...packages], { cwd: folder, ...piped });
}

/** The path of a Node binary, fetched once by way of a folder in `scratch`. `undefined` if it is not available. */
export async function fetchNode(version, scratch) {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const cached = path.join(cache, `node-${version}${suffix}`);
  if (existsSync(cached)) return cached;
  const folder = path.join(scratch, `node-${version}`);
  const name = binaryPackage();
  const { code, output } = await install(folder, `${name}@${version}`);
  if (code !== 0) {
    console.log(`node ${version}: not available as ${name}\n${output.trimEnd()}`);
    return undefined;
  }
  const home = path.join(folder, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
  mkdirSync(cache, { recursive: true });
  const partial = `${cached}.${process.pid}`;
  copyFileSync(path.join(home, bin.node), partial);
  chmodSync(partial, 0o755);
  renameSync(partial, cached);
  remove(folder);
  return cached;
}
