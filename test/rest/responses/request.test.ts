import { describe, expect, it } from 'vitest';
import { member } from '../../../src/core/json.ts';
import { scripted } from '../support.ts';
import { type Body, callOf, type Item, respond } from './support.ts';

const FUNCTION = { type: 'function', name: 'look', parameters: { type: 'object' }, strict: false } as const;
const PATCH = {
  type: 'custom',
  name: 'apply_patch',
  description: 'Changes files.',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
} as const;
const NAMESPACE = {
  type: 'namespace',
  name: 'mcp__git',
  description: 'Git.',
  tools: [{ type: 'function', name: 'log', parameters: {} }],
} as const;
const PNG = 'data:image/png;base64,AAAA';

const call = (id: string, name = 'look', more: object = {}): Item => ({
  type: 'function_call',
  call_id: id,
  name,
  arguments: '{"a":1}',
  ...more,
});
const called = (id: string, name = 'look', given = '{"a":1}'): object => ({
  id,
  type: 'function',
  function: { name, arguments: given },
});
const result = (id: string, output: string): Item => ({ type: 'function_call_output', call_id: id, output });

describe('the items of a conversation become messages', () => {
  it.each<[what: string, input: Body['input'], messages: readonly unknown[]]>([
    ['a text', 'Hello', [{ role: 'user', content: 'Hello' }]],
    ['a message without a type', [{ role: 'user', content: 'Hi' }], [{ role: 'user', content: 'Hi' }]],
    [
      'messages of the system and of the developer',
      [
        { type: 'message', role: 'system', content: 'Be brief.' },
        { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Be kind.' }] },
      ],
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: 'Be kind.' },
      ],
    ],
    [
      'texts and a picture',
      [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            { type: 'input_image', image_url: PNG, detail: 'high' },
          ],
        },
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: PNG, detail: 'high' } },
          ],
        },
      ],
    ],
    [
      'a file',
      [
        {
          role: 'user',
          content: [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' }],
        },
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' } },
          ],
        },
      ],
    ],
    [
      'an earlier answer',
      [
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'completed',
          content: [
            { type: 'output_text', text: 'So ', annotations: [] },
            { type: 'output_text', text: 'be it.', annotations: [] },
          ],
        },
      ],
      [{ role: 'assistant', content: 'So be it.' }],
    ],
    [
      'parallel calls with a text and reasoning as one message',
      [
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Two, I think.' }] },
        { role: 'assistant', content: 'Let me look.' },
        call('call_1'),
        call('call_2'),
        result('call_1', 'one'),
        result('call_2', 'two'),
      ],
      [
        {
          role: 'assistant',
          content: 'Let me look.',
          reasoning_content: 'Two, I think.',
          tool_calls: [called('call_1'), called('call_2')],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'one' },
        { role: 'tool', tool_call_id: 'call_2', content: 'two' },
      ],
    ],
    [
      'calls in turn as messages of their own',
      [call('call_1'), result('call_1', 'one'), call('call_2'), result('call_2', 'two')],
      [
        { role: 'assistant', content: null, tool_calls: [called('call_1')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'one' },
        { role: 'assistant', content: null, tool_calls: [called('call_2')] },
        { role: 'tool', tool_call_id: 'call_2', content: 'two' },
      ],
    ],
    [
      'a call of a freeform tool and its result',
      [
        { type: 'custom_tool_call', call_id: 'call_1', name: 'apply_patch', input: '*** "quoted"\n' },
        { type: 'custom_tool_call_output', call_id: 'call_1', output: 'Done' },
      ],
      [
        {
          role: 'assistant',
          content: null,
          tool_calls: [called('call_1', 'apply_patch', '{"input":"*** \\"quoted\\"\\n"}')],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'Done' },
      ],
    ],
    [
      'a call in a namespace',
      [call('call_1', 'log', { namespace: 'mcp__git' })],
      [{ role: 'assistant', content: null, tool_calls: [called('call_1', 'mcp__git__log')] }],
    ],
    [
      'a picture that a tool returned in a message after all results',
      [
        call('call_1'),
        call('call_2'),
        {
          type: 'function_call_output',
          call_id: 'call_1',
          output: [{ type: 'input_image', image_url: PNG }],
        },
        result('call_2', 'two'),
      ],
      [
        { role: 'assistant', content: null, tool_calls: [called('call_1'), called('call_2')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'The next message of the user has the content.' },
        { role: 'tool', tool_call_id: 'call_2', content: 'two' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'This is what the tool returned:' },
            { type: 'image_url', image_url: { url: PNG } },
          ],
        },
      ],
    ],
  ])('%s', async (_what, input, messages) => {
    expect((await callOf({ input, tools: [FUNCTION, PATCH, NAMESPACE] })).messages).toEqual(messages);
  });

  it('instructions come first', async () => {
    const { messages } = await callOf({ instructions: 'Be brief.', input: 'Hello' });
    expect(messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ]);
  });
});

