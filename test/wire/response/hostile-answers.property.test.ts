import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../src/core/json.ts';
import { classifyAnswer } from '../../../src/providers/refusals/classify.ts';
import { ChunkReader } from '../../../src/wire/response/chat-chunk.ts';
import { PartCollector } from '../../../src/wire/response/stream-part.ts';
import { readAnswer } from '../../../src/wire/response/whole-answer.ts';
import fc from '../../support/fast-check.ts';
import { bytesOf } from './streams.ts';

/** Where in an answer, and in a chunk, a value may stand. */
const PATHS: readonly string[] = [
  '',
  'choices',
  'choices.0',
  'choices.0.index',
  'choices.0.finish_reason',
  'choices.0.delta',
  'choices.0.message',
  'choices.0.text',
  ...['message', 'delta'].flatMap((message) =>
    [
      'content',
      'content.0',
      'content.0.text',
      'content.0.thinking',
      'refusal',
      'reasoning',
      'reasoning_content',
      'reasoning_details',
      'reasoning_details.0',
      'reasoning_details.0.text',
      'images',
      'audio',
      'function_call',
      'tool_calls',
      'tool_calls.0',
      'tool_calls.0.id',
      'tool_calls.0.index',
      'tool_calls.0.function',
      'tool_calls.0.function.name',
      'tool_calls.0.function.arguments',
      'tool_calls.0.extra_content',
      '__proto__',
    ].map((name) => `choices.0.${message}.${name}`),
  ),
  'usage',
  'usage.prompt_tokens',
  'usage.cost',
  'usage.cost_details',
  'x_groq.usage',
  'model',
  'id',
  'error',
  'error.message',
  'error.metadata.raw',
  'errors',
  'candidates',
  'promptFeedback',
];

const large = fc.oneof(
  fc.integer({ min: 1, max: 3000 }).map((length) => Array.from({ length }, () => ({ a: 1 }))),
  fc.integer({ min: 1, max: 3000 }).map((length) => 'a\ud83d\u0000'.repeat(length)),
  fc
    .integer({ min: 1, max: 2000 })
    .map((depth): unknown => JSON.parse(`${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`)),
  fc
    .integer({ min: 1, max: 3000 })
    .map((count) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]))),
);
const anyValue = fc.oneof({ weight: 5, arbitrary: fc.jsonValue() }, { weight: 1, arbitrary: large });
const choice = fc.record({
  index: fc.constant(0),
  delta: fc.constant({ content: 'a' }),
  message: fc.constant({ content: 'a' }),
});
const anyAnswer = fc
  .tuple(fc.constantFrom(...PATHS), anyValue, choice)
  .map(([path, value, first]) => placed({ choices: [first] }, path.split('.'), value));

/** `value` at a path of `json`. */
function placed(json: unknown, [step = '', ...rest]: readonly string[], value: unknown): unknown {
  if (step === '') return value;
  if (step === '0') return [placed(Array.isArray(json) ? json[0] : undefined, rest, value)];
  const members = isJsonObject(json) ? json : {};
  const inner = placed(Object.hasOwn(members, step) ? members[step] : undefined, rest, value);
  return Object.fromEntries([...Object.entries(members), [step, inner]]);
}

const classified = (body: string, answer: ReturnType<typeof readAnswer>): void => {
  if (answer.ok) return;
  const failure = classifyAnswer(
    answer,
    { status: 200, headers: {}, body },
    { spec: { refusals: [] }, now: 0 },
  );
  expect(failure.message).not.toBe('');
};

describe('any JSON value anywhere in an answer', () => {
  it('is read or refused whole', () => {
    fc.assert(
      fc.property(anyAnswer, (json) => {
        const body = JSON.stringify(json);
        const answer = readAnswer(body);
        expect([true, false]).toContain(answer.ok);
        classified(body, answer);
      }),
    );
  });

  it('is read or refused in a stream, also in pieces', () => {
    fc.assert(
      fc.property(
        fc.array(anyAnswer, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 9000 }),
        (chunks, size) => {
          const body = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('');
          const bytes = bytesOf(`${body}data: [DONE]\n\n`);
          const reader = new ChunkReader();
          const collector = new PartCollector();
          for (let start = 0; start < bytes.length; start += size)
            for (const part of reader.read(bytes.subarray(start, start + size))) collector.add(part);
          const end = reader.end();
          for (const part of end.parts) collector.add(part);
          expect(JSON.stringify(collector.raw())).toContain('"choices"');
          if (end.kind === 'refused') classified(end.body, end.refusal);
        },
      ),
    );
  });

  it('is read or refused as any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom('[', '{"a":', '{}\n', 'data:\n', '\r', ':', '"').map((text) => text.repeat(5000)),
        ),
        (text) => {
          classified(text, readAnswer(text));
          const reader = new ChunkReader();
          reader.read(bytesOf(text));
          expect(['finished', 'refused', 'cut']).toContain(reader.end().kind);
        },
      ),
    );
  });
});
