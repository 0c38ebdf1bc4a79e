import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { statusPage } from '../../src/gateway/page/page.ts';
import { temporaryFolder } from '../client/support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const OPTIONS = [
  '--ignoreConfig --noEmit --checkJs --allowJs --strict --skipLibCheck --target es2023 --lib es2023,dom,dom.iterable',
  '--module nodenext --moduleDetection force --allowImportingTsExtensions --resolveJsonModule --types node --typeRoots',
]
  .join(' ')
  .split(' ');

/** Resolves with what the compiler says. */
function compile(files: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const types = join(ROOT, 'node_modules/@types');
    execFile(process.execPath, [COMPILER, ...OPTIONS, types, ...files], (_error, output) => {
      resolve(output);
    });
  });
}

it(
  "the page's script fits the browser, and the types of the status that it shows",
  { timeout: 60_000 },
  async () => {
    const folder = temporaryFolder();
    const [, script = ''] = /<script>(.*)<\/script>/s.exec(statusPage()) ?? [];
    expect(script).toContain("import('../status.ts').Status");
    const text = script.replaceAll("import('../", `import('${ROOT.replaceAll('\\', '/')}src/gateway/`);
    const wrong = '/** @param {Status} status */ function wrong(status) { return status.nothing; }';
    const files = { 'script.js': text, 'mistaken.js': text.replace(/}\)\(\);\s*$/, `${wrong}})();`) };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const said = await compile(Object.keys(files).map((name) => join(folder, name)));
    const of = (name: string): readonly string[] => said.split('\n').filter((line) => line.includes(name));
    expect(of('script.js')).toEqual([]);
    expect(of('mistaken.js')).toHaveLength(1);
  },
);
