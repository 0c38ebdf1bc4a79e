/** OpenCode, Cline and Aider, which speak Chat Completions. */

import { isJsonObject, type JsonObject, member } from '../../../src/core/json.ts';
import {
  type AgentClient,
  type Called,
  objectsIn,
  paired,
  parsed,
  pngUrl,
  textOf,
  textsIn,
} from './client.ts';
import type { AgentCall, Said, Session } from './sessions.ts';

function imagePart(url: string): JsonObject {
  return { type: 'image_url', image_url: { url } };
}

function partOf(said: Said): JsonObject {
  return said.type === 'image' ? imagePart(said.url) : { type: 'text', text: said.text };
}

/** Puts chunks together as clients do, with the fields that they know. */
function messageOfChunks(chunks: readonly JsonObject[]): JsonObject {
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  const texts = { content: '', reasoning_content: '' };
  for (const { choices } of chunks) {
    const delta = member(objectsIn(choices)[0], 'delta');
    for (const name of ['content', 'reasoning_content'] as const) {
      const piece = member(delta, name);
      if (typeof piece === 'string') texts[name] += piece;
    }
    for (const piece of objectsIn(member(delta, 'tool_calls'))) {
      const call = (calls[Number(piece['index'])] ??= {
        id: textOf(piece['id']),
        type: 'function',
        function: { name: '', arguments: '' },
      });
      call.function.name += textOf(member(piece['function'], 'name'));
      call.function.arguments += textOf(member(piece['function'], 'arguments'));
    }
  }
  const { content, reasoning_content } = texts;
  return {
    role: 'assistant',
    content: content === '' ? null : content,
    ...(reasoning_content === '' ? {} : { reasoning_content }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** OpenCode has tools. Cline and Aider write what they want done into the text. */
export function chatAgent({ agent, instructions, tools, seed }: Session): AgentClient {
  // Aider knows texts only.
  const isPlain = agent === 'aider';
  const messages: JsonObject[] = instructions.map((content) => ({ role: 'system', content }));
  let calls: readonly Called[] = [];
  return {
    path: '/v1/chat/completions',
    headers: { 'x-session-affinity': `session-${seed}` },
    leftOut: [],
    ask({ outputs, said }) {
      const results = paired(calls, outputs);
      messages.push(...results.map(([id, { text }]) => ({ role: 'tool', tool_call_id: id, content: text })));
      const seen = outputs.flatMap(({ image }) => (image === undefined ? [] : [imagePart(pngUrl(image))]));
      const parts = [...seen, ...said.map(partOf)];
      const content = isPlain ? textsIn(parts, 'text') : parts;
      if (parts.length > 0) messages.push({ role: 'user', content });
      return {
        model: 'auto',
        messages: [...messages],
        temperature: 0,
        ...(tools.length === 0
          ? {}
          : {
              tools: tools.map(({ name, description, schema }) => ({
                type: 'function',
                function: { name, description, parameters: schema },
              })),
              tool_choice: 'auto',
            }),
      };
    },
    hear({ choices }) {
      const given = member(objectsIn(choices)[0], 'message');
      const message = isJsonObject(given) ? given : {};
      messages.push(message);
      const made = objectsIn(message['tool_calls']);
      calls = made.map(({ id }) => ({ id }));
      return {
        thoughts: textOf(message['reasoning_content']),
        text: textOf(message['content']),
        calls: made.map(({ function: called }): AgentCall => ({
          name: textOf(member(called, 'name')),
          input: parsed(member(called, 'arguments')),
        })),
      };
    },
    assemble: (chunks) => ({ choices: [{ message: messageOfChunks(chunks) }] }),
  };
}
