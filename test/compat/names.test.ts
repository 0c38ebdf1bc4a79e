import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const FILES = ['chat-messages.ts', 'chat-params.ts', 'chat-results.ts', 'shared-types.ts'];

async function namesIn(file: string, pattern: RegExp): Promise<readonly string[]> {
  const source = await readFile(new URL(`../../src/compat/${file}`, import.meta.url), 'utf8');
  return [...source.matchAll(pattern)].flatMap(([, name = '']) => name);
}

it('the namespace OpenAI has every type that the files of types export', async () => {
  const exported = await Promise.all(
    FILES.map((file) => namesIn(file, /^export (?:interface|type) (\w+)/gm)),
  );
  const listed = await namesIn('openai.ts', /^ {2}export import (\w+) = types\.\1;$/gm);
  expect(listed.toSorted()).toEqual(exported.flat().toSorted());
});
