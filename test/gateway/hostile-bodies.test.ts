/** Bodies that are made to cost more than their size. The server refuses or serves each of them, and goes on serving. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { endpoint, open } from '../client/support.ts';
import { says, serve } from '../support/server.ts';
import { ask, chat, CHAT, gatewayOver } from './support.ts';

/** As many as 32 MB hold. */
const MILLIONS = 15_900_000;
/** Below the most values of a body. */
const MANY = 60_000;

const USER = '"messages":[{"role":"user","content":"Hello"}]';

function times(count: number, element: string): string {
  return `${`${element},`.repeat(count - 1)}${element}`;
}

function numbered(count: number, elementOf: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => elementOf(index)).join(',');
}

const call = (id: string): string =>
  `{"id":"${id}","type":"function","function":{"name":"f","arguments":"{}"}}`;
const result = (id: string): string => `{"role":"tool","tool_call_id":"${id}","content":""}`;

type Row = readonly [what: string, body: () => string, status: number, says?: RegExp | undefined];

const TOO_MANY = /has more than 200000 values/;
const TOO_DEEP = /is nested more than 256 levels deep/;

/** Beyond the bounds of a body: refused before it is parsed. */
const BEYOND: readonly Row[] = [
  ['millions of numbers as messages', () => `{"messages":[${times(MILLIONS, '1')}]}`, 400, TOO_MANY],
  ['a million numbers as tools', () => `{${USER},"tools":[${times(1_000_000, '1')}]}`, 400, TOO_MANY],
  ['a million numbers as stop', () => `{${USER},"stop":[${times(1_000_000, '1')}]}`, 400, TOO_MANY],
  [
    'a million numbers as content',
    () => `{"messages":[{"role":"user","content":[${times(1_000_000, '1')}]}]}`,
    400,
    TOO_MANY,
  ],
  ['many messages', () => `{"messages":[${times(100_000, '{"role":"user","content":""}')}]}`, 400, TOO_MANY],
  [
    'many keys in logit_bias',
    () => `{${USER},"logit_bias":{${numbered(250_000, (index) => `"${index}":1`)}}}`,
    400,
    TOO_MANY,
  ],
  ['a million unknown options', () => `{${USER},"freelm":{${times(1_000_000, '"a":1')}}}`, 400, TOO_MANY],
  ['16 million nested lists', () => '['.repeat(16_000_000), 400, TOO_DEEP],
  ['nested objects', () => `{${USER},"x":${'{"x":'.repeat(1000)}1${'}'.repeat(1001)}`, 400, TOO_DEEP],
];

