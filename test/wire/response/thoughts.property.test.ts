import fc from '../../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import dialect from '../../../spec/dialect.json' with { type: 'json' };
import { splitThoughts, ThoughtSplitter } from '../../../src/wire/response/thoughts.ts';

const { tags } = dialect.thoughts;
const anyTag = fc.constantFrom(...tags);
const anyWord = fc.constantFrom(
  'a',
  ' ',
  '\n',
  '<',
  '</',
  '>',
  'think',
  '<think>',
  '</think>',
  '[',
  '[/THINK]',
  '😀',
  'hm',
);
const anyText = fc.array(anyWord, { maxLength: 8 }).map((words) => words.join(''));
const anyAnswer = fc.oneof(
  anyText,
  fc
    .record({
      tag: anyTag,
      before: fc.constantFrom('', '\n', '  '),
      inner: anyText,
      after: anyText,
      ends: fc.boolean(),
    })
    .map(
      ({ tag, before, inner, after, ends }) => before + tag.open + inner + (ends ? tag.close + after : ''),
    ),
);

describe('thoughts in tags', () => {
  it.each(tags)('between $open and $close are no text', ({ open, close }) => {
    expect(splitThoughts(`\n${open}Let me see.${close}\n\nFine.`)).toEqual({
      reasoning: 'Let me see.',
      text: 'Fine.',
    });
  });

  it.each([
    'Fine.',
    ' Fine.',
    'The tag <think>x</think> is no thought here.',
    '<thin',
    '<',
    '<b>think</b>',
    '`<think>`x</think>',
    '',
    '  \n',
  ])('are not found in %j', (text) => {
    expect(splitThoughts(text)).toEqual({ reasoning: '', text });
  });

  it('that do not end are all thoughts', () => {
    expect(splitThoughts('<think>Let me see </thin')).toEqual({ reasoning: 'Let me see </thin', text: '' });
  });

  it('are the same however the text is cut into pieces', () => {
    fc.assert(
      fc.property(
        anyAnswer,
        fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 40 }),
        (answer, sizes) => {
          const splitter = new ThoughtSplitter();
          let reasoning = '';
          let text = '';
          const take = (split: { reasoning: string; text: string }): void => {
            reasoning += split.reasoning;
            text += split.text;
          };
          let at = 0;
          for (let index = 0; at < answer.length; index += 1) {
            const size = sizes[index % sizes.length] ?? 1;
            take(splitter.add(answer.slice(at, at + size)));
            at += index % sizes.length === sizes.length - 1 ? Math.max(1, size) : size;
            if (size === 0 && index % sizes.length === sizes.length - 1)
              take(splitter.add(answer.slice(at - 1, at)));
          }
          take(splitter.end());
          expect({ reasoning, text }).toEqual(splitThoughts(answer));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each(['<think>' + '<'.repeat(400_000), ' '.repeat(400_000), '<think></' + 'x'.repeat(400_000)])(
    'are split in linear time',
    (text) => {
      const splitter = new ThoughtSplitter();
      let length = 0;
      for (const piece of [...Array.from(text, (sign) => splitter.add(sign)), splitter.end()])
        length += piece.reasoning.length + piece.text.length;
      expect(length).toBeGreaterThan(399_000);
    },
  );
});
