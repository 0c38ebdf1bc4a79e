import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, type RunPart, tool } from '../../src/index.ts';
import type { ReplyFunction } from '../../src/testing.ts';
import { MODEL, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather of a city.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => {
    if (city === 'Atlantis') throw new Error('no such city');
    return { city, sky: 'clear' };
  },
});

const CALLS = {
  toolCalls: [
    { name: 'weather', arguments: { city: 'Paris' } },
    { name: 'weather', arguments: { city: 'Rome' } },
  ],
};

/** Calls the tool for two cities, then answers. */
const twoCities: ReplyFunction = ({ messages }) =>
  messages.some(({ role }) => role === 'tool') ? 'Clear in both.' : CALLS;

function poolFor(reply: ReplyFunction): SimulatedPool {
  return simulatedPool({ openrouter: {}, custom: {}, reply });
}

describe('a run', () => {
  it('carries the calls of an answer out at once and gives their results back', async () => {
    const pool = poolFor(twoCities);
    const result = await pool.run(pool.llm.run('Paris and Rome?', { tools: [weather] }));
    expect(result).toMatchObject({ text: 'Clear in both.', endedBy: 'answer' });
    expect(result.turns.map(({ results }) => results.map(({ outcome }) => outcome))).toEqual([
      [
        { kind: 'output', output: { city: 'Paris', sky: 'clear' } },
        { kind: 'output', output: { city: 'Rome', sky: 'clear' } },
      ],
      [],
    ]);
    expect(result.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'tool',
      'assistant',
    ]);
    const ids = result.turns[0]?.response.toolCalls.map(({ id }) => id);
    expect(result.messages.slice(2, 4).map(({ tool_call_id: id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
  });

  it('streams the parts of each turn and the results between them', async () => {
    const pool = poolFor(twoCities);
    const stream = pool.llm.run('Paris and Rome?', { tools: [weather], stream: true });
    const parts: RunPart[] = [];
    await pool.run(
      (async () => {
        for await (const part of stream) parts.push(part);
      })(),
    );
    const kinds = parts.map(({ type, turn }) => `${turn} ${type}`);
    expect(kinds.filter((kind) => !kind.includes('usage'))).toEqual([
      '1 tool-call',
      '1 tool-call',
      '1 finish',
      '1 tool-result',
      '1 tool-result',
      ...kinds.filter((kind) => kind === '2 text'),
      '2 finish',
    ]);
    expect(await stream.result()).toMatchObject({ text: 'Clear in both.', endedBy: 'answer' });
  });

  it('stays on the route that served the last turn while it is ready', async () => {
    const pool = simulatedPool({ openrouter: {}, custom: {}, strategy: 'round_robin', reply: twoCities });
    for (let run = 0; run < 3; run += 1) {
      await pool.run(pool.llm.run('Both?', { tools: [weather] }));
      await pool.run(pool.llm.chat([{ role: 'user', content: 'Hi' }], { model: 'auto' }));
    }
    const models = pool.transport.sent.filter((_, index) => index % 3 < 2).map(({ model }) => model);
    expect(models[0]).toBe(models[1]);
    expect(models[2]).toBe(models[3]);
    expect(models[4]).toBe(models[5]);
    expect(new Set(models).size).toBe(2);
  });

  it('moves to another route at the edge of a turn when the last one fails', async () => {
    const pool = simulatedPool({ openrouter: {}, custom: {}, strategy: 'priority', reply: twoCities });
    pool.transport.network = {
      answer: ({ model, body }) =>
        model === MODEL.openrouter && JSON.stringify(body).includes('"tool"')
          ? { status: 500, body: 'down' }
          : undefined,
    };
    const result = await pool.run(pool.llm.run('Both?', { tools: [weather] }));
    expect(result.text).toBe('Clear in both.');
    expect(result.turns.map(({ response }) => response.provider)).toEqual(['openrouter', 'custom']);
  });

  it('gives what a tool throws back to the model', async () => {
    const pool = poolFor(({ messages }) => {
      const last = messages.at(-1);
      return last?.['role'] === 'tool'
        ? `It says: ${String(last['content'])}`
        : { toolCalls: [{ name: 'weather', arguments: { city: 'Atlantis' } }] };
    });
    const { text } = await pool.run(pool.llm.run('Atlantis?', { tools: [weather] }));
    expect(text).toBe('It says: {"error":"no such city"}');
  });

  it('ends at maxTurns', async () => {
    const pool = poolFor(() => CALLS);
    const { endedBy, turns } = await pool.run(pool.llm.run('Both?', { tools: [weather], maxTurns: 3 }));
    expect([endedBy, turns.length]).toEqual(['max_turns', 3]);
  });

  it('ends at a call of a tool without a function', async () => {
    const ask = tool({ name: 'ask_user', parameters: z.object({ question: z.string() }) });
    const pool = poolFor(() => ({ toolCalls: [{ name: 'ask_user', arguments: { question: 'Which?' } }] }));
    const { endedBy, response } = await pool.run(pool.llm.run('Help', { tools: [weather, ask] }));
    expect(endedBy).toBe('tool_call');
    expect(response.toolCalls).toMatchObject([{ arguments: { question: 'Which?' } }]);
  });

  it('rejects with the reason of an abort while a tool is busy, and tells the tool', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let told: unknown;
    const slow = tool({
      name: 'slow',
      execute: (_args, { signal }) => {
        controller.abort(reason);
        told = signal?.reason;
        return new Promise(() => {});
      },
    });
    const pool = poolFor(() => ({ toolCalls: [{ name: 'slow', arguments: {} }] }));
    const run = pool.llm.run('Go', { tools: [slow], signal: controller.signal });
    await expect(pool.run(run)).rejects.toBe(reason);
    expect(told).toBe(reason);
  });

  it('continues a conversation of an earlier one', async () => {
    const pool = poolFor(twoCities);
    const { messages } = await pool.run(pool.llm.run('Both?', { tools: [weather] }));
    const next = [...messages, { role: 'user', content: 'Thanks' } as const];
    expect((await pool.run(pool.llm.run(next, { tools: [weather] }))).endedBy).toBe('answer');
  });
});

describe('bad input', () => {
  const { llm } = simulatedPool({ openrouter: {} });

  it.each([
    ['no tools', { tools: undefined }, /options\.tools/],
    ['something else than a tool', { tools: [{ type: 'function' }] }, /options\.tools\[0\]/],
    ['one name twice', { tools: [weather, weather] }, /"weather" twice/],
    ['no turn', { tools: [weather], maxTurns: 0 }, /maxTurns/],
  ])('%s is a ConfigError', async (_what, options, message) => {
    // @ts-expect-error -- as a user without types writes it
    await expect(llm.run('Hi', options)).rejects.toThrow(message);
  });

  it.each([['2fast'], ['two words'], [''], ['x'.repeat(65)]])('a tool is not called %j', (name) => {
    expect(() => tool({ name })).toThrow(ConfigError);
  });
});

/** Thinks and calls the tool at first, and answers from then on. */
const thinking: ReplyFunction = ({ messages, lastUserText }) =>
  messages.at(-1)?.['role'] === 'tool' || lastUserText === 'And now?'
    ? 'Clear.'
    : { reasoning: 'I look it up.', ...CALLS };

describe('what a model gives for itself alone', () => {
  it.each([
    ['openrouter', 'reasoning_details'],
    ['google', 'signature-'],
  ] as const)('goes back to it, and to no other model of its provider: %s', async (name, given) => {
    const models = ['first', 'second'].map((id) => ({ id: `${name}/${id}:free`, lacks: [] }));
    const pool = simulatedPool({ [name]: { models }, reply: thinking });
    const [first, second] = models.map(({ id }) => id);
    const asked = { tools: [weather], model: first };
    const { messages } = await pool.run(pool.llm.run('Paris and Rome?', { ...asked, stream: true }).result());
    const again = [...messages, { role: 'user' as const, content: 'And now?' }];
    for (const model of [second, first]) await pool.run(pool.llm.run(again, { ...asked, model }));
    const sent = pool.transport.sent.map(({ model, body }) => [
      model,
      JSON.stringify(body).includes(given),
      JSON.stringify(body).includes('freelm'),
    ]);
    expect(sent).toEqual([
      [first, false, false],
      [first, true, false],
      [second, false, false],
      [first, true, false],
    ]);
  });
});