describe('the fields of a request', () => {
  it.each<[what: string, body: Body, fields: object]>([
    [
      'that both protocols have stay as they are',
      { temperature: 0.5, top_p: 0.9, parallel_tool_calls: false, user: 'u', stop: ['x'], seed: 3 },
      { temperature: 0.5, top_p: 0.9, parallel_tool_calls: false, user: 'u', stop: ['x'], seed: 3 },
    ],
    ['max_output_tokens', { max_output_tokens: 100 }, { max_tokens: 100 }],
    ['reasoning', { reasoning: { effort: 'low', summary: 'auto' } }, { reasoning_effort: 'low' }],
    ['the format text', { text: { format: { type: 'text' }, verbosity: 'low' } }, {}],
    [
      'the format JSON',
      { text: { format: { type: 'json_object' } } },
      { response_format: { type: 'json_object' } },
    ],
    [
      'a schema',
      { text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } } },
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', schema: { type: 'object' }, strict: true },
        },
      },
    ],
    [
      'nulls and hints for OpenAI alone say nothing',
      {
        temperature: null,
        instructions: null,
        tools: null,
        previous_response_id: null,
        include: ['reasoning.encrypted_content'],
        prompt_cache_key: 'k',
        service_tier: 'auto',
        truncation: 'auto',
        store: false,
        metadata: { a: 'b' },
        client_metadata: { a: 'b' },
      },
      {},
    ],
    [
      'a function',
      { tools: [{ ...FUNCTION, description: 'Looks.' }], tool_choice: { type: 'function', name: 'look' } },
      {
        tools: [
          {
            type: 'function',
            function: {
              name: 'look',
              description: 'Looks.',
              parameters: { type: 'object' },
              strict: false,
            },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'look' } },
      },
    ],
    [
      'a freeform tool is a function with one text',
      { tools: [PATCH], tool_choice: { type: 'custom', name: 'apply_patch' } },
      {
        tools: [
          {
            type: 'function',
            function: {
              name: 'apply_patch',
              description: 'Changes files.\n\nThe input is a text that fits this lark grammar:\nstart: "x"',
              parameters: {
                type: 'object',
                properties: {
                  input: { type: 'string', description: 'The whole input of the tool, as plain text.' },
                },
                required: ['input'],
                additionalProperties: false,
              },
            },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'apply_patch' } },
      },
    ],
    [
      'a tool in a namespace has its name in front, and no other tool the same one',
      { tools: [NAMESPACE, { ...FUNCTION, name: 'mcp__git__log' }] },
      {
        tools: [
          { type: 'function', function: { name: 'mcp__git__log_2', parameters: {} } },
          {
            type: 'function',
            function: { name: 'mcp__git__log', parameters: { type: 'object' }, strict: false },
          },
        ],
      },
    ],
    [
      'a choice among some tools leaves the others out',
      {
        tools: [FUNCTION, { ...FUNCTION, name: 'b' }],
        tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'b' }] },
      },
      {
        tools: [{ type: 'function', function: { name: 'b', parameters: { type: 'object' }, strict: false } }],
        tool_choice: 'required',
      },
    ],
    [
      'tools that an item adds',
      {
        input: [
          { type: 'additional_tools', role: 'developer', tools: [FUNCTION] },
          { role: 'user', content: 'x' },
        ],
      },
      {
        tools: [
          { type: 'function', function: { name: 'look', parameters: { type: 'object' }, strict: false } },
        ],
      },
    ],
  ])('%s', async (_what, body, fields) => {
    expect((await callOf({ input: 'Hello', ...body })).fields).toEqual(fields);
  });

  it('the model and the options of freelm', async () => {
    const { call: asked } = await respond({ model: 'fast', input: 'x', freelm: { maxAttempts: 2 } });
    expect(asked).toMatchObject({ model: 'fast', callOptions: { maxAttempts: 2 } });
  });
});

