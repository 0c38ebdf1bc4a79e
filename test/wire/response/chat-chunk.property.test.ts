import fc from '../../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { readChatResponse } from '../../../src/wire/response/chat-response.ts';
import { PartCollector, type StreamPart } from '../../../src/wire/response/stream-part.ts';
import { bytesOf, readChunks, SAMPLES, streamOf } from './streams.ts';

const LINE_ENDS = ['\n', '\r\n', '\r'] as const;

/** The samples with every kind of line end, with and without the blank line after the last event. */
const bodies = Object.entries(SAMPLES).flatMap(([name, { events, parts }]) =>
  LINE_ENDS.flatMap((lineEnd) => {
    const body = streamOf(events, lineEnd);
    const bodyWithoutEnd = body.slice(0, -2 * lineEnd.length);
    return [body, bodyWithoutEnd, `\uFEFF${body}`].map((text) => ({ name, bytes: bytesOf(text), parts }));
  }),
);
const anyBody = fc.constantFrom(...bodies);

/** Slices at arbitrary, possibly equal places. */
function slices(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return cuts.map((cut, index) => bytes.subarray(cut, cuts[index + 1] ?? bytes.length));
}

const anyPlaces = fc.array(fc.nat(), { maxLength: 40 });

function textOf(parts: readonly StreamPart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function collect(parts: readonly StreamPart[]): unknown {
  const collector = new PartCollector();
  for (const part of parts) collector.add(part);
  return collector.answer();
}

describe('a stream, however its bytes are sliced,', () => {
  it('has the same parts', () => {
    fc.assert(
      fc.property(anyBody, anyPlaces, ({ bytes, parts }, places) => {
        expect(readChunks(slices(bytes, places)).parts).toEqual(parts);
      }),
      { numRuns: 150 },
    );
  });

  it.each(bodies)('has the same parts in single bytes: $name', ({ bytes, parts }) => {
    expect(readChunks(Array.from(bytes, (byte) => Uint8Array.of(byte))).parts).toEqual(parts);
  });
});

describe('a stream that is cut', () => {
  it.each(bodies)('has no parts that the whole one lacks: $name', ({ bytes, parts }) => {
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = readChunks([bytes.subarray(0, length)]);
      if (cut.end.kind === 'finished') expect(textOf(cut.parts)).toBe(textOf(parts));
      else expect(cut.parts).toEqual(parts.slice(0, cut.parts.length));
      // A byte order mark alone is not yet a stream.
      if (length > 3 && cut.end.kind === 'refused') expect(cut.end.refusal.problem).toBe('error');
    }
  });
});

/** Arbitrary bytes with valid fragments. */
const garbage = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc
      .constantFrom(
        'data: ',
        'event: error\n',
        '\n',
        '\r',
        '\r\n\r\n',
        ': x\n',
        'data: [DONE]\n\n',
        '{',
        '"',
        '\uFEFF',
      )
      .map(bytesOf),
    anyBody.chain(({ bytes }) =>
      fc
        .tuple(fc.nat(bytes.length), fc.nat(300))
        .map(([start, length]) => bytes.subarray(start, start + length)),
    ),
  ),
  { maxLength: 20 },
);

/** JSON chunks of arbitrary shapes. */
const strangeChunk = fc.oneof(
  fc.jsonValue(),
  fc.jsonValue().map((value) => ({ choices: value, usage: value, error: null })),
  fc.jsonValue().map((value) => ({ choices: [value] })),
  fc.jsonValue().map((value) => ({ choices: [{ delta: value, finish_reason: value, index: value }] })),
  fc.jsonValue().map((value) => ({
    choices: [
      {
        delta: {
          content: value,
          reasoning: value,
          reasoning_details: value,
          tool_calls: value,
          images: value,
        },
      },
    ],
  })),
  fc.jsonValue().map((value) => ({
    choices: [
      { delta: { tool_calls: [{ index: value, id: value, function: value, extra_content: value }] } },
    ],
  })),
  fc.jsonValue().map((value) => ({
    choices: [
      { delta: { tool_calls: [{ function: { name: value, arguments: value } }] }, finish_reason: 'stop' },
    ],
  })),
  fc.jsonValue().map((value) => ({ error: { message: value, code: value } })),
);

describe('a body of garbage', () => {
  it('throws nothing and reads the same however it is sliced', () => {
    fc.assert(
      fc.property(garbage, anyPlaces, (found, places) => {
        const bytes = Uint8Array.from(found.flatMap((piece) => [...piece]));
        const { parts, end } = readChunks([bytes]);
        expect(['finished', 'cut', 'refused']).toContain(end.kind);
        const sliced = readChunks(slices(bytes, places));
        expect(sliced).toEqual({ parts, end });
      }),
      { numRuns: 250 },
    );
  });

  it('of JSON throws nothing and has valid parts', () => {
    fc.assert(
      fc.property(fc.array(strangeChunk, { maxLength: 6 }), (chunks) => {
        const { parts, end } = readChunks([bytesOf(streamOf(chunks))]);
        expect(['finished', 'cut', 'refused']).toContain(end.kind);
        for (const part of parts) {
          if (part.type === 'text' || part.type === 'reasoning') expect(part.text).not.toBe('');
          if (part.type === 'tool-call') expect(typeof part.argumentsDelta).toBe('string');
        }
      }),
      { numRuns: 250 },
    );
  });
});

