/** Every member of a request for a response, with two values. */

import type OpenAI from 'openai';
import { FLAGS, place, type Place, TEXTS } from '../places.ts';

type Responses = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Item = OpenAI.Responses.ResponseInputItem;

const FILE = 'data:application/pdf;base64,JVBERg==';
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const BREAKPOINT = { mode: 'explicit' } as const;
const DONE = ['completed', 'incomplete'] as const;
const CALLER = [null, { type: 'direct' }] as const;

const input = (...items: Item[]): Responses => ({ model: 'auto', input: items });
const user = (part: OpenAI.Responses.ResponseInputContent): Responses =>
  input({ role: 'user', content: [{ type: 'input_text', text: 'x' }, part] });

/** `stream` and `store` are for the route. */
type ResponsesBody = Omit<Responses, 'stream' | 'store'>;
type Text = NonNullable<Responses['text']>;
type Reasoning = NonNullable<Responses['reasoning']>;

export const RESPONSES: readonly Place[] = [
  place<ResponsesBody>(
    'body',
    { model: 'auto', input: 'x', tools: [{ type: 'function', name: 'f', parameters: {}, strict: false }] },
    {
      background: FLAGS,
      context_management: [[], [{ type: 'compaction' }]],
      conversation: TEXTS,
      include: [[], ['reasoning.encrypted_content']],
      input: TEXTS,
      instructions: TEXTS,
      max_output_tokens: [1, 2],
      metadata: [{ a: 'a' }, { a: 'b' }],
      model: TEXTS,
      moderation: [{ model: 'a' }, { model: 'b' }],
      parallel_tool_calls: FLAGS,
      previous_response_id: TEXTS,
      prompt: [{ id: 'a' }, { id: 'b' }],
      prompt_cache_key: TEXTS,
      prompt_cache_options: [{ mode: 'implicit' }, { mode: 'explicit' }],
      prompt_cache_retention: ['in_memory', '24h'],
      reasoning: [{ effort: 'low' }, { effort: 'high' }],
      safety_identifier: TEXTS,
      service_tier: ['auto', 'flex'],
      stream_options: [{ include_obfuscation: true }, { include_obfuscation: false }],
      temperature: [0, 1],
      text: [{ format: { type: 'text' } }, { format: { type: 'json_object' } }],
      tool_choice: ['auto', 'none'],
      tools: [[], [{ type: 'function', name: 'g', parameters: {}, strict: false }]],
      top_logprobs: [1, 2],
      top_p: [0, 1],
      truncation: ['auto', 'disabled'],
      user: TEXTS,
    },
    (body) => body,
  ),
  place<Reasoning>(
    '`reasoning` of the body',
    {},
    {
      context: ['auto', 'all_turns'],
      effort: ['low', 'high'],
      generate_summary: ['auto', 'detailed'],
      mode: ['standard', 'pro'],
      summary: ['auto', 'detailed'],
    },
    (reasoning) => ({ input: 'x', reasoning }),
  ),
  place<Text>(
    '`text` of the body',
    {},
    { format: [{ type: 'text' }, { type: 'json_object' }], verbosity: ['low', 'high'] },
    (text) => ({ input: 'x', text }),
  ),
  place<Omit<OpenAI.Responses.ResponseOutputMessage, 'role'>>(
    '`message`',
    { id: 'a', type: 'message', status: 'completed', content: [] },
    {
      id: TEXTS,
      status: DONE,
      phase: ['commentary', 'final_answer'],
      content: [[{ type: 'refusal', refusal: 'a' }], [{ type: 'refusal', refusal: 'b' }]],
    },
    (message) => input({ role: 'user', content: 'x' }, { ...message, role: 'assistant' }),
  ),
  place<OpenAI.Responses.ResponseOutputText>(
    '`output_text`',
    { type: 'output_text', text: 'x', annotations: [] },
    {
      text: TEXTS,
      annotations: [[], [{ type: 'file_path', file_id: 'f', index: 1 }]],
      logprobs: [[], [{ token: 'x', bytes: [], logprob: 0, top_logprobs: [] }]],
    },
    (part) => input({ id: 'm', type: 'message', role: 'assistant', status: 'completed', content: [part] }),
  ),
  place<OpenAI.Responses.ResponseInputText>(
    '`input_text`',
    { type: 'input_text', text: 'x' },
    { text: TEXTS, prompt_cache_breakpoint: [undefined, BREAKPOINT] },
    user,
  ),
  place<OpenAI.Responses.ResponseInputImage>(
    '`input_image`',
    { type: 'input_image', image_url: PNG, detail: 'auto' },
    {
      detail: ['low', 'high'],
      file_id: TEXTS,
      image_url: [PNG, 'https://example.org/a.png'],
      prompt_cache_breakpoint: [undefined, BREAKPOINT],
    },
    user,
  ),
  place<OpenAI.Responses.ResponseInputFile>(
    '`input_file`',
    { type: 'input_file' },
    {
      detail: ['low', 'high'],
      file_data: [FILE, `${FILE}A`],
      file_id: TEXTS,
      file_url: ['https://example.org/a', 'https://example.org/b'],
      filename: TEXTS,
      prompt_cache_breakpoint: [undefined, BREAKPOINT],
    },
    (part) => user(part.file_url === undefined ? { file_data: FILE, ...part } : part),
  ),
  place<OpenAI.Responses.ResponseReasoningItem>(
    '`reasoning`',
    { id: 'r', type: 'reasoning', summary: [{ type: 'summary_text', text: 'x' }] },
    {
      id: TEXTS,
      summary: [[{ type: 'summary_text', text: 'a' }], [{ type: 'summary_text', text: 'b' }]],
      content: [[{ type: 'reasoning_text', text: 'a' }], [{ type: 'reasoning_text', text: 'b' }]],
      // Another service's. What freelm gives is kept.
      encrypted_content: TEXTS,
      status: DONE,
    },
    (item) => input({ role: 'user', content: 'x' }, item),
  ),
  place<OpenAI.Responses.ResponseFunctionToolCall>(
    '`function_call`',
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    {
      id: TEXTS,
      call_id: TEXTS,
      name: TEXTS,
      namespace: TEXTS,
      arguments: ['{}', '{"a":1}'],
      status: DONE,
      caller: CALLER,
    },
    (item) => input(item),
  ),
  place<Item & { type: 'function_call_output' }>(
    '`function_call_output`',
    { type: 'function_call_output', call_id: 'c', output: 'x' },
    { id: TEXTS, call_id: TEXTS, output: TEXTS, status: DONE, caller: CALLER },
    (item) => input(item),
  ),
  place<OpenAI.Responses.ResponseCustomToolCall>(
    '`custom_tool_call`',
    { type: 'custom_tool_call', call_id: 'c', name: 'f', input: 'x' },
    { id: TEXTS, call_id: TEXTS, name: TEXTS, namespace: TEXTS, input: TEXTS, caller: CALLER },
    (item) => input(item),
  ),
  place<OpenAI.Responses.ResponseCustomToolCallOutput>(
    '`custom_tool_call_output`',
    { type: 'custom_tool_call_output', call_id: 'c', output: 'x' },
    { id: TEXTS, call_id: TEXTS, output: TEXTS, caller: CALLER },
    (item) => input(item),
  ),
  place<OpenAI.Responses.FunctionTool>(
    '`function` tools',
    { type: 'function', name: 'f', parameters: {}, strict: false },
    {
      name: TEXTS,
      description: TEXTS,
      parameters: [{}, { type: 'object' }],
      strict: FLAGS,
      allowed_callers: [['direct'], ['programmatic']],
      defer_loading: FLAGS,
      output_schema: [{}, { type: 'object' }],
    },
    (tool) => ({ input: 'x', tools: [tool] }),
  ),
  place<OpenAI.Responses.CustomTool>(
    '`custom` tools',
    { type: 'custom', name: 'f' },
    {
      name: TEXTS,
      description: TEXTS,
      allowed_callers: [['direct'], ['programmatic']],
      defer_loading: FLAGS,
      format: [
        { type: 'grammar', syntax: 'lark', definition: 'a' },
        { type: 'grammar', syntax: 'regex', definition: 'a' },
      ],
    },
    (tool) => ({ input: 'x', tools: [tool] }),
  ),
  place<OpenAI.Responses.NamespaceTool>(
    '`namespace` tools',
    { type: 'namespace', name: 'n', description: 'x', tools: [{ type: 'function', name: 'f' }] },
    { name: TEXTS, description: TEXTS, tools: [[], [{ type: 'function', name: 'g' }]] },
    (tool) => ({ input: 'x', tools: [tool] }),
  ),
];
