/** Shared by the scripts of this folder: the project's root, and running programs on every platform. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** A path below the root. */
export const at = (...parts) => path.join(root, ...parts);

/** Removes a file or folder if it exists. Retries if another program holds it, such as a virus scanner. */
export const remove = (target) => rmSync(target, { recursive: true, force: true, maxRetries: 5 });

/** Runs a program to its end. Resolves to its exit code and, if piped, to its output. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    let output = '';
    const collect = (chunk) => (output += chunk);
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a program of node_modules, e.g. `typescript/bin/tsc`, with this Node. */
export const runModule = (file, args, options) =>
  run(process.execPath, [at('node_modules', file), ...args], options);

/** Runs the npm that started this script, else the one on the PATH. */
export function npm(args, options) {
  const cli = process.env.npm_execpath ?? '';
  return path.basename(cli) === 'npm-cli.js'
    ? run(process.execPath, [cli, ...args], options)
    : run('npm', args, { shell: process.platform === 'win32', ...options });
}
