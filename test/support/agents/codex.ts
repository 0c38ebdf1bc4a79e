/** Codex, which speaks Responses. Each item of an answer goes back as it came. */

import type { JsonObject } from '../../../src/core/json.ts';
import {
  type AgentClient,
  type Answered,
  type Called,
  objectsIn,
  paired,
  parsed,
  pngUrl,
  textOf,
  textsIn,
} from './client.ts';
import type { AgentCall, AgentTool, Said, Session } from './sessions.ts';

const GRAMMAR = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };

function toolOf({ name, description, schema }: AgentTool): JsonObject {
  if (schema === undefined) return { type: 'custom', name, description, format: GRAMMAR };
  return { type: 'function', name, description, strict: false, parameters: schema };
}

function partOf(said: Said): JsonObject {
  if (said.type === 'image') return { type: 'input_image', image_url: said.url };
  return { type: 'input_text', text: said.text };
}

export function codex({ instructions: [prompt, environment], tools, seed }: Session): AgentClient {
  const input: JsonObject[] = [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: environment }] },
  ];
  let calls: readonly Called[] = [];
  const namespaces = [...new Set(tools.flatMap(({ namespace }) => namespace ?? []))].map((name) => ({
    type: 'namespace',
    name,
    description: 'Tools of a server.',
    tools: tools.filter(({ namespace }) => namespace === name).map(toolOf),
  }));
  const freeform = new Set(tools.filter(({ schema }) => schema === undefined).map(({ name }) => name));
  const called = new Map<unknown, boolean>();
  const outputItem = ([id, { text, image }]: Answered): JsonObject => ({
    type: called.get(id) === true ? 'custom_tool_call_output' : 'function_call_output',
    call_id: id,
    output:
      image === undefined
        ? text
        : [
            { type: 'input_text', text },
            { type: 'input_image', image_url: pngUrl(image) },
          ],
  });
  return {
    path: '/v1/responses',
    headers: { session_id: `session-${seed}` },
    leftOut: ['web_search'],
    ask({ outputs, said }) {
      input.push(...paired(calls, outputs).map(outputItem));
      if (said.length > 0) input.push({ type: 'message', role: 'user', content: said.map(partOf) });
      return {
        model: 'gpt-5.5-codex',
        instructions: prompt,
        input: [...input],
        tools: [
          ...tools.filter(({ namespace }) => namespace === undefined).map(toolOf),
          ...namespaces,
          { type: 'web_search', external_web_access: false },
        ],
        tool_choice: 'auto',
        parallel_tool_calls: true,
        reasoning: { effort: 'medium', summary: 'auto' },
        store: false,
        include: ['reasoning.encrypted_content'],
        prompt_cache_key: `session-${seed}`,
        text: { verbosity: 'low' },
        client_metadata: { 'x-codex-installation-id': 'a' },
      };
    },
    hear({ output }) {
      const items = objectsIn(output);
      input.push(...items);
      const made = items.filter(({ type }) => type === 'function_call' || type === 'custom_tool_call');
      calls = made.map(({ call_id: id }) => ({ id }));
      for (const { call_id: id, name } of made) called.set(id, freeform.has(textOf(name)));
      const messages = items.filter(({ type }) => type === 'message');
      return {
        thoughts: items.flatMap(({ summary }) => objectsIn(summary).map(({ text }) => textOf(text))).join(''),
        text: messages.map(({ content }) => textsIn(objectsIn(content), 'text')).join(''),
        calls: made.map(({ type, name, namespace, input: given, arguments: json }): AgentCall => ({
          name: textOf(name),
          ...(namespace === undefined ? {} : { namespace: textOf(namespace) }),
          input: type === 'custom_tool_call' ? textOf(given) : parsed(json),
        })),
      };
    },
    // As Codex does: it takes the items that are done, and the end.
    assemble(events) {
      if (events.at(-1)?.['type'] !== 'response.completed') throw new Error('the response is not complete');
      const done = events.filter(({ type }) => type === 'response.output_item.done');
      return { output: done.map(({ item }) => item) };
    },
  };
}
