import { describe, expect, it } from 'vitest';
import {
  ProviderSimulator,
  type Continuation,
  type ProviderName,
  type ProviderOptions,
  type ReplyRequest,
} from '../../src/testing.ts';
import { ask, read } from './support.ts';

const NAMES: readonly ProviderName[] = ['openrouter', 'google', 'nim', 'custom'];
const TEXT = 'It was a dark and stormy night; the rain fell in torrents.\n\nExcept at 🙂 intervals.';
const TOKENS = TEXT.match(/\s*\S+/g) ?? [];
const QUESTION = { role: 'user', content: 'How does it begin?' };

function simulate(name: ProviderName, options: ProviderOptions = {}): ProviderSimulator {
  return new ProviderSimulator(name, {
    models: [{ id: 'acme/one:free', lacks: [] }],
    limits: { rpm: 1000, rpd: 1000 },
    reply: () => TEXT,
    ...options,
  });
}

/** A conversation with the unfinished answer `begun`. */
const prefilled = (begun: string): object[] => [QUESTION, { role: 'assistant', content: begun }];
const instructed = (begun: string): object[] => [
  ...prefilled(begun),
  { role: 'user', content: 'Continue exactly where you stopped. Repeat nothing.' },
];

function rest(provider: ProviderSimulator, messages: readonly object[]): string {
  return read(provider, { fields: { messages } }).said;
}

describe('a model that continues an answer', () => {
  it.each(NAMES)('does so faithfully on %s, from any token, with either kind of request', (name) => {
    const provider = simulate(name);
    for (let count = 1; count <= TOKENS.length; count += 1) {
      const begun = TOKENS.slice(0, count).join('');
      expect(begun + rest(provider, prefilled(begun))).toBe(TEXT);
      expect(begun + rest(provider, instructed(begun))).toBe(TEXT);
    }
  });

  it('does so without streaming', () => {
    const messages = prefilled('It was a dark');
    expect(ask(simulate('nim'), { fields: { messages } }).json).toMatchObject({
      choices: [{ message: { content: TEXT.slice(13) } }],
      usage: { completion_tokens: Math.ceil((TEXT.length - 13) / 4) },
    });
  });

  it.each<[Continuation, string]>([
    ['faithful', ' stormy night;'],
    ['repeats-last-words', 'a dark and stormy night;'],
    ['starts-over', 'It was a dark and stormy night;'],
    ['refuses-prefill', ' stormy night;'],
  ])('with `%s` continues with "%s"', (continues, begins) => {
    const byModel = simulate('custom', { models: [{ id: 'acme/one:free', continues }] });
    const byProvider = simulate('custom', { continues });
    const end = TEXT.slice(TEXT.indexOf(' the rain'));
    for (const provider of [byModel, byProvider]) {
      expect(rest(provider, instructed('It was a dark and'))).toBe(begins + end);
    }
  });

  it('repeats at most the whole beginning', () => {
    expect(rest(simulate('custom', { continues: 'repeats-last-words' }), prefilled('It'))).toBe(TEXT);
  });

  it('refuses a prefill if it lacks the capability or is set to refuse it', () => {
    const messages = prefilled('It was');
    const google = new ProviderSimulator('google', { reply: () => TEXT });
    const refused = ask(google, { model: 'gemini-3.6-flash', fields: { messages, stream: true } });
    expect([refused.status, refused.text.includes('Requests ending with a model turn')]).toEqual([400, true]);
    const model = 'gemini-3.5-flash';
    expect(read(google, { model, fields: { messages } }).said).toBe(TEXT.slice(6));
    for (const continues of ['refuses-prefill', 'faithful'] as const) {
      const nim = simulate('nim', { continues });
      expect(ask(nim, { fields: { messages } }).status).toBe(continues === 'faithful' ? 200 : 500);
    }
  });

  it('sends a reply with another beginning unchanged', () => {
    expect(rest(simulate('custom'), prefilled('Once upon a time'))).toBe(TEXT);
    const reply = ({ continuing }: ReplyRequest): object => ({ text: continuing ? ' of my own' : TEXT });
    expect(rest(simulate('custom', { reply }), prefilled('It was'))).toBe(' of my own');
  });

  it('does not change tool calls', () => {
    const provider = simulate('custom', { reply: () => ({ toolCalls: [{ name: 'look', arguments: {} }] }) });
    expect(read(provider, { fields: { messages: prefilled('Let me') } }).text).toContain('"name":"look"');
  });
});

/** The argument of `reply` for these messages. */
function seen(messages: readonly object[]): Pick<ReplyRequest, 'continuing' | 'lastUserText'> {
  let found: ReplyRequest | undefined;
  const reply = (request: ReplyRequest): string => {
    found = request;
    return 'x';
  };
  ask(simulate('custom', { reply }), { fields: { messages } });
  return { continuing: found?.continuing, lastUserText: found?.lastUserText ?? '' };
}

describe('a custom reply', () => {
  it('receives the question and the unfinished answer', () => {
    const heard = { continuing: 'It was', lastUserText: 'How does it begin?' };
    expect(seen(prefilled('It was'))).toEqual(heard);
    expect(seen(instructed('It was'))).toEqual(heard);
    const parts = [{ type: 'text', text: 'It was' }];
    expect(seen([QUESTION, { role: 'assistant', content: parts }])).toEqual(heard);
  });

  it.each<[string, object[]]>([
    ['a first question', [QUESTION]],
    ['a next question', [...prefilled('So.'), { role: 'user', content: 'How does it begin?' }]],
    [
      'a call that has its result',
      [QUESTION, { role: 'assistant', tool_calls: [] }, { role: 'tool', content: '1' }],
    ],
    ['an assistant that has said nothing yet', [QUESTION, { role: 'assistant', content: '' }]],
  ])('receives no unfinished answer for %s', (_, messages) => {
    expect(seen(messages)).toEqual({ continuing: undefined, lastUserText: 'How does it begin?' });
  });

  it('receives "continue" as a question if there is no unfinished answer', () => {
    expect(seen([{ role: 'user', content: 'Continue' }])).toEqual({
      continuing: undefined,
      lastUserText: 'Continue',
    });
  });
});

it('another model continues an echo under the name of the first one', () => {
  const [first, second] = [new ProviderSimulator('custom'), new ProviderSimulator('nim')];
  first.script({ kind: 'cut', afterTokens: 2 });
  const begun = read(first).said;
  const messages = prefilled(begun);
  expect(begun + read(second, { model: 'poolside/laguna-xs-2.1', fields: { messages } }).said).toBe(
    'custom-large heard: How does it begin?',
  );
});
