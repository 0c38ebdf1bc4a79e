import { describe, expect, it } from 'vitest';
import { CallError } from '../../../src/errors.ts';
import type { StreamPart } from '../../../src/wire/response/stream-part.ts';
import { NOW, type Script, scripted } from '../support.ts';
import { type Body, type Event, respond, streamOf } from './support.ts';

const USAGE = { promptTokens: 7, completionTokens: 5, totalTokens: 12, cachedTokens: 2, reasoningTokens: 1 };
const TOOLS: Body = {
  input: 'Hello',
  tools: [
    { type: 'function', name: 'look', parameters: {}, strict: false },
    { type: 'custom', name: 'apply_patch' },
    { type: 'namespace', name: 'git', description: '', tools: [{ type: 'function', name: 'log' }] },
  ],
};
const end = (reason = 'stop'): readonly StreamPart[] => [
  { type: 'usage', usage: USAGE },
  { type: 'finish', reason },
];
const callPart = (index: number, name: string, argumentsDelta: string, extra?: object): StreamPart => ({
  type: 'tool-call',
  index,
  id: `call_${index}`,
  name,
  argumentsDelta,
  ...(extra === undefined ? {} : { extra: { ...extra } }),
});
const text = (given: string): StreamPart => ({ type: 'text', text: given });
const thought = (given: string): StreamPart => ({ type: 'reasoning', text: given });

const message = (id: string, given: string, more: object = {}): object => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: given, annotations: [], logprobs: [] }],
  ...more,
});
const reasoning = (id: string, given: string): object => ({
  id,
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: given }],
});

/** The events without what the other tests look at. */
function steps(events: readonly Event[]): readonly string[] {
  return events.map(({ type, data: { output_index: at, delta } }) =>
    [type.replace('response.', ''), at, delta]
      .flatMap((one) => (typeof one === 'string' || typeof one === 'number' ? [String(one)] : []))
      .join(' '),
  );
}

function last(events: readonly Event[]): unknown {
  return events.at(-1)?.data['response'];
}

describe('a whole answer', () => {
  it('is a response that repeats its request', async () => {
    const { body, headers } = await respond({
      input: 'Hello',
      instructions: 'Be brief.',
      metadata: { a: 'b' },
    });
    expect(headers.get('x-request-id')).toBe('resp_1');
    expect(headers.get('x-freelm-model')).toBe('z-ai/glm-5.3');
    expect(body).toEqual({
      id: 'resp_1',
      object: 'response',
      created_at: NOW / 1000,
      status: 'completed',
      model: 'z-ai/glm-5.3',
      output: [message('msg_1_0', 'Hello there')],
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 5,
      },
      background: false,
      instructions: 'Be brief.',
      max_output_tokens: null,
      metadata: { a: 'b' },
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: true,
      temperature: null,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_p: null,
      truncation: 'disabled',
    });
  });

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('that ended by %s is incomplete', async (finishReason, reason) => {
    const { body } = await respond({ input: 'Hello' }, { answer: { finishReason } });
    expect(body).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      output: [{ status: 'incomplete' }],
    });
  });
});

interface Row {
  readonly what: string;
  readonly parts: readonly StreamPart[];
  readonly output: readonly object[];
}

const ROWS: readonly Row[] = [
  {
    what: 'a text',
    parts: [text('Hel'), text('lo'), ...end()],
    output: [message('msg_1_0', 'Hello')],
  },
  {
    what: 'reasoning and a text',
    parts: [thought('Hm, '), thought('well.'), text('So.'), ...end()],
    output: [reasoning('rs_1_0', 'Hm, well.'), message('msg_1_1', 'So.')],
  },
  {
    what: 'a text and parallel calls of a function, a freeform tool and one in a namespace',
    parts: [
      text('Let me look.'),
      callPart(0, 'look', '{"at":"x"}'),
      callPart(1, 'apply_patch', '{"input":"*** \\"Begin\\"\\n"}'),
      callPart(2, 'git__log', '{}'),
      ...end('tool_calls'),
    ],
    output: [
      message('msg_1_0', 'Let me look.'),
      {
        id: 'fc_1_1',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_0',
        name: 'look',
        arguments: '{"at":"x"}',
      },
      {
        id: 'ctc_1_2',
        type: 'custom_tool_call',
        status: 'completed',
        call_id: 'call_1',
        name: 'apply_patch',
        input: '*** "Begin"\n',
      },
      {
        id: 'fc_1_3',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_2',
        name: 'log',
        namespace: 'git',
        arguments: '{}',
      },
    ],
  },
  {
    what: 'citations',
    parts: [
      text('So.'),
      {
        type: 'extra',
        fields: {
          annotations: [
            {
              type: 'url_citation',
              url_citation: { url: 'https://a', title: 'A', start_index: 0, end_index: 1 },
            },
          ],
        },
      },
      ...end(),
    ],
    output: [
      message('msg_1_0', 'So.', {
        content: [
          {
            type: 'output_text',
            text: 'So.',
            annotations: [
              { type: 'url_citation', url: 'https://a', title: 'A', start_index: 0, end_index: 1 },
            ],
            logprobs: [],
          },
        ],
      }),
    ],
  },
];

