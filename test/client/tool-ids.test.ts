import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Mistral, type Provider, tool } from '../../src/index.ts';
import { bodyOf, completion, type Handler, json, posted, serve, type TestServer } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const look = tool({ name: 'look', parameters: z.object({}), execute: () => 'seen' });
const conversation = z.array(
  z.object({
    role: z.string(),
    tool_calls: z.optional(z.array(z.object({ id: z.string() }))),
    tool_call_id: z.optional(z.string()),
  }),
);

/** Calls a tool twice in each of two turns, with one id for all calls, then answers. */
const repeatsIds: Handler = (request, response) => {
  const body = z
    .looseObject({ messages: conversation, stream: z.optional(z.boolean()) })
    .parse(bodyOf(request));
  const isDone = body.messages.filter(({ role }) => role === 'assistant').length >= 2;
  const call = { id: 'call_0', type: 'function', function: { name: 'look', arguments: '{}' } };
  const message = isDone
    ? { content: 'Done.' }
    : {
        tool_calls: [
          { ...call, index: 0 },
          { ...call, index: 1 },
        ],
      };
  const choice = { index: 0, finish_reason: isDone ? 'stop' : 'tool_calls' };
  if (body.stream !== true) return json(response, { ...completion(''), choices: [{ ...choice, message }] });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`data: ${JSON.stringify({ choices: [{ ...choice, delta: message }] })}\n\ndata: [DONE]\n\n`);
};

const PROVIDERS: readonly (readonly [string, (server: TestServer) => Provider, RegExp])[] = [
  ['any endpoint', (server) => endpoint(server), /^call_/],
  [
    'one that wants nine letters',
    ({ url }) => new Mistral('key', { baseUrl: `${url}/v1`, models: ['ministral-8b-2512'] }),
    /^[A-Za-z0-9]{9}$/,
  ],
];

describe.each(PROVIDERS)('the ids of tool calls at %s', (_, provider, form) => {
  it.each([false, true])(
    'differ in the whole conversation, whatever the model sends (streamed: %s)',
    async (stream) => {
      const server = await serve(repeatsIds);
      const llm = open({ providers: [provider(server)] });
      const run = stream
        ? await llm.run('Look twice.', { tools: [look], stream }).result()
        : await llm.run('Look twice.', { tools: [look] });
      const ids = run.turns.flatMap(({ response }) => response.toolCalls.map(({ id }) => id));
      expect(ids).toHaveLength(4);
      expect(new Set(ids).size).toBe(4);
      // The first one is the model's own.
      expect(ids[0]).toBe('call_0');
      const results = run.turns.flatMap((turn) => turn.results.map(({ call }) => call.id));
      expect(results).toEqual(ids);
      // What was sent at the end: each call with an id of its own, in the provider's form, and each result with its call's.
      const sent = conversation.parse(posted(server).at(-1)?.['messages']);
      const calls = sent.flatMap((message) => (message.tool_calls ?? []).map(({ id }) => id));
      expect(new Set(calls).size).toBe(4);
      for (const id of calls) expect(id).toMatch(form);
      expect(sent.flatMap((message) => message.tool_call_id ?? [])).toEqual(calls);
    },
  );
});