/** Within the bounds: each pass over them is linear, and stops at the first fault. */
const WITHIN: readonly Row[] = [
  ['numbers as messages', () => `{"messages":[${times(MANY, '1')}]}`, 400, /^messages\[0\]: /],
  ['numbers as tools', () => `{${USER},"tools":[${times(MANY, '1')}]}`, 400, /^tools\[0\]: /],
  ['numbers as stop', () => `{${USER},"stop":[${times(MANY, '1')}]}`, 400, /^stop: /],
  [
    'numbers as content',
    () => `{"messages":[{"role":"user","content":[${times(MANY, '1')}]}]}`,
    400,
    /^messages\[0\].content: /,
  ],
  [
    'texts in logit_bias',
    () => `{${USER},"logit_bias":{${numbered(MANY, (index) => `"${index}":"1"`)}}}`,
    400,
    /^logit_bias\.0: must be a number/,
  ],
  [
    'numbers in logit_bias',
    () => `{${USER},"logit_bias":{${numbered(20_000, (index) => `"${index}":1`)}}}`,
    200,
  ],
  [
    'unknown options',
    () => `{${USER},"freelm":{${numbered(MANY, (index) => `"k${index}":1`)}}}`,
    400,
    /^freelm has no option "k0", "k1", "k2", "k3", "k4" and 59995 others\.$/,
  ],
  [
    'an option with a name of 30 MB',
    () => `{${USER},"freelm":{"${'a'.repeat(30_000_000)}":1}}`,
    400,
    /^freelm has no option "a{100}…"\.$/,
  ],
  [
    'fields',
    () => `{${USER},${numbered(MANY, (index) => `"k${index}":1`)}}`,
    400,
    /^The body has more than 1000 fields\.$/,
  ],
  [
    'fields of a message',
    () => `{"messages":[{"role":"user","content":"Hi",${numbered(20_000, (index) => `"k${index}":1`)}}]}`,
    200,
  ],
  ['models', () => `{${USER},"freelm":{"model":[${times(MANY, '"m"')}]}}`, 400, /at most 100 models/],
  ['a model with a name of 30 MB', () => `{${USER},"model":"${'a'.repeat(30_000_000)}"}`, 400, /^model: /],
  [
    'an alias with a million tags',
    () => `{${USER},"model":"auto${':large'.repeat(1_000_000)}"}`,
    400,
    /^model: /,
  ],
  ['short messages', () => `{"messages":[${times(20_000, '{"role":"user","content":"a"}')}]}`, 200],
  [
    'calls and results of one id',
    () =>
      `{"messages":[{"role":"assistant","tool_calls":[${times(10_000, call('a'))}]},${times(10_000, result('a'))}]}`,
    200,
  ],
  [
    'calls, and their results in reverse',
    () =>
      `{"messages":[{"role":"assistant","tool_calls":[${numbered(10_000, (index) => call(`c${index}`))}]},${numbered(10_000, (index) => result(`c${9999 - index}`))}]}`,
    200,
  ],
  ['results without calls', () => `{"messages":[${numbered(20_000, (index) => result(`c${index}`))}]}`, 200],
  ['a text that is no JSON', () => 'x'.repeat(3_000_000), 400, /no JSON object/],
  ['a string of escapes', () => `"${String.raw`\u0000`.repeat(1_000_000)}"`, 400, /no JSON object/],
];

afterEach(() => {
  vi.restoreAllMocks();
});

function messageIn(text: string): string {
  const parsed: unknown = JSON.parse(text);
  expect(parsed).toMatchObject({ error: { message: expect.any(String) as unknown } });
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]?.replaceAll('\\"', '"') ?? '';
}

interface Asked {
  readonly status: number | undefined;
  readonly text: string;
  /** The length of the longest text that was parsed meanwhile. */
  readonly parsed: number;
}

async function askedWith(body: string): Promise<Asked> {
  const gateway = await gatewayOver(open({ providers: [endpoint(await serve(says('Hi')))] }));
  const parse = vi.spyOn(JSON, 'parse');
  const { status, text } = await ask(gateway, { path: CHAT, body });
  const parsed = Math.max(0, ...parse.mock.calls.map(([given]) => given.length));
  const next = await ask(gateway, { path: CHAT, body: chat() });
  expect(next.status).toBe(200);
  return { status, text, parsed };
}

const casesOf = (rows: readonly Row[]) =>
  rows.map(([what, bodyOf, status, message]) => ({ what, bodyOf, status, message }));

describe('beyond the bounds', () => {
  it.each(casesOf(BEYOND))('$what', async ({ bodyOf, status, message }) => {
    const { text, parsed, ...answered } = await askedWith(bodyOf());
    expect(answered.status).toBe(status);
    expect(messageIn(text)).toMatch(message ?? '');
    expect(parsed).toBeLessThan(10_000);
  });
});

describe('within the bounds', () => {
  it.each(casesOf(WITHIN))('$what', async ({ bodyOf, status, message }) => {
    const answered = await askedWith(bodyOf());
    expect(answered.status).toBe(status);
    if (message !== undefined) expect(messageIn(answered.text)).toMatch(message);
    expect(answered.text.length).toBeLessThan(2000);
  });
});
