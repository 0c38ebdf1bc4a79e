/**
 * Which members of a request change nothing of the call that it becomes, tried one by one over all members of the SDKs' types.
 * The manual of the room lists them.
 */

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MESSAGES } from './messages/members.ts';
import type { Place } from './places.ts';
import { RESPONSES } from './responses/members.ts';
import { scripted } from './support.ts';

/** Begins what stands for the call of a request that is refused. */
const REFUSED = 'refused: ';

/** What the provider and the route learn of a request; the error for one that is refused. */
async function callFor(path: string, body: object): Promise<string> {
  const { post, calls } = scripted({});
  const base = path === '/v1/messages' ? { max_tokens: 9, messages: [{ role: 'user', content: 'x' }] } : {};
  const response = await post({ model: 'auto', ...base, ...body }, path);
  const [call] = calls;
  return call === undefined ? REFUSED + (await response.text()) : JSON.stringify(call);
}

async function lostIn(path: string, { requests }: Place): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const [member, [one, other]] of Object.entries(requests)) {
    const [first, second] = [await callFor(path, one), await callFor(path, other)];
    if (first === second && !first.startsWith(REFUSED)) lost.push(member);
  }
  return lost.toSorted();
}

/** The rows of the table under a title of the manual. */
async function listedUnder(title: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const manual = await readFile(new URL('../../src/rest/README.md', import.meta.url), 'utf8');
  const [, section = ''] = manual.split(`## ${title}\n`);
  const [own = ''] = section.split('\n#');
  const rows = [...own.matchAll(/^\| (.+?) \| ((?:`\w+`(?:, )?)+) \|$/gm)];
  return Object.fromEntries(
    rows.map(([, name = '', list = '']) => [name, (list.match(/\w+/g) ?? []).toSorted()]),
  );
}

describe.each([
  ['Responses', '/v1/responses', RESPONSES],
  ['Messages', '/v1/messages', MESSAGES],
] as const)('a request of %s', (protocol, path, places) => {
  it('loses the members that the manual lists, and no others', async () => {
    const found = await Promise.all(places.map(async (one) => [one.name, await lostIn(path, one)] as const));
    const lost = found.filter(([, members]) => members.length > 0);
    expect(await listedUnder(`Members of ${protocol} that are lost`)).toEqual(Object.fromEntries(lost));
  });
});
