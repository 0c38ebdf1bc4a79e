/** Every member of a request of the Messages API, with two values. */

import type Anthropic from '@anthropic-ai/sdk';
import { FLAGS, place, type Place, TEXTS } from '../places.ts';

type Messages = Anthropic.MessageCreateParamsNonStreaming;

const MARK = { type: 'ephemeral' } as const;
const asking = (messages: Anthropic.MessageParam[]): Partial<Messages> => ({ messages });
const block = (one: Anthropic.ContentBlockParam): Partial<Messages> =>
  asking([{ role: 'user', content: [one] }]);
const answered = (one: Anthropic.ContentBlockParam): Partial<Messages> =>
  asking([
    { role: 'user', content: 'x' },
    { role: 'assistant', content: [one, { type: 'text', text: 'x' }] },
  ]);
const SCHEMA = { type: 'object' } as const;

/** `stream` is for the route. */
type MessagesBody = Omit<Messages, 'stream'>;

export const MESSAGES: readonly Place[] = [
  place<MessagesBody>(
    'body',
    {
      model: 'auto',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'x' }],
      tools: [{ name: 'f', input_schema: SCHEMA }],
    },
    {
      cache_control: [null, MARK],
      container: TEXTS,
      diagnostics: [null, { previous_message_id: 'a' }],
      inference_geo: TEXTS,
      max_tokens: [1, 2],
      messages: [[{ role: 'user', content: 'a' }], [{ role: 'user', content: 'b' }]],
      metadata: [{ user_id: 'a' }, { user_id: 'b' }],
      model: TEXTS,
      output_config: [{ effort: 'low' }, { effort: 'high' }],
      service_tier: ['auto', 'standard_only'],
      speed: ['standard', 'fast'],
      stop_sequences: [['a'], ['b']],
      system: TEXTS,
      thinking: [
        { type: 'enabled', budget_tokens: 1024 },
        { type: 'enabled', budget_tokens: 30_000 },
      ],
      tool_choice: [{ type: 'auto' }, { type: 'any' }],
      tools: [[], [{ name: 'g', input_schema: SCHEMA }]],
      user_profile_id: TEXTS,
      workspace_id: TEXTS,
    },
    (body) => body,
  ),
  place<Anthropic.OutputConfig>(
    '`output_config`',
    {},
    {
      effort: ['low', 'high'],
      format: [
        { type: 'json_schema', schema: {} },
        { type: 'json_schema', schema: SCHEMA },
      ],
    },
    (config) => ({ output_config: config }),
  ),
  place<Anthropic.ThinkingConfigEnabled>(
    '`thinking` of the body',
    { type: 'enabled', budget_tokens: 1024 },
    { budget_tokens: [1024, 30_000], display: ['summarized', 'omitted'] },
    (thinking) => ({ thinking }),
  ),
  place<Anthropic.TextBlockParam>(
    '`text`',
    { type: 'text', text: 'x' },
    {
      text: TEXTS,
      cache_control: [null, MARK],
      citations: [
        null,
        [
          {
            type: 'search_result_location',
            cited_text: 'c',
            title: 't',
            source: 's',
            search_result_index: 0,
            start_block_index: 0,
            end_block_index: 1,
          },
        ],
      ],
    },
    block,
  ),
  place<Anthropic.ImageBlockParam>(
    '`image`',
    { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
    {
      source: [
        { type: 'url', url: 'https://example.org/a.png' },
        { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
      ],
      cache_control: [null, MARK],
      transformations: [null, {}],
    },
    block,
  ),
  place<Anthropic.DocumentBlockParam>(
    '`document`',
    { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } },
    {
      source: [
        { type: 'url', url: 'https://example.org/a.pdf' },
        { type: 'text', media_type: 'text/plain', data: 'a' },
      ],
      title: TEXTS,
      context: TEXTS,
      cache_control: [null, MARK],
      citations: [{ enabled: true }, { enabled: false }],
    },
    block,
  ),
  place<Anthropic.SearchResultBlockParam>(
    '`search_result`',
    { type: 'search_result', title: 't', source: 's', content: [] },
    {
      title: TEXTS,
      source: TEXTS,
      content: [[{ type: 'text', text: 'a' }], [{ type: 'text', text: 'b' }]],
      cache_control: [null, MARK],
      citations: [{ enabled: true }, { enabled: false }],
    },
    block,
  ),
  place<Anthropic.ToolReferenceBlockParam>(
    '`tool_reference`',
    { type: 'tool_reference', tool_name: 'f' },
    { tool_name: TEXTS, cache_control: [null, MARK] },
    (one) => block({ type: 'tool_result', tool_use_id: 'c', content: [one] }),
  ),
  place<Anthropic.ToolUseBlockParam>(
    '`tool_use`',
    { type: 'tool_use', id: 'c', name: 'f', input: {} },
    {
      id: TEXTS,
      name: TEXTS,
      input: [{}, { a: 1 }],
      cache_control: [null, MARK],
      caller: [undefined, { type: 'direct' }],
      toolset_name: TEXTS,
    },
    answered,
  ),
  place<Anthropic.ToolResultBlockParam>(
    '`tool_result`',
    { type: 'tool_result', tool_use_id: 'c', content: 'x' },
    {
      tool_use_id: TEXTS,
      content: TEXTS,
      is_error: FLAGS,
      cache_control: [null, MARK],
      toolset_name: TEXTS,
    },
    block,
  ),
  place<Anthropic.ThinkingBlockParam>(
    '`thinking`',
    { type: 'thinking', thinking: 'x', signature: 'a' },
    // Another service's. What freelm gives is kept.
    { thinking: TEXTS, signature: TEXTS },
    answered,
  ),
  place<Anthropic.RedactedThinkingBlockParam>(
    '`redacted_thinking`',
    { type: 'redacted_thinking', data: 'a' },
    { data: TEXTS },
    answered,
  ),
  place<Anthropic.Tool>(
    'tools',
    { name: 'f', input_schema: SCHEMA },
    {
      name: TEXTS,
      description: TEXTS,
      input_schema: [SCHEMA, { type: 'object', properties: {} }],
      strict: FLAGS,
      cache_control: [null, MARK],
      allowed_callers: [['direct'], ['code_execution_20250825']],
      defer_loading: FLAGS,
      eager_input_streaming: FLAGS,
      input_examples: [[{}], [{ a: 1 }]],
    },
    (tool) => ({ tools: [tool] }),
  ),
  place<Anthropic.ToolChoiceTool>(
    '`tool_choice`',
    { type: 'tool', name: 'f' },
    { name: TEXTS, disable_parallel_tool_use: FLAGS },
    (choice) => ({ tools: [{ name: 'f', input_schema: SCHEMA }], tool_choice: choice }),
  ),
];
