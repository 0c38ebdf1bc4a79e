import { describe, expect, it } from 'vitest';
import { isJsonObject, parseJson } from '../../../src/core/json.ts';
import { RepeatedChunk } from '../../../src/wire/response/repeated-chunk.ts';
import fc from '../../support/fast-check.ts';
import { bytesOf, readChunks, streamOf } from './streams.ts';

/** A chunk with the text `content`, and more in its delta, its choice and beside them. */
function chunkOf(content: unknown, delta: object = {}, choice: object = {}, beside: object = {}): string {
  const choices = [{ index: 0, delta: { content, ...delta }, finish_reason: null, ...choice }];
  return JSON.stringify({ id: 'x', model: 'the', choices, ...beside });
}

function numbered(number: number): string {
  return chunkOf('a', {}, {}, { number });
}

function learn(repeated: RepeatedChunk, json: string): RepeatedChunk {
  const chunk = parseJson(json);
  if (isJsonObject(chunk)) repeated.learn(chunk, json);
  return repeated;
}

function learnt(json: string): RepeatedChunk {
  return learn(new RepeatedChunk(), json);
}

describe('a chunk that differs from the learnt one', () => {
  it.each([
    ['in its text', ' world', ' world'],
    ['in a text with escapes', 'line\n\u0007 \\ é 🙂', 'line\n\u0007 \\ é 🙂'],
    ['in a text with quotes', '"say" "a\\"', '"say" "a\\"'],
    ['in having no text, which is read as usual', '', undefined],
  ])('%s', (_, text, found) => {
    expect(learnt(chunkOf('Hello')).textIn(chunkOf(text))).toBe(found);
  });

  it.each([
    ['in more than its text', chunkOf('a', { role: 'assistant' })],
    ['in its end', chunkOf('a', {}, { finish_reason: 'stop' })],
    ['in being cut', chunkOf('a').slice(0, -1)],
    ['in being cut within its text', chunkOf('a').slice(0, chunkOf('a').indexOf('"a"') + 2)],
    ['in a control character within its text', chunkOf('a').replace('"a"', '"a\nb"')],
    ['in an escape that is none', chunkOf('a').replace('"a"', String.raw`"\x"`)],
    ['in another field where its text was', chunkOf('a').replace('"a"', '"a","refusal":"b"')],
    ['in another field after a backslash', chunkOf('a').replace('"a"', String.raw`"\\\\","refusal":"b"`)],
    ['in another field in place of its text', chunkOf('a').replace('"a"', '"","refusal":"b"')],
  ])('%s is read as usual', (_, json) => {
    expect(learnt(chunkOf('Hello')).textIn(json)).toBeUndefined();
  });

  it('is found where the text stands twice', () => {
    const repeated = learnt(chunkOf('the', {}, {}, { object: 'the' }));
    expect(repeated.textIn(chunkOf('an', {}, {}, { object: 'the' }))).toBeUndefined();
    expect(repeated.textIn(chunkOf('the', {}, {}, { object: 'an' }))).toBeUndefined();
    expect(learnt(chunkOf('the')).textIn(chunkOf('an'))).toBe('an');
  });
});

describe('a chunk is not learnt', () => {
  it.each([
    ['with a finish reason', {}, { finish_reason: 'stop' }, {}],
    ['with probabilities', {}, { logprobs: { content: [{ token: 'a' }] } }, {}],
    ['with reasoning', { reasoning: 'b' }, {}, {}],
    ['with calls', { tool_calls: [{ index: 0, function: { name: 'f' } }] }, {}, {}],
    ['with other fields', { images: [{}] }, {}, {}],
    ['with usage', {}, {}, { usage: { prompt_tokens: 1 } }],
    ['of another choice', {}, { index: 1 }, {}],
    ['that is long', {}, {}, { system_fingerprint: 'x'.repeat(5000) }],
  ])('%s', (_, delta, choice, beside) => {
    const json = chunkOf('a', delta, choice, beside);
    expect(learnt(json).textIn(json)).toBeUndefined();
  });

  it('after four that no other repeated', () => {
    const repeated = new RepeatedChunk();
    for (const number of [1, 2, 3, 4]) learn(repeated, numbered(number));
    learn(repeated, numbered(5));
    expect(repeated.textIn(numbered(5))).toBeUndefined();
    // One that is repeated makes up for the others.
    expect(repeated.textIn(numbered(4))).toBe('a');
    learn(repeated, numbered(5));
    expect(repeated.textIn(numbered(5))).toBe('a');
  });
});

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'the',
    ' the',
    'x',
    '\n',
    '"',
    '\\',
    '<think>',
    '</think>',
    '🙂',
    '\ud83d',
    '\ude42',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
/** Few different chunks, so that many repeat others. */
const chunk = fc.record({
  content: fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 1, arbitrary: fc.constantFrom(null, 1, [{ text: 'a' }]) },
  ),
  delta: fc.constantFrom(
    {},
    {},
    {},
    { role: 'assistant' },
    { reasoning: 'r' },
    { reasoning: '' },
    { tool_calls: [] },
    { refusal: 'no' },
    { images: [{ url: 'u' }] },
  ),
  choice: fc.constantFrom(
    {},
    {},
    {},
    {},
    { logprobs: null },
    { logprobs: { content: [{ token: 'a' }] } },
    { index: 1 },
    { finish_reason: 'stop' },
  ),
  beside: fc.constantFrom(
    {},
    {},
    {},
    { usage: null },
    { usage: { prompt_tokens: 1, completion_tokens: 2 } },
    { object: 'the' },
  ),
});

describe('a stream', () => {
  it('has the same parts, whether its chunks repeat one another or not', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 40 }), (chunks) => {
        const read = (isNumbered: boolean): unknown => {
          const events = chunks.map(({ content, delta, choice, beside }, number) => {
            const more = isNumbered ? { ...beside, number } : beside;
            return `data: ${chunkOf(content, delta, choice, more)}`;
          });
          const { parts, end } = readChunks([bytesOf(streamOf(events))]);
          return { parts, kind: end.kind };
        };
        expect(read(false)).toEqual(read(true));
      }),
      { numRuns: 500 },
    );
  });
});
