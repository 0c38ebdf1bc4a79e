import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type ProviderName, type ReplyDetails } from '../../src/testing.ts';
import { at, NOON, parsed, partly, read, textLike } from './support.ts';

const NAMES: readonly ProviderName[] = ['openrouter', 'google', 'nim', 'custom'];
const created = NOON / 1000;
const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };
const jsonOf = (event: string): unknown => (event.startsWith('data: {') ? parsed(event.slice(6)) : event);
const WANTS_USAGE = { stream_options: { include_usage: true } };

function simulate(name: ProviderName, reply: string | ReplyDetails = 'One two three'): ProviderSimulator {
  return new ProviderSimulator(name, { models: [{ id: 'acme/one:free', lacks: [] }], reply: () => reply });
}

const openrouterChunk = (delta: object, reason: string | null = null): object => ({
  id: textLike(/^gen-\d+-0+1$/),
  object: 'chat.completion.chunk',
  created,
  model: 'acme/one:free',
  provider: 'Simulated',
  choices: [{ index: 0, delta, finish_reason: reason, native_finish_reason: reason }],
});

const googleChunk = (choice: object, spent: number): object => ({
  choices: [{ ...choice, index: 0 }],
  created,
  id: 'simulated-1',
  model: 'acme/one:free',
  object: 'chat.completion.chunk',
  usage: { prompt_tokens: 2, completion_tokens: spent, total_tokens: 2 + spent },
});

const nimChunk = (said: object, reason: string | null = null): object => ({
  id: textLike(/^chatcmpl-0+1$/),
  object: 'chat.completion.chunk',
  created,
  model: 'acme/one:free',
  choices: [
    {
      index: 0,
      delta: { role: null, content: null, reasoning_content: null, tool_calls: null, ...said },
      logprobs: null,
      finish_reason: reason,
      matched_stop: reason === null ? null : 1,
    },
  ],
  usage: null,
});

const customChunk = (delta: object, reason: string | null = null): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created,
  model: 'acme/one:free',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  usage: null,
});

describe('a stream', () => {
  it('of OpenRouter: comments, the role in every delta, the finish twice, the usage with the second', () => {
    const { status, headers, events } = read(simulate('openrouter', 'One two three'));
    expect([status, headers]).toEqual([
      200,
      {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-cache',
        'X-Generation-Id': textLike(/^gen-/),
      },
    ]);
    expect(events.map(jsonOf)).toEqual([
      ': OPENROUTER PROCESSING',
      ': OPENROUTER PROCESSING',
      openrouterChunk({ content: 'One', role: 'assistant' }),
      openrouterChunk({ content: ' two', role: 'assistant' }),
      openrouterChunk({ content: ' three', role: 'assistant' }),
      ': OPENROUTER PROCESSING',
      openrouterChunk({ content: '', role: 'assistant' }, 'stop'),
      {
        ...openrouterChunk({ content: '', role: 'assistant' }, 'stop'),
        usage: { ...usage, completion_tokens: 4, total_tokens: 6, cost: 0, is_byok: false },
      },
      'data: [DONE]',
    ]);
  });

  it('of OpenRouter has comments between its chunks, too', () => {
    const { events } = read(simulate('openrouter', 'word '.repeat(20)));
    const comments = events.flatMap((event, index) => (event.startsWith(':') ? [index] : []));
    expect(comments).toEqual([0, 1, 10, 19, 25]);
  });

  it('of Google: the usage so far in every chunk, even without a request', () => {
    const { headers, events, chunks } = read(simulate('google', 'One two three'));
    expect(headers).toMatchObject({ 'Content-Type': 'text/event-stream', Vary: 'Origin' });
    expect(chunks).toEqual([
      googleChunk({ delta: { content: 'One', role: 'assistant' } }, 2),
      googleChunk({ delta: { content: ' two', role: 'assistant' } }, 3),
      googleChunk({ delta: { content: ' three', role: 'assistant' } }, 4),
      googleChunk({ delta: { content: '', role: 'assistant' }, finish_reason: 'stop' }, 4),
    ]);
    expect(events.at(-1)).toBe('data: [DONE]');
  });

  it('of NIM: every field in every chunk, the usage in a last one without choices', () => {
    const { headers, events, chunks } = read(simulate('nim', 'One two'), { fields: WANTS_USAGE });
    expect(headers).toEqual({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      'nvcf-reqid': textLike(/^[0-9a-f-]{36}$/),
      'nvcf-status': 'fulfilled',
    });
    expect(chunks).toEqual([
      nimChunk({ role: 'assistant', content: '' }),
      nimChunk({ content: 'One' }),
      nimChunk({ content: ' two' }),
      nimChunk({}, 'stop'),
      partly({
        choices: [],
        usage: {
          prompt_tokens: 2,
          completion_tokens: 2,
          total_tokens: 4,
          prompt_tokens_details: null,
          reasoning_tokens: 0,
        },
      }),
    ]);
    expect(events.at(-1)).toBe('data: [DONE]');
  });

  it('of a custom endpoint: plain OpenAI', () => {
    const { headers, events, chunks } = read(simulate('custom', 'One two'), { fields: WANTS_USAGE });
    expect(headers).toEqual({ 'Content-Type': 'text/event-stream' });
    expect(chunks).toEqual([
      customChunk({ role: 'assistant', content: '', refusal: null }),
      customChunk({ content: 'One' }),
      customChunk({ content: ' two' }),
      customChunk({}, 'stop'),
      { ...customChunk({}), choices: [], usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 } },
    ]);
    expect(events.at(-1)).toBe('data: [DONE]');
  });

  it.each<[ProviderName, boolean]>([
    ['openrouter', true],
    ['google', true],
    ['nim', false],
    ['custom', false],
  ])('of %s reports its usage without a request: %s', (name, told) => {
    const { text, chunks } = read(simulate(name));
    expect(text.includes('"completion_tokens"')).toBe(told);
    expect(chunks.filter((chunk) => JSON.stringify(chunk).includes('"choices":[]'))).toEqual([]);
  });

  it.each(NAMES)('of %s is the text in tokens: words with the white space before them', (name) => {
    const said = ' Ünïcödé  and 🙂🙂\n\nnew lines, \ttabs … \n';
    const { chunks, said: heard, delayMs, ends } = read(simulate(name, said));
    expect(heard).toBe(said);
    expect(chunks.filter((chunk) => JSON.stringify(chunk).includes('and')).length).toBe(1);
    expect([delayMs, ends]).toEqual([0, 'close']);
  });

  it.each<[ProviderName, unknown, unknown]>([
    [
      'openrouter',
      { content: '', role: 'assistant', reasoning: ' +', reasoning_details: [partly({ text: ' +' })] },
      { content: '4', role: 'assistant' },
    ],
    [
      'nim',
      partly({ content: null, reasoning_content: ' +' }),
      partly({ content: '4', reasoning_content: null }),
    ],
    ['custom', { reasoning_content: ' +' }, { content: '4' }],
  ])('of %s has reasoning before the text', (name, reasoning, text) => {
    const { chunks } = read(simulate(name, { text: '4', reasoning: '2 + 2' }));
    expect(chunks).toContainEqual(partly({ choices: [partly({ delta: reasoning })] }));
    expect(chunks).toContainEqual(partly({ choices: [partly({ delta: text })] }));
  });

  it('has the latency of the model, and counts once against the limits', () => {
    const custom = new ProviderSimulator('custom', { latencyMs: 700, limits: { rpm: 1 } });
    expect(read(custom).delayMs).toBe(700);
    expect(() => read(custom)).toThrow('no stream: 429');
    expect(custom.calls.map(({ outcome }) => outcome)).toEqual(['served', 'minute-limit']);
  });

  it('is refused like any request', () => {
    const google = new ProviderSimulator('google');
    expect(() => read(google, { key: 'AIzaNobody' })).toThrow('no stream: 400 [{"error"');
  });
});

