import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { withEnvFile } from '../../src/cli/env-file.ts';

function fileWith(text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'freelm-env-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, '.env');
  writeFileSync(file, text);
  return file;
}

it('adds keys, tiers and the names of providers', () => {
  const file = fileWith(
    '# mine\nOPENROUTER_API_KEY="sk-or-1"\nFREELM_NIM_KEYS=a,b\nFREELM_OPENROUTER_TIER=credit\nFREELM_PROVIDERS=kilo\n',
  );
  expect(withEnvFile({ HOME: '/home/me' }, file)).toEqual({
    HOME: '/home/me',
    OPENROUTER_API_KEY: 'sk-or-1',
    FREELM_NIM_KEYS: 'a,b',
    FREELM_OPENROUTER_TIER: 'credit',
    FREELM_PROVIDERS: 'kilo',
  });
});

it('leaves what is set as it is, and fills what is empty', () => {
  const file = fileWith('GEMINI_API_KEY=from-file\nGROQ_API_KEY=from-file\n');
  expect(withEnvFile({ GEMINI_API_KEY: 'set', GROQ_API_KEY: '' }, file)).toEqual({
    GEMINI_API_KEY: 'set',
    GROQ_API_KEY: 'from-file',
  });
});

// A folder from elsewhere must not send the user's own keys away, nor spend money.
it.each([
  ['FREELM_OPENROUTER_BASE_URL=https://evil.example'],
  ['OLLAMA_HOST=https://evil.example'],
  ['HTTPS_PROXY=https://evil.example'],
  ['NODE_OPTIONS=--require ./evil.js'],
  ['FREELM_SPEND=allow'],
  ['FREELM_CACHE_DIR=/tmp/elsewhere'],
])('takes no %s', (line) => {
  expect(withEnvFile({}, fileWith(line))).toEqual({});
});

it('is nothing if there is no such file', () => {
  const env = { A: '1' };
  expect(withEnvFile(env, path.join(tmpdir(), 'no-such-folder', '.env'))).toBe(env);
});
