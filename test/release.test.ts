/** The supply chain: what a release is checked for, and how it is published. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { json, serve } from './support/server.ts';

const ROOT = path.join(import.meta.dirname, '..');
const read = (...parts: string[]): string => readFileSync(path.join(ROOT, ...parts), 'utf8');

const manifest = z
  .object({ version: z.string(), publishConfig: z.unknown(), dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

/** Runs the check of a release with a registry that answers questions about vulnerabilities. */
async function checkRelease(
  advisories: object,
  ...args: readonly string[]
): Promise<{ code: unknown; output: string }> {
  const registry = await serve(({ method, url }, response) => {
    const name = decodeURIComponent(url.slice(1));
    json(
      response,
      method === 'POST' ? advisories : { name, versions: { '0.0.1': { name, version: '0.0.1' } } },
    );
  });
  const child = spawn(process.execPath, [path.join(ROOT, '.ci', 'release.mjs'), ...args], {
    env: { ...process.env, npm_config_registry: registry.url, npm_config_fetch_retries: '0' },
  });
  const [output, exit]: readonly [string, readonly unknown[]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit'),
  ]);
  return { code: exit[0], output };
}

describe('npm run check:release', { timeout: 120_000 }, () => {
  it('passes without known vulnerabilities, and lists every package in words and in sbom.json', async () => {
    const { code, output } = await checkRelease({});
    expect(output).toContain('audit: no known vulnerability');
    expect(output).toMatch(/^sbom: \d+ packages/m);
    const sbom = read('sbom.json');
    for (const name of Object.keys(manifest.dependencies)) {
      expect(output).toMatch(new RegExp(`^${name} \\S+: MIT$`, 'm'));
      expect(sbom).toContain(`"pkg:npm/${name}@`);
    }
    expect(sbom).not.toContain('pkg:npm/vitest');
    expect(code).toBe(0);
  });

  it('fails for a known vulnerability, and for a tag of another version', async () => {
    const about = {
      id: 1,
      url: 'https://advisory.test',
      title: 'x',
      severity: 'high',
      vulnerable_versions: '*',
    };
    const { code, output } = await checkRelease({ zod: [about] }, 'v99.0.0');
    expect(output).toMatch(/^audit: zod .*: high$/m);
    expect(output).toContain(`the tag is v99.0.0, package.json says ${manifest.version}`);
    expect(code).toBe(1);
  });
});

describe('the tarball', { timeout: 120_000 }, () => {
  it('has neither the vectors, the schemas and the prose of spec/ nor source maps', async () => {
    const child = spawn('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      shell: process.platform === 'win32',
      env: { ...process.env, npm_config_loglevel: 'silent' },
    });
    const listed = z.array(z.object({ files: z.array(z.object({ path: z.string() })) }));
    const [{ files } = { files: [] }] = listed.parse(JSON.parse(await text(child.stdout)));
    const paths = files.map((file) => file.path);
    expect(paths).toContain('spec/providers/openrouter.json');
    expect(
      paths.filter((file) =>
        /^spec\/(?!(?:providers\/)?[\w-]+\.json$)|^spec\/.*\.schema\.json$|\.map$/.test(file),
      ),
    ).toEqual([]);
    for (const file of paths.filter((name) => /^dist\/.*\.c?js$/.test(name)))
      expect(read(file)).not.toContain('sourceMappingURL=');
  });
});

describe('publishing', () => {
  const workflow = read('.github', 'workflows', 'release.yml');

  it('proves where a package was built', () => {
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true });
    expect(workflow).toContain('id-token: write');
    expect(workflow).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/);
  });

  it('runs the tests, the fuzzer and the check of a release before it', () => {
    const commands = [...workflow.matchAll(/- run: (.*)/g)].map(([, command]) => command);
    expect(commands).toEqual([
      'npm ci --ignore-scripts',
      'npm test',
      'npm run test:nodes',
      'npm run fuzz',
      'npm run check:release -- "$GITHUB_REF_NAME"',
      'npm publish',
    ]);
  });

  it('pins every action to a commit', () => {
    const actions = [...workflow.matchAll(/uses: (.*)/g)].map(([, action]) => action);
    expect(actions).toHaveLength(3);
    for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
});
