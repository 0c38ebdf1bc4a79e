import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type FreeLLM, GoogleAIStudio } from '../../src/index.ts';
import { bodyOf, completion, type Handler, json, posted, serve } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const NAME = '1password__list_items';
const tools = [{ type: 'function', function: { name: NAME, parameters: { type: 'object' } } }] as const;

/** Answers with a call of a function that has no id, whole or as a stream. */
function calling(name: string): Handler {
  const call = { index: 0, id: '', type: 'function', function: { name, arguments: '{}' } };
  const choice = { index: 0, finish_reason: 'tool_calls' };
  return (request, response: ServerResponse) => {
    const answer = { ...completion(''), choices: [{ ...choice, message: { tool_calls: [call] } }] };
    if (bodyOf(request)['stream'] !== true) return json(response, answer);
    const chunk = { choices: [{ ...choice, delta: { tool_calls: [call] } }] };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
  };
}

/** The calls of a whole answer, of the parts of a stream, and of a stream's response. */
async function callsOf(llm: FreeLLM): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const whole = await llm.chat('x', { tools });
  const stream = llm.stream('x', { tools });
  const found = whole.toolCalls.map(({ id, function: { name } }) => ({ id, name }));
  for await (const part of stream.parts()) {
    if (part.type === 'tool-call') found.push({ id: part.id, name: part.name });
  }
  const { toolCalls } = await stream.response();
  return [...found, ...toolCalls.map(({ id, function: { name } }) => ({ id, name }))];
}

describe('tool calls', () => {
  it('without ids get ids of their own in each answer, the same in a stream and in its response', async () => {
    const server = await serve(calling(NAME));
    const [first, streamed, responded] = await callsOf(open({ providers: [endpoint(server)] }));
    const [again] = await callsOf(open({ providers: [endpoint(server)] }));
    expect(responded?.id).toBe(streamed?.id);
    expect(new Set([first?.id, streamed?.id, again?.id]).size).toBe(3);
    expect(first?.id).toMatch(/^call_[0-9a-f]{12}_0$/);
  });

  it('have the names that the caller gave, though others were sent', async () => {
    const server = await serve(calling(`_${NAME}`));
    const google = new GoogleAIStudio('a-key', { baseUrl: server.url, models: ['gemini-3.8-flash'] });
    const made = await callsOf(open({ providers: [google] }));
    expect(made.map(({ name }) => name)).toEqual([NAME, NAME, NAME]);
    expect(JSON.stringify(posted(server))).not.toContain(`"${NAME}"`);
  });
});

describe('what a model refuses of schemas', () => {
  it('is learnt from one refusal and costs one request', async () => {
    const server = await serve((request, response) => {
      if (!request.body.includes('minLength')) return json(response, completion('fine'));
      const message = `Invalid JSON payload received. Unknown name "minLength" at 'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field.`;
      return json(response, [{ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }], 400);
    });
    const google = new GoogleAIStudio('a-key', { baseUrl: server.url, models: ['gemini-3.8-flash'] });
    const llm = open({ providers: [google] });
    const parameters = { type: 'object', properties: { a: { type: 'string', minLength: 1 } } };
    const asked = { tools: [{ type: 'function', function: { name: 'f', parameters } }] } as const;
    expect(await llm.text('x', asked)).toBe('fine');
    expect(server.requests).toHaveLength(2);
    expect(await llm.text('x', asked)).toBe('fine');
    expect(server.requests).toHaveLength(3);
  });
});
