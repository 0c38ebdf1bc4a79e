import { describe, expect, it } from 'vitest';
import { MOST } from '../../../src/wire/response/answer-bounds.ts';
import { ChunkReader } from '../../../src/wire/response/chat-chunk.ts';
import type { StreamEnd } from '../../../src/wire/response/stream-end.ts';
import { PartCollector } from '../../../src/wire/response/stream-part.ts';
import { readAnswer } from '../../../src/wire/response/whole-answer.ts';
import { bytesOf } from './streams.ts';

function times<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

const call = (index: number): object => ({ id: `c${index}`, function: { name: 'f', arguments: '{}' } });

function callsWith(count: number, text: string): object {
  return {
    tool_calls: times(count, (index) => ({ id: `c${index}`, function: { name: 'f', arguments: text } })),
  };
}

/** A message that holds as many of something as `count` says. */
const MESSAGES: Readonly<Record<string, (count: number) => object>> = {
  toolCalls: (count) => ({ tool_calls: times(count, call) }),
  contentParts: (count) => ({ content: times(count, () => ({ type: 'text', text: 'a' })) }),
  extraFields: (count) => Object.fromEntries(times(count, (index) => [`x${index}`, 'a'])),
  extraEntries: (count) => ({ images: times(count, () => 1) }),
};

/** By a bound: the JSON text of an answer with more than that, and what is said of it. */
const EXCESSES: readonly (readonly [what: string, text: () => string, said: string])[] = [
  ['nesting', () => `{"choices":[{"message":{"content":"a","x":${nested(300)}}}]}`, '256 levels of nesting'],
  ['values', () => `{"choices":[${'0,'.repeat(MOST.values)}0]}`, '500000 values'],
  ['choices', () => JSON.stringify({ choices: times(1001, () => ({ message: {} })) }), '1000 choices'],
  ['tool calls', () => answerWith(MESSAGES['toolCalls']?.(10_001)), '10000 tool calls'],
  ['arguments', () => answerWith(callsWith(3, 'a'.repeat(1_500_000))), '4194304 characters of arguments'],
  [
    'values in arguments',
    () => answerWith(callsWith(2, `[${'0,'.repeat(50_000)}0]`)),
    '100000 values in its arguments',
  ],
  ['nested arguments', () => answerWith(callsWith(1, nested(300))), '256 levels of nesting'],
  ['parts', () => answerWith(MESSAGES['contentParts']?.(10_001)), '10000 parts of its content'],
  ['fields', () => answerWith(MESSAGES['extraFields']?.(10_001)), '10000 fields'],
];

function answerWith(message: unknown): string {
  return JSON.stringify({ choices: [{ message, finish_reason: 'stop' }] });
}

function eventOf(delta: unknown): string {
  return `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`;
}

function read(body: string): { readonly end: StreamEnd; readonly collector: PartCollector } {
  const reader = new ChunkReader({ maxLength: MOST.eventCharacters });
  const collector = new PartCollector();
  for (const part of reader.read(bytesOf(body))) collector.add(part);
  const end = reader.end();
  for (const part of end.parts) collector.add(part);
  return { end, collector };
}

function problemOf(said: string, what: string): object {
  return { ok: false, problem: 'too_large', message: `the ${what} had more than ${said}, which is not read` };
}