describe('tools that only OpenAI has', () => {
  const web = { type: 'web_search' } as const;

  it('are left out, and said so in a header', async () => {
    const { headers, call: asked } = await respond({ input: 'x', tools: [FUNCTION, web] });
    expect(headers.get('x-freelm-left-out')).toBe('web_search');
    expect(asked?.fields['tools']).toHaveLength(1);
  });

  it('are told to the listeners once', async () => {
    const { post, warnings } = scripted();
    for (const type of ['web_search', 'web_search', 'mcp'])
      await post({ input: 'x', tools: [{ type }] }, '/v1/responses');
    expect(warnings.map((warning) => warning.split(': ')[1])).toEqual(['web_search', 'mcp']);
  });

  it.each<[what: string, body: Body]>([
    ['one is chosen', { tool_choice: { type: 'web_search_preview' } }],
    ['a tool is required, and there is no other', { tool_choice: 'required' }],
  ])('are refused if %s', async (_what, body) => {
    const { status, body: answer } = await respond({ input: 'x', tools: [web], ...body });
    expect(status).toBe(400);
    expect(answer).toMatchObject({
      error: { type: 'invalid_request_error', code: 'unsupported_tool', param: 'tool_choice' },
    });
  });
});

describe('what is not understood is refused, and named', () => {
  it.each<[what: string, body: object, message: RegExp]>([
    ['no input', {}, /^input: /],
    ['an input of another type', { input: 5 }, /^input: must be a text or a list of items\.$/],
    ['an unknown item', { input: [{ type: 'computer_call' }] }, /^input\[0\]\.type: .*"computer_call"/],
    [
      'an unknown part',
      { input: [{ role: 'user', content: [{ type: 'hologram' }] }] },
      /^input\[0\]\.content\[0\]\.type: "hologram"/,
    ],
    [
      'a stored file',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] },
      /^input\[0\]\.content\[0\]\.file_id: /,
    ],
    ['a role', { input: [{ role: 'critic', content: 'x' }] }, /^input\[0\]\.role: /],
    [
      'a call without arguments',
      { input: [{ type: 'function_call', call_id: 'c', name: 'f' }] },
      /\.arguments: /,
    ],
    ['a result without a call', { input: [{ type: 'function_call_output', output: 'x' }] }, /\.call_id: /],
    ['a tool without a name', { input: 'x', tools: [{ type: 'function' }] }, /^tools\[0\]\.name: /],
    ['the choice of no tool', { input: 'x', tool_choice: { type: 'function', name: 'f' } }, /^tool_choice: /],
    ['a background', { input: 'x', background: true }, /^background: /],
    ['a conversation', { input: 'x', conversation: 'conv_1' }, /^conversation: /],
    ['a template', { input: 'x', prompt: { id: 'p' } }, /^prompt: /],
    ['moderation', { input: 'x', moderation: { model: 'm' } }, /^moderation: /],
    ['probabilities', { input: 'x', top_logprobs: 2 }, /^top_logprobs: /],
    ['another format', { input: 'x', text: { format: { type: 'grammar' } } }, /^text\.format\.type: /],
  ])('%s', async (_what, body, message) => {
    const { status, body: answer } = await respond(body);
    expect(status).toBe(400);
    expect(member(member(answer, 'error'), 'message')).toMatch(message);
  });
});
