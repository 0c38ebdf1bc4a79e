import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { CallGate } from '../../../src/wire/repair/call-gate.ts';
import { writtenCalls } from '../../../src/wire/repair/written-calls.ts';
import { declaredForVectors as tools } from '../../vectors/repair.ts';

const vectors = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        input: z.object({ text: z.string() }),
        expect: z.object({ kind: z.string() }),
      }),
    ),
  })
  .parse(
    JSON.parse(readFileSync(new URL('../../../spec/vectors/written-calls.json', import.meta.url), 'utf8')),
  ).cases;

/** Streams a text in pieces of one length through a gate. */
function stream(text: string, length: number): { released: string; kind: string } {
  const gate = new CallGate(tools);
  let released = '';
  for (let at = 0; at < text.length; at += length) released += gate.add(text.slice(at, at + length));
  const { kind } = gate.end();
  return { released: kind === 'prose' ? released + gate.open() : released, kind };
}

describe.each([1, 3, 7, 1000])('a text in pieces of %i characters', (length) => {
  it.each(vectors.map(({ name, input }) => [name, input.text] as const))(
    '%s: is judged as a whole one',
    (_name, text) => {
      const whole = writtenCalls(text, tools);
      const { released, kind } = stream(text, length);
      expect(kind).toBe(whole.kind);
      if (whole.kind === 'prose') expect(released).toBe(text);
      if (whole.kind === 'calls') expect(released.trim()).toBe(whole.text);
    },
  );
});

describe('a text that is no call', () => {
  it.each([
    ['Hello', 1],
    ['The weather is fine.', 4],
    ['```python\nprint(1)\n```', 10],
    ['{"answer": 1}', 4],
    ['[1, 2]', 6],
    ['<think>hm</think>Fine.', 20],
  ])('%j begins to be released after %i characters at the latest', (text, characters) => {
    const gate = new CallGate(tools);
    const released = Array.from(text.slice(0, characters + 1), (piece) => gate.add(piece));
    expect(released.join('')).not.toBe('');
  });

  it('is released from its beginning on when it has a marker in its middle', () => {
    const gate = new CallGate(tools);
    expect(gate.add('I will look.\n<tool_')).toBe('I will look.\n');
    expect(gate.add('box> is closed')).toBe('<tool_box> is closed');
  });
});

describe('a long text', () => {
  it.each([
    ['markers', '<tool_call>', 'prose'],
    ['quoted markers', '`<tool_call>` ', 'prose'],
    ['opened tags', '<tool_call>{"name": "search", "arguments": {"q": "x"}', 'broken'],
    ['brackets', '[{', 'prose'],
    ['calls', 'search(q="x")\n', 'prose'],
    ['tokens', '[TOOL_CALLS]search{', 'broken'],
    ['fences', '```json\n{"name": "search",\n', 'prose'],
    ['tagged arguments', '<function=search><parameter=q>', 'calls'],
  ])('of %s is read without delay', (_what, piece, kind) => {
    const text = piece.repeat(Math.ceil(250_000 / piece.length));
    expect(writtenCalls(text, tools).kind).toBe(kind);
    expect(stream(text, 5000).kind).toBe(kind);
  });
});