describe('an answer beyond a bound', () => {
  it.each(EXCESSES)('is refused whole: %s', (_, text, said) => {
    expect(readAnswer(text())).toEqual(problemOf(said, 'answer'));
  });

  it.each(EXCESSES)('is refused as an event: %s', (_, text, most) => {
    const said = most.replace('500000 values', '100000 values');
    const body = `data: ${text().replace('"message"', '"delta"')}\n\ndata: [DONE]\n\n`;
    expect(read(body).end).toMatchObject({ kind: 'refused', refusal: problemOf(said, 'stream') });
  });

  it.each([
    ['tool calls', (index: number) => ({ tool_calls: [call(index)] }), 10_001, '10000 tool calls'],
    ['fields', (index: number) => ({ [`x${index}`]: 1 }), 10_001, '10000 other fields'],
    [
      'fields of calls',
      (index: number) => ({ tool_calls: [{ ...call(0), [`x${index}`]: 1 }] }),
      10_001,
      '10000 other fields',
    ],
    ['entries', () => MESSAGES['extraEntries']?.(50_000), 5, '200000 entries in lists of other fields'],
    ['characters', () => ({ content: 'a'.repeat(4_000_000) }), 5, '16777216 characters'],
    ['arguments', () => callsWith(1, 'a'.repeat(1_000_000)), 5, '4194304 characters of arguments'],
  ])('is refused where its pieces add up: %s', (_, delta, count, said) => {
    const { end } = read(times(count, (index) => eventOf(delta(index))).join(''));
    expect(end).toMatchObject({ kind: 'refused', refusal: problemOf(said, 'stream') });
  });

  it('is refused if its lines are too many', () => {
    const lines = 'data: {}\n'.repeat(MOST.eventLines + 1);
    const refusal = problemOf('100000 lines', 'stream');
    const message = 'the stream had an event of more than 100000 lines, which is not read';
    expect(read(`${lines}data: {\n\n`).end).toMatchObject({
      kind: 'refused',
      refusal: { ...refusal, message },
    });
  });

  it('is refused if its bytes are too many', () => {
    const reader = new ChunkReader();
    const comments = bytesOf(`:${' '.repeat(1_048_574)}\n`);
    for (let sent = 0; sent < MOST.streamBytes; sent += comments.length) reader.read(comments);
    expect(reader.isOver).toBe(false);
    reader.read(bytesOf('\n'));
    expect(reader.end()).toMatchObject({ refusal: problemOf('134217728 bytes', 'stream') });
  });
});

describe('an answer within the bounds', () => {
  it.each(Object.entries(MESSAGES).filter(([name]) => name !== 'extraEntries'))(
    'is read: %s',
    (_, message) => {
      const most = { ...message(9999), refusal: 'No.' };
      expect(readAnswer(answerWith(most))).toMatchObject({ ok: true });
      expect(read(`${eventOf(most)}data: [DONE]\n\n`).end).toMatchObject({ kind: 'finished' });
    },
  );

  it('may be nested', () => {
    const deep = `{"choices":[{"message":{"content":"a","x":${nested(250)}}}]}`;
    expect(readAnswer(deep)).toMatchObject({ ok: true });
  });
});

/** Each took minutes while every piece copied what came before. */
const PIECES: Readonly<Record<string, (index: number) => object>> = {
  'a field of a call': (index) => ({ tool_calls: [{ ...call(0), [`x${index % 9000}`]: index }] }),
  'a member of a field': (index) => ({ x: { [`x${index}`]: index } }),
  'a member of a large field': (index) => ({
    x: index === 0 ? MESSAGES['extraFields']?.(9000) : { x1: 'b' },
  }),
  'a member of a block of reasoning': (index) => ({
    reasoning_details: [{ index: 0, type: 'reasoning.text', text: 'a', [`x${index}`]: index }],
  }),
};

describe('an answer in 15,000 pieces', () => {
  it.each(Object.entries(PIECES))('costs no more than its size: %s', (_, piece) => {
    const events = times(15_000, (index) => eventOf(piece(index)));
    const { end, collector } = read(`${events.join('')}data: [DONE]\n\n`);
    expect(['finished', 'refused']).toContain(end.kind);
    expect(JSON.stringify(collector.raw()).length).toBeGreaterThan(20_000);
  });

  it('leaves the pieces unchanged', () => {
    const pieces = [{ x: { a: { b: 'c' } } }, { x: { a: { b: 'd' } } }, { x: { a: { b: 'e' } } }];
    const collector = new PartCollector();
    for (const fields of pieces) collector.add({ type: 'extra', fields });
    const before = collector.raw();
    expect(before).toMatchObject({ choices: [{ message: { x: { a: { b: 'cde' } } } }] });
    collector.add({ type: 'extra', fields: { x: { a: { b: 'f' }, ['__proto__']: 1 } } });
    expect(before).toMatchObject({ choices: [{ message: { x: { a: { b: 'cde' } } } }] });
    expect(pieces).toEqual([{ x: { a: { b: 'c' } } }, { x: { a: { b: 'd' } } }, { x: { a: { b: 'e' } } }]);
  });
});
