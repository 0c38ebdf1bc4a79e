/** What of a request of the Messages API becomes what of a call. */

import { describe, expect, it } from 'vitest';
import { type JsonObject, member } from '../../../src/core/json.ts';
import { jsonIn, NEW, posted } from './support.ts';

const PIXEL = 'iVBORw0KGgo=';
const CACHED = { cache_control: { type: 'ephemeral' } } as const;

interface Row {
  readonly name: string;
  readonly body: JsonObject;
  readonly messages?: readonly JsonObject[];
  readonly fields?: JsonObject;
}

const user = (content: unknown): JsonObject => ({ role: 'user', content });
const block = (content: unknown): JsonObject => ({ messages: [user(content)] });

const MESSAGES: readonly Row[] = [
  {
    name: 'a system prompt as text',
    body: { system: 'Be brief.' },
    messages: [{ role: 'system', content: 'Be brief.' }, user('Hi')],
  },
  {
    name: 'a system prompt of blocks; marks for a cache mean nothing here',
    body: {
      system: [
        { type: 'text', text: 'Be brief.', ...CACHED },
        { type: 'text', text: 'Be kind.' },
      ],
    },
    messages: [
      {
        role: 'system',
        content: [
          { type: 'text', text: 'Be brief.' },
          { type: 'text', text: 'Be kind.' },
        ],
      },
      user('Hi'),
    ],
  },
  {
    name: 'a system message between others',
    body: {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'system', content: 'Be brief.' },
      ],
    },
    messages: [user('Hi'), { role: 'system', content: 'Be brief.' }],
  },
  {
    name: 'images as data and by URL',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Which?', ...CACHED },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
            { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
          ],
        },
      ],
    },
    messages: [
      user([
        { type: 'text', text: 'Which?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
      ]),
    ],
  },
  {
    name: 'documents: a text, a PDF, its URL, and blocks',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              title: 'Notes',
              context: 'of May',
              source: { type: 'text', media_type: 'text/plain', data: 'Rain.' },
            },
            {
              type: 'document',
              title: 'a.pdf',
              source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
            },
            { type: 'document', source: { type: 'url', url: 'https://example.org/b.pdf' } },
            { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'Sun.' }] } },
          ],
        },
      ],
    },
    messages: [
      user([
        { type: 'text', text: 'Notes\n\nof May\n\nRain.' },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
        { type: 'file', file: { filename: 'document.pdf', file_data: 'https://example.org/b.pdf' } },
        { type: 'text', text: 'Sun.' },
      ]),
    ],
  },
  {
    name: 'a search result of a tool of the client',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'search_result',
              title: 'Rain',
              source: 'https://example.org',
              content: [{ type: 'text', text: 'It rains.' }],
            },
          ],
        },
      ],
    },
    messages: [user('Rain\n\nhttps://example.org\n\nIt rains.')],
  },
  {
    name: 'calls of tools and their results, which stand before what else the user says',
    body: {
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Let me look.' },
            { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } },
            { type: 'tool_use', id: 'b', name: 'now', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'And?' },
            { type: 'tool_result', tool_use_id: 'a', content: 'sunny', ...CACHED },
            {
              type: 'tool_result',
              tool_use_id: 'b',
              is_error: true,
              content: [
                { type: 'text', text: 'no clock' },
                { type: 'text', text: 'at all' },
              ],
            },
          ],
        },
      ],
    },
    messages: [
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
          { id: 'b', type: 'function', function: { name: 'now', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'sunny' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: no clock\nat all' },
      user('And?'),
    ],
  },
  {
    name: 'an image that a tool gave, which the next message shows',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'a',
              content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }],
            },
            { type: 'tool_result', tool_use_id: 'b' },
          ],
        },
      ],
    },
    messages: [
      { role: 'tool', tool_call_id: 'a', content: 'The next message shows the result.' },
      { role: 'tool', tool_call_id: 'b', content: '' },
      user([{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }]),
    ],
  },
  {
    name: 'thoughts of any model; signatures of other servers mean nothing here',
    body: {
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'EqQBCgIYAhIM' },
            { type: 'redacted_thinking', data: 'EmwKAhgB' },
            { type: 'text', text: 'Yes.' },
          ],
        },
      ],
    },
    messages: [{ role: 'assistant', content: 'Yes.', reasoning_content: 'Hm.' }],
  },
];

const weather = {
  name: 'weather',
  description: 'The weather.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
} as const;
const declared = {
  type: 'function',
  function: { name: 'weather', description: 'The weather.', parameters: weather.input_schema },
};

