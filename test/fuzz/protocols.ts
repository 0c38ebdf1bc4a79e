/** Right requests of the other protocols, of which mutants are made. */

import type { Doc } from './piece.ts';

const USER = { role: 'user', content: 'Hello' };
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } };
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQ=';

const MESSAGES: readonly Doc[] = [
  { model: 'claude-opus-5-5', max_tokens: 9, messages: [USER] },
  {
    model: 'auto',
    max_tokens: 9,
    stream: true,
    system: [{ type: 'text', text: 'Be kind.' }],
    messages: [USER],
  },
  {
    max_tokens: 9,
    stream: true,
    tools: [
      { name: 'f', input_schema: SCHEMA },
      { type: 'web_search_20250305', name: 'web_search' },
    ],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    thinking: { type: 'enabled', budget_tokens: 2000 },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
          { type: 'document', title: 'a', source: { type: 'text', media_type: 'text/plain', data: 'Rain.' } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 'freelm.e30' },
          { type: 'redacted_thinking', data: 'freelm.e30' },
          { type: 'tool_use', id: 't', name: 'f', input: { a: 'b' } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'done', is_error: true }] },
    ],
  },
];

const RESPONSES: readonly Doc[] = [
  { model: 'gpt-5', input: 'Hello' },
  { model: 'auto', input: 'Hello', stream: true, instructions: 'Be kind.', metadata: { a: 'b' } },
  { input: 'And?', previous_response_id: 'resp_0' },
  {
    stream: true,
    tools: [
      { type: 'function', name: 'f', parameters: SCHEMA },
      {
        type: 'custom',
        name: 'patch',
        format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' },
      },
      { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'g', parameters: SCHEMA }] },
      { type: 'web_search' },
    ],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
    text: { format: { type: 'json_schema', name: 's', schema: SCHEMA } },
    reasoning: { effort: 'low', summary: 'auto' },
    store: false,
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Hello' },
          { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
          { type: 'input_file', filename: 'a.pdf', file_data: PDF },
        ],
      },
      { type: 'reasoning', summary: [], encrypted_content: 'freelm.e30' },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'done' },
      { type: 'custom_tool_call', call_id: 'd', name: 'patch', input: 'a' },
      { type: 'custom_tool_call_output', call_id: 'd', output: [{ type: 'input_text', text: 'b' }] },
      { type: 'item_reference', id: 'msg_0' },
    ],
  },
];

const COMPLETIONS: readonly Doc[] = [
  { model: 'auto', prompt: 'Once' },
  { prompt: ['a', 'b'], n: 2, stream: true, stream_options: { include_usage: true }, max_tokens: 5 },
  { prompt: 'Once', suffix: '', echo: false, best_of: 1, logprobs: 0, stop: ['a'] },
];

const CHAT: readonly Doc[] = [
  { model: 'auto', messages: [USER] },
  { model: 'auto:latest', messages: [USER], stream: false, format: 'json', think: false },
  {
    model: 'auto',
    format: SCHEMA,
    tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA } }],
    options: { temperature: 0, num_predict: 5, stop: ['a'], num_ctx: 4096, mirostat: 1 },
    messages: [
      { role: 'user', content: 'Hello', images: [PNG] },
      {
        role: 'assistant',
        content: '',
        thinking: 'Hm.',
        tool_calls: [{ function: { name: 'f', arguments: {} } }],
      },
      { role: 'tool', tool_name: 'f', content: 'done' },
    ],
  },
];

const GENERATE: readonly Doc[] = [
  { model: 'auto', prompt: 'Once' },
  {
    model: 'auto',
    prompt: 'Once',
    system: 'Be kind.',
    images: [PNG],
    stream: false,
    think: 'high',
    raw: true,
  },
  { model: 'auto', prompt: '', keep_alive: 0, context: [1, 2] },
];

/** The bodies of each path. */
export const PROTOCOLS: ReadonlyMap<string, readonly Doc[]> = new Map([
  ['/v1/messages', MESSAGES],
  ['/v1/messages/count_tokens', MESSAGES],
  ['/v1/responses', RESPONSES],
  ['/v1/completions', COMPLETIONS],
  ['/api/chat', CHAT],
  ['/api/generate', GENERATE],
  ['/api/show', [{ model: 'auto' }, { name: 'one/m:latest' }]],
  ['/api/tags', [{}]],
  ['/api/version', [{}]],
]);