describe('a streamed answer', () => {
  it.each(ROWS)('$what', async ({ parts, output }) => {
    const events = await streamOf(TOOLS, { parts });
    expect(last(events)).toMatchObject({ status: 'completed', output });
    expect(events.flatMap(({ type, data }) => (type.endsWith('item.done') ? [data['item']] : []))).toEqual(
      output,
    );
  });

  it('tells of each step, with numbers', async () => {
    const parts = [thought('Hm.'), text('So '), text('be it.'), callPart(0, 'look', '{}'), ...end()];
    const events = await streamOf(TOOLS, { parts });
    expect(events.map(({ data }) => data['sequence_number'])).toEqual([...events.keys()]);
    expect(events.map(({ data }) => data['type'])).toEqual(events.map(({ type }) => type));
    expect(steps(events)).toEqual([
      'created',
      'in_progress',
      'output_item.added 0',
      'reasoning_summary_part.added 0',
      'reasoning_summary_text.delta 0 Hm.',
      'reasoning_summary_text.done 0',
      'reasoning_summary_part.done 0',
      'output_item.done 0',
      'output_item.added 1',
      'content_part.added 1',
      'output_text.delta 1 So ',
      'output_text.delta 1 be it.',
      'output_text.done 1',
      'content_part.done 1',
      'output_item.done 1',
      'output_item.added 2',
      'function_call_arguments.delta 2 {}',
      'function_call_arguments.done 2',
      'output_item.done 2',
      'completed',
    ]);
  });

  it("a freeform tool's input comes at once", async () => {
    const parts = [callPart(0, 'apply_patch', '{"input"'), callPart(0, 'apply_patch', ':"x"}'), ...end()];
    expect(steps(await streamOf(TOOLS, { parts })).slice(2, -1)).toEqual([
      'output_item.added 0',
      'custom_tool_call_input.delta 0 x',
      'custom_tool_call_input.done 0',
      'output_item.done 0',
    ]);
  });

  it('reasoning within the text leaves the text one', async () => {
    const parts = [text('So '), thought('Hm.'), text('be it.'), ...end()];
    const output = [message('msg_1_0', 'So be it.'), reasoning('rs_1_1', 'Hm.')];
    expect(last(await streamOf(TOOLS, { parts }))).toMatchObject({ output });
  });

  it('pieces of calls that come in turns keep their calls', async () => {
    const parts = [
      callPart(0, 'look', '{"a":'),
      callPart(1, 'look', '{"b":'),
      callPart(0, 'look', '1}'),
      callPart(1, 'look', '2}'),
      ...end(),
    ];
    const output = [{ arguments: '{"a":1}' }, { arguments: '{"b":2}' }];
    expect(last(await streamOf(TOOLS, { parts }))).toMatchObject({ output });
  });

  it('ends incomplete', async () => {
    const events = await streamOf({ input: 'x' }, { parts: [text('So'), ...end('length')] });
    expect(events.at(-1)?.type).toBe('response.incomplete');
    expect(last(events)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: {
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 2, cache_write_tokens: 0 },
        total_tokens: 12,
      },
    });
  });

  it('that breaks ends with an error and a failed response', async () => {
    const error = new CallError({ code: 'no_providers_available', message: 'gone' });
    const events = await streamOf({ input: 'x' }, { parts: [text('So'), error] });
    const [{ data: told } = { data: {} }, { type, data: failed } = { type: '', data: {} }] = events.slice(-2);
    expect(told).toMatchObject({ type: 'error', message: 'gone', error: { message: 'gone' } });
    expect(type).toBe('response.failed');
    expect(failed).toMatchObject({
      response: { status: 'failed', error: { code: 'no_providers_available', message: 'gone' } },
    });
  });
});

describe('a request that is too long', () => {
  const answer = new CallError({ code: 'context_too_long', message: 'too long' });

  it('is a 400 with the code that clients know', async () => {
    const { status, body } = await respond({ input: 'x' }, { answer });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'context_length_exceeded', message: 'too long' } });
  });

  it('is a failed response in a stream: agents compact only then', async () => {
    const events = await streamOf({ input: 'x' }, { parts: [answer] });
    expect(steps(events)).toEqual(['created', 'in_progress', 'error', 'failed']);
    expect(last(events)).toMatchObject({ error: { code: 'context_length_exceeded', message: 'too long' } });
  });

  it('other errors before the first part have a status of their own', async () => {
    const error = new CallError({ code: 'unsupported', message: 'no model takes it' });
    const script: Script = { parts: [error] };
    const response = await scripted(script).post({ input: 'x', stream: true }, '/v1/responses');
    expect(response.status).toBe(400);
  });
});

describe('what a provider gave for itself', () => {
  const parts = [
    { type: 'extra', fields: { reasoning_details: [{ type: 'reasoning.encrypted', data: 'AA' }] } } as const,
    thought('Hm.'),
    callPart(0, 'look', '{}', { extra_content: { google: { thought_signature: 'S' } } }),
    ...end(),
  ];

  it('comes back with the next turn', async () => {
    const events = await streamOf(TOOLS, { parts });
    const output = events.flatMap(({ type, data }) => (type.endsWith('item.done') ? [data['item']] : []));
    const { call } = await respond({
      ...TOOLS,
      input: [...output, { type: 'function_call_output', call_id: 'call_0', output: 'x' }],
    });
    expect(call?.messages).toEqual([
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'Hm.',
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'AA' }],
        tool_calls: [
          {
            id: 'call_0',
            type: 'function',
            function: { name: 'look', arguments: '{}' },
            extra_content: { google: { thought_signature: 'S' } },
          },
        ],
      },
      { role: 'tool', tool_call_id: 'call_0', content: 'x' },
    ]);
  });

  it.each(['', 'gAAAAA', 'freelm.', 'freelm.bm8'])(
    'content of another service is passed over: %s',
    async (given) => {
      const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: given };
      const { call } = await respond({ input: [item, { role: 'user', content: 'x' }] });
      expect(call?.messages.at(-1)).toEqual({ role: 'user', content: 'x' });
    },
  );
});
