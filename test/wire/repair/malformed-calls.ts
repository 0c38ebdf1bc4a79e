/** A corpus of tool calls as models write them, and of prose that speaks of tools. */

import type { JsonObject } from '../../../src/core/json.ts';
import type { DeclaredTools } from '../../../src/wire/request/declared-tools.ts';

const text = { type: 'string' };

export const TOOLS: DeclaredTools = new Map<string, JsonObject>([
  [
    'get_weather',
    { type: 'object', properties: { city: text, days: { type: 'integer' } }, required: ['city'] },
  ],
  [
    'search_files',
    { type: 'object', properties: { query: text, limit: { type: 'integer' } }, required: ['query'] },
  ],
  ['write_file', { type: 'object', properties: { path: text, text }, required: ['path', 'text'] }],
  [
    'update_task',
    {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        done: { type: 'boolean' },
        tags: { type: 'array', items: text },
      },
    },
  ],
  ['now', { type: 'object', properties: {} }],
]);

interface Wanted {
  readonly name: string;
  readonly values: JsonObject;
}

const CALLS: readonly Wanted[] = [
  { name: 'get_weather', values: { city: 'Paris', days: 3 } },
  { name: 'search_files', values: { query: 'where is "main" called?', limit: 5 } },
  { name: 'write_file', values: { path: 'src/a.ts', text: 'if (a < b) {\n  run({ x: [1] });\n}\n' } },
  { name: 'update_task', values: { id: 7, done: true, tags: ['home', 'très urgent'] } },
];

/** A value as in Python. */
function python(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null) return 'None';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'string' && !value.includes("'") && !value.includes('\n') && !value.includes('"'))
    return `'${value}'`;
  return JSON.stringify(value);
}

const keywords = ({ values }: Wanted): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${python(value)}`)
    .join(', ');
const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const tagged = ({ values }: Wanted, write: (name: string, value: string) => string): string =>
  Object.entries(values)
    .map(([name, value]) => write(name, plain(value)))
    .join('\n');

/** Each dialect: how it writes one call, given the arguments as JSON. */
const DIALECTS: Readonly<Record<string, (call: Wanted, json: string) => string>> = {
  'tagged JSON': ({ name }, json) => `<tool_call>\n{"name": "${name}", "arguments": ${json}}\n</tool_call>`,
  'fenced JSON': ({ name }, json) => `\`\`\`json\n{"name": "${name}", "arguments": ${json}}\n\`\`\``,
  'bare JSON': ({ name }, json) => `{"type": "function", "name": "${name}", "parameters": ${json}}`,
  'nested JSON': ({ name }, json) =>
    `{"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "${name}", "arguments": ${json}}}]}`,
  'function tags': ({ name }, json) => `<function=${name}>${json}</function>`,
  'bracket list': ({ name }, json) => `[TOOL_CALLS] [{"name": "${name}", "arguments": ${json}}]`,
  'bracket name': ({ name }, json) => `[TOOL_CALLS]${name}[ARGS]${json}`,
  'python token': ({ name }, json) => `<|python_tag|>{"name": "${name}", "parameters": ${json}}<|eom_id|>`,
  'harmony channels': ({ name }, json) =>
    `<|channel|>analysis<|message|>The user wants it.<|end|><|start|>assistant<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${json}<|call|>`,
  'numbered tokens': ({ name }, json) =>
    `<|tool_calls_section_begin|><|tool_call_begin|>functions.${name}:0<|tool_call_argument_begin|>${json}<|tool_call_end|><|tool_calls_section_end|>`,
  'wide tokens': ({ name }, json) =>
    `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${json}\n\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
  'thought and action': ({ name }, json) =>
    `Thought: I should do it.\nAction: ${name}\nAction Input: ${json}`,
  functools: ({ name }, json) => `functools[{"name": "${name}", "arguments": ${json}}]`,
};

/** Dialects that do not write JSON. */
const OTHERS: Readonly<Record<string, (call: Wanted) => string>> = {
  'pythonic call': (call) => `${call.name}(${keywords(call)})`,
  'pythonic list': (call) => `[${call.name}(${keywords(call)})]`,
  'printed call': (call) => `\`\`\`tool_code\nprint(default_api.${call.name}(${keywords(call)}))\n\`\`\``,
  'parameter tags': (call) =>
    `<tool_call>\n<function=${call.name}>\n${tagged(call, (name, value) => `<parameter=${name}>\n${value}\n</parameter>`)}\n</function>\n</tool_call>`,
  'invoke tags': (call) =>
    `<function_calls>\n<invoke name="${call.name}">\n${tagged(call, (name, value) => `<parameter name="${name}">${value}</parameter>`)}\n</invoke>\n</function_calls>`,
  'key and value tags': (call) =>
    `<tool_call>${call.name}\n${tagged(call, (name, value) => `<arg_key>${name}</arg_key>\n<arg_value>${value}</arg_value>`)}\n</tool_call>`,
};

