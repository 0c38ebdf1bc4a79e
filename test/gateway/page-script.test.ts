import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { statusPage } from '../../src/gateway/page.ts';
import { temporaryFolder } from '../client/support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = join(ROOT, 'src/gateway/page');

/** Resolves with the compiler's output. */
function compile(project: string): Promise<string> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, '-p', project], (_error, output) => {
      resolve(output);
    });
  });
}

it('the script of the page fits the browser and the types of the status', async () => {
  const folder = temporaryFolder();
  const project = {
    extends: join(PAGE, 'tsconfig.json'),
    compilerOptions: { rootDir: '/', typeRoots: [join(ROOT, 'node_modules/@types')] },
    include: [join(PAGE, '*.js'), 'wrong.mjs'],
  };
  const type = `import('${join(ROOT, 'src/gateway/status.ts').replaceAll('\\', '/')}').Status`;
  const wrong = `/** @param {${type}} status */ export function wrong(status) { return status.nothing; }\n`;
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  writeFileSync(join(folder, 'wrong.mjs'), wrong);
  const output = (await compile(join(folder, 'tsconfig.json'))).trim().split('\n');
  expect(output).toEqual([expect.stringMatching(/wrong\.mjs.*'nothing' does not exist/)]);
});

it('the page is one document: its modules are joined into one script without imports', () => {
  const page = statusPage();
  expect(page.match(/<script\b/g)).toHaveLength(1);
  expect(page.match(/<style>/g)).toHaveLength(1);
  expect(page).not.toMatch(/<script[^>]*src=|rel="stylesheet"|^(?:import|export) /m);
});