describe('tool calls in a stream', () => {
  const calls: ReplyDetails = {
    toolCalls: [
      { name: 'weather', arguments: { city: 'Oslo' } },
      { name: 'news', arguments: '{}', id: 'mine' },
    ],
  };

  function callsOf(name: ProviderName): unknown[] {
    const { chunks } = read(simulate(name, calls));
    return chunks.flatMap((chunk) => {
      const found: unknown = at(chunk, 'choices', '0', 'delta', 'tool_calls');
      return Array.isArray(found) ? found.map((call: unknown) => call) : [];
    });
  }

  it.each<[ProviderName, string]>([
    ['openrouter', 'call_1_0'],
    ['custom', 'call_1_0'],
  ])('of %s: index, id and name first, then the arguments in fragments', (name, id) => {
    expect(callsOf(name)).toEqual([
      { index: 0, id, type: 'function', function: { name: 'weather', arguments: '' } },
      { index: 0, function: { arguments: '{"city":' } },
      { index: 0, function: { arguments: '"Oslo"}' } },
      { index: 1, id: 'mine', type: 'function', function: { name: 'news', arguments: '' } },
      { index: 1, function: { arguments: '{}' } },
    ]);
  });

  it('of NIM: fields without a value are null', () => {
    expect(callsOf('nim').slice(0, 2)).toEqual([
      { index: 0, id: 'chatcmpl-tool-1-0', type: 'function', function: { name: 'weather', arguments: '' } },
      { index: 0, id: null, type: 'function', function: { name: null, arguments: '{"city":' } },
    ]);
  });

  it('of Google: one chunk per call, without index, the first one signed', () => {
    const extra_content = { google: { thought_signature: 'signature-1' } };
    expect(callsOf('google')).toEqual([
      {
        id: '',
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Oslo"}' },
        extra_content,
      },
      { id: 'mine', type: 'function', function: { name: 'news', arguments: '{}' } },
    ]);
  });

  it.each<[ProviderName, string]>([
    ['openrouter', 'tool_calls'],
    ['google', 'stop'],
    ['nim', 'tool_calls'],
    ['custom', 'tool_calls'],
  ])('of %s end with the finish reason %s', (name, reason) => {
    const { text } = read(simulate(name, calls));
    const reasons = [...text.matchAll(/"finish_reason":"(\w+)"/g)].map(([, found]) => found);
    expect(new Set(reasons)).toEqual(new Set([reason]));
  });
});

it('moderation reported in an answer is reported in a stream, too', () => {
  const google = simulate('google');
  google.script({ kind: 'moderated' });
  expect(read(google).chunks).toEqual([
    partly({ choices: [{ index: 0, finish_reason: 'content_filter: PROHIBITED_CONTENT' }] }),
  ]);
  const openrouter = simulate('openrouter');
  openrouter.script({ kind: 'moderated' });
  expect(() => read(openrouter)).toThrow('no stream: 403');
  expect([google, openrouter].map(({ counts }) => counts.causes)).toEqual([
    { moderated: 1 },
    { moderated: 1 },
  ]);
});
