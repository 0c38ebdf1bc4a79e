/** What OpenAI's chat had before tools, and several answers to one request. */

import { describe, expect, it } from 'vitest';
import { MESSAGES, type Script, scripted } from './support.ts';

const LOOK = { name: 'look', parameters: { type: 'object' } };
const call = {
  id: 'call_0',
  type: 'function',
  function: { name: 'look', arguments: '{"a":1}' },
} as const;

describe('functions', () => {
  it('are sent as tools, their calls and results too', async () => {
    const { post, calls } = scripted();
    const called = { name: 'look', arguments: '{}' };
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: null, function_call: called },
      { role: 'function', name: 'look', content: 'one' },
      { role: 'assistant', content: null, function_call: called },
      { role: 'function', name: 'look', content: 'two' },
    ];
    await post({ messages, functions: [LOOK], function_call: { name: 'look' } });
    const sent = { type: 'function', function: called };
    expect(calls[0]).toMatchObject({
      messages: [
        messages[0],
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', ...sent }] },
        { role: 'tool', name: 'look', tool_call_id: 'call_1', content: 'one' },
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_3', ...sent }] },
        { role: 'tool', name: 'look', tool_call_id: 'call_3', content: 'two' },
      ],
      fields: {
        tools: [{ type: 'function', function: LOOK }],
        tool_choice: { type: 'function', function: { name: 'look' } },
        parallel_tool_calls: false,
      },
    });
    expect(calls[0]?.messages[1]).not.toHaveProperty('function_call');
  });

  it('a call comes back in the older form', async () => {
    const answer = { text: '', toolCalls: [call], finishReason: 'tool_calls' };
    const { post } = scripted({ answer });
    const response = await post({ messages: MESSAGES, functions: [LOOK], function_call: 'auto' });
    const body: unknown = await response.json();
    expect(body).toMatchObject({
      choices: [{ message: { content: null, function_call: call.function }, finish_reason: 'function_call' }],
    });
    expect(JSON.stringify(body)).not.toContain('tool_calls');
  });

  it('a call comes back in the older form in a stream', async () => {
    const piece = { type: 'tool-call', id: 'call_0', name: 'look', argumentsDelta: '{}' } as const;
    const script: Script = {
      parts: [
        { ...piece, index: 0 },
        { ...piece, index: 1 },
        { type: 'finish', reason: 'tool_calls' },
      ],
    };
    const text = await (
      await scripted(script).post({ messages: MESSAGES, functions: [LOOK], stream: true })
    ).text();
    expect(text).toContain('"delta":{"function_call":{"name":"look","arguments":"{}"}}');
    expect(text.match(/function_call":\{/g)).toHaveLength(1);
    expect(text).toContain('"finish_reason":"function_call"');
    expect(text).not.toContain('tool_calls');
  });

  it('are not given beside tools', async () => {
    const tools = [{ type: 'function', function: LOOK }];
    const response = await scripted().post({ messages: MESSAGES, functions: [LOOK], tools });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Send tools only');
  });
});

describe('n', () => {
  it('takes as many calls', async () => {
    const { post, calls } = scripted();
    const response = await post({ messages: MESSAGES, n: 3 });
    expect(calls).toHaveLength(3);
    expect(response.headers.get('x-freelm-attempts')).toBe('6');
    expect(await response.json()).toMatchObject({
      choices: [{ index: 0 }, { index: 1 }, { index: 2 }],
      usage: { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 },
    });
  });

  it.each([[{ n: 5 }, 'n: must be at most 4']])('is refused: %j', async (more, message) => {
    const response = await scripted().post({ messages: MESSAGES, ...more });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
  });
});