interface Call {
  readonly id: string | undefined;
  readonly name: string;
  readonly arguments: string;
  readonly extra: object | undefined;
}

interface Answer {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly Call[];
  readonly finish: string;
}

const signed = { extra_content: { google: { thought_signature: 's' } } };
const call: fc.Arbitrary<Call> = fc.record({
  id: fc.option(fc.uuid(), { nil: undefined }),
  name: fc.constantFrom('weather', 'clock'),
  arguments: fc.json().map((json) => `{"value":${json}}`),
  extra: fc.constantFrom(signed, undefined),
});

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('', ' ', '\n\n'));
const answer: fc.Arbitrary<Answer> = fc.record({
  text,
  reasoning: text,
  calls: fc.oneof(fc.constant([]), fc.array(call, { maxLength: 3 })),
  finish: fc.constantFrom('stop', 'length', 'MAX_TOKENS', 'tool_calls', 'content_filter', 'error', 'other'),
});

const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 11 };

function wholeOf({ text: content, reasoning, calls, finish }: Answer): string {
  const toolCalls = calls.map(({ id = '', name, arguments: given, extra }) => ({
    id,
    type: 'function',
    function: { name, arguments: given },
    ...extra,
  }));
  const message = { role: 'assistant', content, reasoning, tool_calls: toolCalls };
  return JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }], usage });
}

/** A text in pieces of some UTF-16 code units, which may halve characters. */
function pieces(content: string, size: number): readonly string[] {
  return Array.from({ length: Math.ceil(content.length / size) }, (_, index) =>
    content.slice(index * size, (index + 1) * size),
  );
}

/** How providers send the deltas of a call. */
const DIALECTS: Readonly<Record<string, (given: Call, index: number, size: number) => readonly object[]>> = {
  numbered: ({ id, name, arguments: given, extra }, index, size) => [
    { index, id, type: 'function', function: { name, arguments: '' } },
    ...pieces(given, size).map((piece) => ({ index, function: { arguments: piece } })),
    ...(extra === undefined ? [] : [{ index, ...extra }]),
  ],
  whole: ({ id, name, arguments: given, extra }) => [
    { id: id ?? '', type: 'function', function: { name, arguments: given }, ...extra },
  ],
  'numbered by drifting texts': ({ id, name, arguments: given, extra }, index, size) => [
    { index: String(index), id, type: 'function', function: { name, arguments: '' } },
    ...pieces(given, size).map((piece, at) => ({
      index: String(index + at),
      function: { arguments: piece },
    })),
    ...(extra === undefined ? [] : [{ index, ...extra }]),
  ],
  'repeated whole': ({ id, name, arguments: given, extra }, index, size) => [
    { index, id, type: 'function', function: { name, arguments: '' } },
    ...pieces(given, size).map((piece) => ({ index, function: { arguments: piece } })),
    { index, id, type: 'function', function: { name, arguments: given }, ...extra },
  ],
  'identified by order': ({ id, name, arguments: given, extra }, _, size) => [
    { id, type: 'function', function: { name, arguments: '' }, ...extra },
    ...pieces(given, size).map((piece) => ({ function: { arguments: piece } })),
  ],
};

function streamedOf(given: Answer, dialect: string, size: number): string {
  const deltas: object[] = [
    ...pieces(given.reasoning, size).map((reasoning) => ({ reasoning, content: '' })),
    ...pieces(given.text, size).map((content) => ({ content })),
    ...given.calls
      .flatMap((one, index) => DIALECTS[dialect]?.(one, index, size) ?? [])
      .map((delta) => ({ tool_calls: [delta] })),
  ];
  return streamOf([
    ...deltas.map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: given.finish }] },
    { choices: [], usage },
    'data: [DONE]',
  ]);
}

describe.each(Object.keys(DIALECTS))('an answer whose calls are %s', (dialect) => {
  it('is the same streamed or whole', () => {
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 9 }), (given, size) => {
        const whole = readChatResponse(wholeOf(given));
        const { parts, end } = readChunks([bytesOf(streamedOf(given, dialect, size))]);
        if (whole.ok) {
          const { raw: _, ...completion } = whole.completion;
          expect(end.kind).toBe('finished');
          expect(collect(parts)).toEqual(completion);
        } else {
          expect(end).toMatchObject({ kind: 'refused', refusal: { problem: whole.problem } });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never halves a character', () => {
    fc.assert(
      fc.property(answer, (given) => {
        const { parts } = readChunks([bytesOf(streamedOf(given, dialect, 1))]);
        const texts = parts.map((part) => (part.type === 'text' ? part.text : ''));
        expect(texts.filter((piece) => /\p{Cs}/u.test(piece))).toEqual([]);
      }),
    );
  });
});
