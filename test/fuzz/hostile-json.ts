/** Arbitrary names, texts and values that break programs, and JSON documents in which they stand. */

import fc from '../support/fast-check.ts';
import { type Doc, jsonOf, mutated, type Mutation, type Piece, Written } from './piece.ts';

/** Names that every object has, or that mean something to a program. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'toJSON',
  'then',
  'length',
  '0',
  '',
];

const TEXTS = [
  ' ',
  '\u0000',
  'a\u0000b',
  'a\r\nb: c',
  '\u001B[31m\u001B]0;title\u0007',
  '\u2028\u2029',
  '\uD800',
  'x\uDFFFy',
  '\uFEFF',
  '../../../../etc/passwd',
  '%2e%2e%2f%00',
  '%',
  '<img src=x onerror=alert(1)>',
  'data: [DONE]\n\n',
  '🦊👩‍👩‍👧',
  'x'.repeat(5000),
];

const hostileName = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.constantFrom(...TEXTS),
  fc.string({ maxLength: 12 }),
);
export const hostileText = fc.oneof(
  fc.constantFrom(...TEXTS),
  hostileName,
  fc.string({ unit: 'binary', maxLength: 40 }),
);

/** How often something is repeated: mostly not often, and now and then so often that it fills a request. */
export function often(most: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 24, arbitrary: fc.constantFrom(2, 40, 1000) },
    { weight: 4, arbitrary: fc.constantFrom(10_000, 100_000) },
    { weight: 1, arbitrary: fc.constantFrom(1_000_000, most) },
  );
}

const MOST = 8_000_000;

const written = (piece: Piece): Written => new Written(piece);
const repeated = (before: string, repeat: string, after: string): fc.Arbitrary<Doc> =>
  often(MOST).map((times) =>
    written([before, { repeat, times: Math.min(times, Math.floor((2 * MOST) / repeat.length)) }, after]),
  );
const counted = (before: string, count: string, after: string): fc.Arbitrary<Doc> =>
  often(1_000_000).map((times) =>
    written([before, { count, times: Math.min(times, Math.floor(MOST / count.length)) }, after]),
  );

/** JSON that is long, deep, wide or no JSON. */
const hugeValue = fc.oneof(
  often(MOST).map((times) =>
    written([
      { repeat: '[', times },
      { repeat: ']', times },
    ]),
  ),
  often(MOST).map((times) => written({ repeat: '[', times })),
  often(1_000_000).map((times) => written([{ repeat: '{"a":', times }, '1', { repeat: '}', times }])),
  repeated('[', '0,', '0]'),
  repeated('[', 'null,', 'null]'),
  repeated('[', '{},', '{}]'),
  repeated('[', '[[]],', '[]]'),
  repeated('"', 'x', '"'),
  repeated('"', 'word ', '"'),
  repeated('"', '\\u0000', '"'),
  repeated('"', '🦊', '"'),
  repeated('"', '\\ud800', '"'),
  repeated('[', '{"role":"user","content":"x"},', '{"role":"user","content":"x"}]'),
  repeated('[', '{"type":"text","text":"x"},', '{"type":"text","text":"x"}]'),
  counted('{', '"#":0,', '"z":0}'),
  counted('[', '{"id":"m#"},', '{"id":"m"}]'),
  counted('[', '{"index":#,"id":"c#","function":{"name":"f","arguments":"{}"}},', '{}]'),
);

const oddValue: fc.Arbitrary<Doc> = fc.oneof(
  fc.constantFrom<Doc>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    4e9,
    '',
    'auto',
    [],
    {},
    [[]],
    [null],
    [{}],
  ),
  fc
    .constantFrom('NaN', '1e999', '-0', '01', "'x'", '{"a":1,"a":2}', '{"__proto__":{"polluted":1}}', '')
    .map(written),
  hostileText,
  fc.dictionary(hostileName, hostileText, { maxKeys: 3 }),
);

/** A value that is expected nowhere. */
export const hostileValue: fc.Arbitrary<Doc> = fc.oneof(
  { weight: 5, arbitrary: oddValue },
  { weight: 1, arbitrary: hugeValue },
);

/** JSON text that holds the key. */
export const keyValue: fc.Arbitrary<Doc> = fc.constantFrom(
  written(['"', { key: true }, '"']),
  written(['"Incorrect API key: ', { key: true }, '."']),
  written(['{"authorization":"Bearer ', { key: true }, '"}']),
);

function mutationWith(value: fc.Arbitrary<Doc>): fc.Arbitrary<Mutation> {
  const how = fc.constantFrom<Mutation['how'][]>('replace', 'replace', 'add', 'add', 'remove', 'wrap');
  return fc.record({ at: fc.nat(200), how, name: hostileName, value });
}

/** Documents like `bases`, with up to three hostile changes. */
export function mutants(
  bases: fc.Arbitrary<Doc>,
  value: fc.Arbitrary<Doc> = hostileValue,
): fc.Arbitrary<Piece> {
  const mutations = fc.array(mutationWith(value), { maxLength: 3 });
  return fc.tuple(bases, mutations).map(([base, changes]) => jsonOf(mutated(base, changes)));
}

/** Bytes that are no document at all. */
export const junk: fc.Arbitrary<Piece> = fc.oneof(
  fc.constantFrom<Piece[]>(
    '',
    ' ',
    '{',
    'null',
    '"text"',
    '[]',
    '{"a":',
    '\uFEFF{}',
    '<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>',
    { hex: 'ff00fe01c3' },
    { hex: '1f8b0800000000000003' },
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ hex: Buffer.from(bytes).toString('hex') })),
  hugeValue.map((value) => jsonOf(value)),
  hostileText,
);
