import { describe, expect, it } from 'vitest';
import type { ChatOptions, StreamPart } from '../../src/index.ts';
import type { ReplyDetails } from '../../src/testing.ts';
import { MODEL, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const TOOLS: ChatOptions = {
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        parameters: {
          type: 'object',
          properties: { city: { type: 'string' }, days: { type: 'integer' } },
          required: ['city'],
        },
      },
    },
  ],
};
const RIGHT = { toolCalls: [{ name: 'get_weather', arguments: { city: 'Rome' } }] };

/** A pool whose first provider answers with `first`, and the other one with a right call. */
function poolFor(first: string | ReplyDetails): SimulatedPool {
  return simulatedPool({
    strategy: 'priority',
    openrouter: {},
    custom: {},
    reply: ({ model }) => (model === MODEL.openrouter ? first : RIGHT),
  });
}

/** How an answer is asked for. */
const WAYS = ['whole', 'streamed'] as const;

async function answerOf(
  { llm, run }: SimulatedPool,
  way: (typeof WAYS)[number],
  options: ChatOptions = TOOLS,
): Promise<Awaited<ReturnType<typeof llm.chat>>> {
  if (way === 'whole') return run(llm.chat('Weather in Paris?', options));
  return run(llm.stream('Weather in Paris?', options).response());
}

describe.each(WAYS)('a tool call, %s,', (way) => {
  it.each([
    ['written as text', '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>', ''],
    ['written after words', 'I will look.\n[TOOL_CALLS]get_weather{"city": "Paris"}', 'I will look.'],
    [
      'with arguments written as text within JSON',
      { toolCalls: [{ name: 'get_weather', arguments: '"{\\"city\\": \\"Paris\\"}"' }] },
      '',
    ],
    ['with a prefix', { toolCalls: [{ name: 'functions.get_weather', arguments: { city: 'Paris' } }] }, ''],
    [
      'without its last bracket',
      { toolCalls: [{ name: 'get_weather', arguments: '{"city": "Paris"' }], finishReason: 'stop' },
      '',
    ],
  ])('%s is repaired', async (_how, reply, text) => {
    const pool = poolFor(reply);
    const answer = await answerOf(pool, way);
    expect(answer.text.trim()).toBe(text);
    expect(answer).toMatchObject({
      finishReason: 'tool_calls',
      toolCalls: [
        {
          type: 'function',
          function: { name: 'get_weather' },
          arguments: { city: 'Paris' },
        },
      ],
    });
    expect(answer.toolCalls[0]?.id).not.toBe('');
    expect(pool.transport.sent).toHaveLength(1);
  });

  it.each([
    ['of no declared tool', { toolCalls: [{ name: 'get_time', arguments: {} }] }],
    ['written as text, of no declared tool', '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'],
    ['that breaks off', { toolCalls: [{ name: 'get_weather', arguments: '{"city": "Par' }] }],
    ['without a required argument', { toolCalls: [{ name: 'get_weather', arguments: { days: 2 } }] }],
    [
      'with a wrong value',
      { toolCalls: [{ name: 'get_weather', arguments: { city: 'Paris', days: 'two' } }] },
    ],
  ])('%s is a failure of the model, and the next route serves the request', async (_how, reply) => {
    const pool = poolFor(reply);
    const answer = await answerOf(pool, way);
    expect(answer.toolCalls).toMatchObject([{ arguments: { city: 'Rome' } }]);
    expect(answer.attempts.map(({ outcome }) => outcome)).toEqual(['server_error', 'success']);
  });

  it('that runs out of tokens is asked for with more room', async () => {
    let limit: unknown;
    const pool = simulatedPool({
      openrouter: {},
      reply: ({ body }) => {
        limit = body['max_tokens'];
        const short = {
          toolCalls: [{ name: 'get_weather', arguments: '{"city": "Pa' }],
          finishReason: 'length',
        };
        return limit === undefined ? short : RIGHT;
      },
    });
    const answer = await answerOf(pool, way);
    expect(answer.toolCalls).toMatchObject([{ arguments: { city: 'Rome' } }]);
    expect(limit).toBeTypeOf('number');
  });

  it('is not searched for if the request declares no tools, or forbids calls', async () => {
    const text = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>';
    for (const options of [{}, { ...TOOLS, tool_choice: 'none' }]) {
      expect(await answerOf(poolFor(text), way, options)).toMatchObject({ text, toolCalls: [] });
    }
  });

  it('is taken back as it is in a later request', async () => {
    const pool = poolFor({ toolCalls: [{ name: 'get_weather', arguments: { city: 'Paris' } }] });
    const { toolCalls } = await answerOf(pool, way);
    const [call] = toolCalls;
    await pool.run(
      pool.llm.chat(
        [
          { role: 'user', content: 'Weather in Paris?' },
          { role: 'assistant', content: null, tool_calls: toolCalls },
          { role: 'tool', tool_call_id: call?.id ?? '', content: 'Sunny' },
        ],
        TOOLS,
      ),
    );
    const sent = JSON.stringify(pool.transport.sent.at(-1)?.body);
    expect(sent).toContain('Sunny');
    expect(sent).not.toContain('"arguments":{"city"');
  });
});

describe('a stream', () => {
  it('hands out no part of a call before the call is whole', async () => {
    const pool = poolFor({
      text: 'I will look.',
      toolCalls: [{ name: 'get_weather', arguments: '{"city": 5}' }],
    });
    const parts: StreamPart[] = [];
    const stream = pool.llm.stream('Weather?', TOOLS).parts();
    await pool.run(
      (async () => {
        for await (const part of stream) parts.push(part);
      })(),
    );
    expect(parts.filter(({ type }) => type === 'tool-call')).toMatchObject([
      { name: 'get_weather', argumentsDelta: '{"city":"5"}' },
    ]);
  });
});
