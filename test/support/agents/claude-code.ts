/** Claude Code, which speaks Messages. The results of tools and what the user says share a message. */

import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import {
  type AgentClient,
  type Answered,
  type Called,
  objectsIn,
  paired,
  parsed,
  textOf,
  textsIn,
} from './client.ts';
import type { AgentCall, Said, Session } from './sessions.ts';

const CACHED = { cache_control: { type: 'ephemeral', ttl: '5m' } } as const;

function pngBlock(data: string): JsonObject {
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
}

function resultBlock([id, { text, isError, image }]: Answered): JsonObject {
  return {
    type: 'tool_result',
    tool_use_id: id,
    content: image === undefined ? text : [{ type: 'text', text }, pngBlock(image)],
    ...(isError ? { is_error: true } : {}),
  };
}

function blockOf(said: Said): JsonObject {
  if (said.type === 'text') return { type: 'text', text: said.text };
  if (said.type === 'image') return pngBlock(said.url.replace(/^.*,/, ''));
  const source = { type: 'text', media_type: 'text/plain', data: said.text };
  return { type: 'document', title: said.title, source, citations: { enabled: false } };
}

export function claudeCode({ instructions, tools, seed }: Session): AgentClient {
  const messages: JsonObject[] = [];
  let calls: readonly Called[] = [];
  return {
    path: '/v1/messages?beta=true',
    headers: { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'interleaved-thinking-2025-05-14' },
    leftOut: ['web_search'],
    ask({ outputs, said }) {
      const blocks = [...paired(calls, outputs).map(resultBlock), ...said.map(blockOf)];
      messages.push({ role: 'user', content: blocks });
      const last = {
        role: 'user',
        content: blocks.map((block, at) => (at < blocks.length - 1 ? block : { ...block, ...CACHED })),
      };
      return {
        model: 'claude-sonnet-5',
        max_tokens: 32_000,
        system: instructions.map((text) => ({ type: 'text', text, ...CACHED })),
        tools: [
          ...tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
          { type: 'web_search_20250305', name: 'web_search', max_uses: 8 },
        ],
        messages: [...messages.slice(0, -1), last],
        metadata: { user_id: `user_a_session_${seed}` },
        thinking: { type: 'enabled', budget_tokens: 31_999 },
        context_management: { edits: [] },
      };
    },
    hear({ content }) {
      const blocks = objectsIn(content);
      messages.push({ role: 'assistant', content: blocks });
      const of = (type: string): readonly JsonObject[] => blocks.filter((block) => block['type'] === type);
      const made = of('tool_use');
      calls = made.map(({ id }) => ({ id }));
      return {
        thoughts: textsIn(of('thinking'), 'thinking'),
        text: textsIn(of('text'), 'text'),
        calls: made.map(({ name, input }): AgentCall => ({
          name: textOf(name),
          input: isJsonObject(input) ? input : {},
        })),
      };
    },
    assemble(events) {
      if (events.at(-1)?.['type'] !== 'message_stop') throw new Error('the message is not complete');
      const blocks: JsonObject[] = [];
      let json = '';
      for (const { type, content_block: block, delta } of events) {
        const { partial_json: piece, type: _kind, ...fields } = isJsonObject(delta) ? delta : {};
        if (type === 'content_block_start' && isJsonObject(block)) blocks.push({ ...block });
        const open = blocks.at(-1);
        if (open === undefined) continue;
        if (type === 'content_block_delta' && typeof piece === 'string') json += piece;
        else if (type === 'content_block_delta')
          for (const [name, added] of Object.entries(fields))
            Object.assign(open, { [name]: textOf(open[name]) + textOf(added) });
        else if (type === 'content_block_stop' && json !== '') {
          Object.assign(open, { input: parsed(json) });
          json = '';
        }
      }
      return { content: blocks };
    },
  };
}
