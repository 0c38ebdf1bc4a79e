/** Requests that most models take, each of which offends one form that some models insist on. */

import type { ChatMessage, ChatOptions } from '../../src/index.ts';
import type { RequirementName } from '../../src/testing.ts';

/** The messages and fields of a request, as a caller writes them. */
export interface OffendingRequest {
  readonly messages: readonly ChatMessage[];
  readonly fields?: ChatOptions;
  /** Fields that freelm passes on without knowing them. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const HELLO: ChatMessage = { role: 'user', content: 'Hello' };

export function toolNamed(
  name: string,
  properties: object = { q: { type: 'string' } },
  more: object = {},
): object {
  return { type: 'function', function: { name, parameters: { type: 'object', properties, ...more } } };
}

function callOf(id: string, name = 'look'): object {
  return { id, type: 'function', function: { name, arguments: '{}' } };
}

/** A history with one turn of the assistant that called tools with these ids. */
function toolHistory(ids: readonly string[], fields: object = {}): ChatMessage[] {
  return [
    HELLO,
    { role: 'assistant', content: null, tool_calls: ids.map((id) => callOf(id)), ...fields },
    ...ids.map((id): ChatMessage => ({ role: 'tool', tool_call_id: id, content: 'found' })),
  ];
}

const LOOK = { tools: [toolNamed('look')] };

/** At least one request per form. Their last user message is always "Hello". */
export const OFFENDING_REQUESTS: Readonly<Record<RequirementName, readonly OffendingRequest[]>> = {
  'no-content-lists': [
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] },
    { messages: [{ role: 'system', content: [{ type: 'text', text: 'Be short.' }] }, HELLO] },
  ],
  'no-developer-role': [{ messages: [{ role: 'developer', content: 'Be short.' }, HELLO] }],
  'one-system-message': [
    { messages: [{ role: 'system', content: 'Be short.' }, { role: 'system', content: 'Be kind.' }, HELLO] },
    {
      messages: [
        { role: 'user', content: 'Hm.' },
        { role: 'assistant', content: 'Yes?' },
        { role: 'system', content: 'Be short.' },
        HELLO,
      ],
    },
  ],
  'alternating-roles': [
    { messages: [{ role: 'user', content: 'One.' }, HELLO] },
    { messages: [{ role: 'assistant', content: 'How can I help?' }, HELLO] },
  ],
  'no-empty-tools': [{ messages: [HELLO], fields: { tools: [] } }],
  'no-tool-choice-alone': [{ messages: [HELLO], fields: { tool_choice: 'auto' } }],
  'no-empty-assistant': [
    { messages: [{ role: 'user', content: 'a' }, { role: 'assistant', content: '' }, HELLO] },
    { messages: [{ role: 'user', content: 'a' }, { role: 'assistant', content: null }, HELLO] },
  ],
  'well-formed-text': [
    { messages: [{ role: 'system', content: 'A text that was cut here \uD83D' }, HELLO] },
    {
      messages: [
        ...toolHistory(['call_1']).slice(0, -1),
        {
          role: 'tool',
          tool_call_id: 'call_1',
          content: '\uDE00 found',
        },
      ],
      fields: LOOK,
    },
  ],
  'unique-tool-ids': [
    { messages: [...toolHistory(['call_0']), ...toolHistory(['call_0'])], fields: LOOK },
    { messages: toolHistory(['call_0', 'call_0']), fields: LOOK },
  ],
  'lawful-tool-ids': [
    { messages: toolHistory(['functions.look:0']), fields: LOOK },
    { messages: toolHistory([`call_${'x'.repeat(80)}`]), fields: LOOK },
  ],
  'short-tool-ids': [{ messages: toolHistory(['call_1', 'call_2']), fields: LOOK }],
  'images-as-data': [
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hello' },
            { type: 'image_url', image_url: { url: 'https://images.example/one.png' } },
          ],
        },
      ],
    },
  ],
  'thought-signatures': [{ messages: toolHistory(['call_1']), fields: LOOK }],
  'no-reasoning-fields': [
    {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b', reasoning_content: 'Hm.' },
        HELLO,
      ],
    },
    {
      messages: [
        { role: 'user', content: 'a' },
        {
          role: 'assistant',
          content: 'b',
          reasoning: 'Hm.',
          reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }],
        },
        HELLO,
      ],
    },
  ],
  'reasoning-content-back': [{ messages: toolHistory(['call_1']), fields: LOOK }],
  'max-tokens-only': [{ messages: [HELLO], fields: { max_completion_tokens: 100 } }],
  'max-completion-tokens-only': [{ messages: [HELLO], fields: { max_tokens: 100 } }],
  'no-unknown-fields': [
    { messages: [HELLO], extra: { store: true } },
    { messages: [HELLO], extra: { metadata: { a: 'b' }, x_trace: 'c' } },
  ],
  'plain-function-names': [
    { messages: [HELLO], fields: { tools: [toolNamed('1password__list_items')] } },
    { messages: [HELLO], fields: { tools: [toolNamed('files.read')] } },
    { messages: [HELLO], fields: { tools: [toolNamed(`mcp__${'long_'.repeat(14)}name`)] } },
  ],
  'plain-schemas': [
    {
      messages: [HELLO],
      fields: { tools: [toolNamed('count', { n: { type: 'integer', exclusiveMinimum: 0 } })] },
    },
    {
      messages: [HELLO],
      fields: {
        tools: [
          toolNamed(
            'count',
            { q: { type: 'string' }, n: { const: 1 } },
            { $schema: 'http://json-schema.org/draft-07/schema#', additionalProperties: false },
          ),
        ],
      },
    },
  ],
  'no-last-assistant': [{ messages: [HELLO, { role: 'assistant', content: 'The answer' }] }],
};

function isRequirementName(name: string): name is RequirementName {
  return Object.hasOwn(OFFENDING_REQUESTS, name);
}

export const REQUIREMENT_NAMES: readonly RequirementName[] =
  Object.keys(OFFENDING_REQUESTS).filter(isRequirementName);