const FIELDS: readonly Row[] = [
  { name: 'the bound of the answer', body: {}, fields: { max_tokens: 100 } },
  {
    name: 'how it is drawn, in the older version',
    body: { temperature: 0.5, top_p: 0.9, top_k: 40, stop_sequences: ['END'] },
    fields: { max_tokens: 100, temperature: 0.5, top_p: 0.9, top_k: 40, stop: ['END'] },
  },
  {
    name: 'tools, of the type "custom" or of none',
    body: {
      tools: [
        { ...weather, ...CACHED },
        { ...weather, type: 'custom', strict: true },
      ],
      tool_choice: { type: 'auto' },
    },
    fields: {
      max_tokens: 100,
      tools: [declared, { ...declared, function: { ...declared.function, strict: true } }],
      tool_choice: 'auto',
    },
  },
  {
    name: 'any tool, one at a time',
    body: { tools: [weather], tool_choice: { type: 'any', disable_parallel_tool_use: true } },
    fields: { max_tokens: 100, tools: [declared], tool_choice: 'required', parallel_tool_calls: false },
  },
  {
    name: 'one tool',
    body: { tools: [weather], tool_choice: { type: 'tool', name: 'weather' } },
    fields: {
      max_tokens: 100,
      tools: [declared],
      tool_choice: { type: 'function', function: { name: 'weather' } },
    },
  },
  {
    name: 'no tool',
    body: { tools: [weather], tool_choice: { type: 'none' } },
    fields: { max_tokens: 100, tools: [declared], tool_choice: 'none' },
  },
  {
    name: 'an effort',
    body: { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } },
    fields: { max_tokens: 100, reasoning_effort: 'high' },
  },
  {
    name: 'a budget for thinking',
    body: { thinking: { type: 'enabled', budget_tokens: 5000 } },
    fields: { max_tokens: 100, reasoning_effort: 'medium' },
  },
  {
    name: 'a schema',
    body: { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    fields: {
      max_tokens: 100,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
    },
  },
  {
    name: 'what only concerns the service of Anthropic: nothing',
    body: {
      metadata: { user_id: 'u' },
      service_tier: 'auto',
      cache_control: { type: 'ephemeral' },
      context_management: { edits: [] },
      diagnostics: null,
    },
    fields: { max_tokens: 100 },
  },
];

describe('the messages of a request', () => {
  it.each(MESSAGES.map((row) => [row.name, row] as const))('%s', async (_name, { body, messages }) => {
    const { calls, response } = await posted(body);
    expect(response.status).toBe(200);
    expect(calls[0]?.messages).toEqual(messages);
  });
});

describe('the fields of a request', () => {
  it.each(FIELDS.map((row) => [row.name, row] as const))('%s', async (_name, { body, fields }) => {
    const { calls, response } = await posted(body);
    expect(response.status).toBe(200);
    expect(calls[0]?.fields).toEqual(fields);
    expect(response.headers.has('x-freelm-left-out')).toBe(false);
  });

  it('the model, and the options of freelm', async () => {
    const { calls } = await posted({ model: 'large', freelm: { wait: true } });
    expect(calls[0]).toMatchObject({ model: 'large', callOptions: { wait: true } });
  });
});

describe("Anthropic's own tools", () => {
  const search = { type: 'web_search_20250305', name: 'web_search' } as const;

  it('are left out, and said so in a header and to the listeners', async () => {
    const { calls, response, warnings } = await posted({ tools: [search, weather], unheard_of: 1 });
    expect(calls[0]?.fields['tools']).toEqual([declared]);
    expect(response.headers.get('x-freelm-left-out')).toBe('web_search, unheard_of');
    expect(warnings).toEqual(['left out of a request, because no model here has it: web_search, unheard_of']);
  });

  it('leave no choice behind if they are alone', async () => {
    const { calls } = await posted({ tools: [search], tool_choice: { type: 'auto' } });
    expect(calls[0]?.fields).toEqual({ max_tokens: 100 });
  });

  it.each([
    ['by name', [search, weather], { type: 'tool', name: 'web_search' }],
    ['as the only ones', [search], { type: 'any' }],
  ] as const)('are refused if they are forced %s', async (_how, tools, tool_choice) => {
    const { response, calls } = await posted({ tools: [...tools], tool_choice });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', details: { error_code: 'unsupported' } },
    });
    expect(calls).toEqual([]);
  });
});

describe('a request that cannot be read', () => {
  it.each<readonly [string, JsonObject | string, string]>([
    ['no JSON', 'hello', 'has a body that is no JSON object'],
    ['no messages', { messages: [] }, 'messages: must not be empty.'],
    ['a role that does not exist', { messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    ['a content of another kind', block(5), 'messages[0].content: must be a text or a list'],
    [
      'a block of a type that no model takes',
      block([{ type: 'container_upload', file_id: 'f' }]),
      'messages[0].content[0].type: no model here takes a content block of the type "container_upload"',
    ],
    [
      "a file of Anthropic's store",
      block([{ type: 'image', source: { type: 'file', file_id: 'f' } }]),
      'messages[0].content[0].source.type: no model here takes a source of the type "file"',
    ],
    [
      'a result without a call',
      block([{ type: 'tool_result', content: '' }]),
      'messages[0].content[0].tool_use_id: must be a text.',
    ],
    ['a tool without a schema', { tools: [{ name: 'a' }] }, 'tools[0].input_schema'],
    ['a choice of an unknown kind', { tools: [weather], tool_choice: { type: 'some' } }, 'tool_choice.type'],
    ['a format of another kind', { output_config: { format: { type: 'grammar' } } }, 'output_config.format'],
  ])('%s', async (_name, body, message) => {
    const { response, calls } = await posted(body);
    expect(response.status).toBe(400);
    const json = await jsonIn(response);
    expect(json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect(member(json['error'], 'message')).toContain(message);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(calls).toEqual([]);
  });

  it.each(['temperature', 'top_p', 'top_k'])('%s in the version that has none', async (field) => {
    const { response } = await posted({ [field]: 1 }, {}, { headers: NEW });
    expect(response.status).toBe(400);
    expect(member((await jsonIn(response))['error'], 'message')).toContain(
      `${field}: Extra inputs are not permitted`,
    );
  });
});