/** Ways in which JSON goes wrong. */
const FLAWS: Readonly<Record<string, (values: JsonObject) => string>> = {
  'as it should be': (values) => JSON.stringify(values),
  'with a trailing comma': (values) => JSON.stringify(values, undefined, 2).replace(/\n\}$/, ',\n}'),
  "with Python's words and quotes": (values) =>
    `{${Object.entries(values)
      .map(([name, value]) => `'${name}': ${python(value)}`)
      .join(', ')}}`,
  'as text within JSON': (values) => JSON.stringify(JSON.stringify(values)),
};

export interface MalformedCall extends Wanted {
  readonly what: string;
  readonly text: string;
}

/** More than 200 calls in 19 dialects. */
export const MALFORMED_CALLS: readonly MalformedCall[] = CALLS.flatMap((call) => [
  ...Object.entries(DIALECTS).flatMap(([dialect, write]) =>
    Object.entries(FLAWS).map(([flaw, json]) => ({
      ...call,
      what: `${dialect} ${flaw}`,
      text: write(call, json(call.values)),
    })),
  ),
  ...Object.entries(OTHERS).map(([dialect, write]) => ({ ...call, what: dialect, text: write(call) })),
  {
    ...call,
    what: 'tagged JSON without its last brackets',
    text: `<tool_call>{"name": "${call.name}", "arguments": ${JSON.stringify(call.values)}`,
  },
  {
    ...call,
    what: 'tagged JSON with a bracket too many',
    text: `<tool_call>{"name": "${call.name}", "arguments": ${JSON.stringify(call.values)}}}</tool_call>`,
  },
  {
    ...call,
    what: 'tagged JSON after words',
    text: `I will do that now.\n\n<tool_call>{"name": "${call.name}", "arguments": ${JSON.stringify(call.values)}}</tool_call>`,
  },
  {
    ...call,
    what: 'tagged JSON after thoughts',
    text: `<think>\nMaybe {"name": "now"}?\n</think>\n<tool_call>{"name": "${call.name}", "arguments": ${JSON.stringify(call.values)}}</tool_call>`,
  },
]);

/** Sentences about a tool, with the tool's name for `T`. */
const SENTENCES: readonly string[] = [
  'T is the tool for that.',
  'T(city) takes one argument and returns a forecast.',
  'You can use `T` whenever you like.',
  'I would call T, but I have no access to it.',
  'To call it, write `<tool_call>{"name": "T", "arguments": {}}</tool_call>`.',
  'The model emits:\n```\n<tool_call>\n{"name": "T", "arguments": {"city": "Paris"}}\n</tool_call>\n```\nThe client then runs it.',
  'Here is an example:\n```json\n{"name": "T", "arguments": {"city": "Paris"}}\n```\nAdapt it to your needs.',
  'An example of a request:\n```json\n{"name": "T", "arguments": {"city": "Paris"}}\n```',
  '```python\nresult = T(city="Paris")\nprint(result)\n```',
  'In Python: `T(city="Paris")`. In TypeScript: `await T({ city: "Paris" })`.',
  'T: a function that takes a city.',
  '| tool | meaning |\n| --- | --- |\n| T | does it |',
  '1. Call T.\n2. Read the result.\n3. Answer.',
  'Action: think about T first.',
  'Action items:\n- T must be documented\n- tests for T',
  'The tag <tool_call> begins a call of T, and </tool_call> ends it.',
  '<tool_call> is how some models begin a call. After it comes the name, e.g. T.',
  'Mistral writes [TOOL_CALLS] before the list of calls; the name may be T.',
  'Error: T failed with {"error": "no such city"}.',
  '{"name": "T", "description": "Does it.", "parameters": {"type": "object", "properties": {}}}',
  '[{"name": "T", "description": "Does it."}]',
  '{"answer": "T was not needed."}',
  '[1, 2, 3]',
  '{"name": "Ada", "arguments": ["for", "against"]}',
  'The result of T was {"sky": "clear"}.',
  '"T"',
  'T',
  'T, T and T again.',
  '```\nT\n```',
  '# T\n\nThis page explains T.',
  '<b>T</b> is bold.',
  '<T> is no tag of HTML.',
  'function T(city) {\n  return fetch(`/weather/${city}`);\n}',
  'What do you want to know about T? Tell me the city.',
  'I called T and got an answer: it is sunny. Shall I call it for Rome as well?',
  'Thought: the user asks about T.\nI think that no action is needed.',
  'commentary: T is fine.',
  'to=functions.T is how harmony addresses a tool.',
  'The arguments {"city": "Paris"} would be passed to T.',
  '- `T`\n- `other_tool`',
];

/** 200 texts that call nothing. */
export const PROSES: readonly string[] = [...TOOLS.keys()].flatMap((name) =>
  SENTENCES.map((sentence) =>
    sentence.replaceAll('T', (sign, at: number, whole: string) =>
      /\w/.test(whole[at - 1] ?? ' ') || /\w/.test(whole[at + 1] ?? ' ') ? sign : name,
    ),
  ),
);
