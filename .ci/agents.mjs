/**
 * Runs the tests of the real coding agents. Each is installed into a folder outside of the repository's dependencies. One that cannot
 * be installed within five minutes is left out, and its tests are skipped with a message.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { at, npm, runModule } from './support.mjs';

const PACKAGES = ['@openai/codex', '@anthropic-ai/claude-code', 'opencode-ai'];
const TIMEOUT_MS = 300_000;
const TESTS = ['test/clients/codex.test.ts', 'test/cli/launch.test.ts'];

const folder = at('node_modules', '.cache', 'freelm', 'agents');
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
for (const name of PACKAGES) {
  const options = { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS };
  const { code, output } = await npm(
    ['install', '--no-audit', '--no-fund', '--loglevel=error', name],
    options,
  );
  if (code !== 0)
    console.log(`${name} cannot be installed: ${output.trim().split('\n')[0] || `npm ended with ${code}`}`);
}

const bin = path.join(folder, 'node_modules', '.bin');
const codex = path.join(bin, 'codex');
const env = { ...process.env, FREELM_AGENTS: bin, ...(existsSync(codex) ? { FREELM_CODEX: codex } : {}) };
const { code } = await runModule('vitest/vitest.mjs', ['run', ...TESTS, '-t', 'Codex uses|the real'], {
  env,
});
process.exitCode = code;
