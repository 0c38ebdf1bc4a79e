/** Several answers in one stream. */

import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { elementsOf, isJsonObject, type JsonObject, member } from '../../src/core/json.ts';
import { DeadlineError } from '../../src/errors.ts';
import type { StreamPart } from '../../src/wire/response/stream-part.ts';
import { MESSAGES, scripted } from './support.ts';

const USAGE = { promptTokens: 3, completionTokens: 2, totalTokens: 5 };
const PARTS: readonly StreamPart[] = [
  { type: 'text', text: 'Hel' },
  { type: 'text', text: 'lo' },
  { type: 'tool-call', index: 0, id: 'c', name: 'look', argumentsDelta: '{"a":' },
  { type: 'tool-call', index: 0, id: 'c', name: 'look', argumentsDelta: '1}' },
  { type: 'usage', usage: USAGE },
  { type: 'finish', reason: 'tool_calls' },
];

/** The data of each event, as far as it is JSON, and the last one, which is none. */
async function eventsOf(response: Response): Promise<readonly [events: readonly JsonObject[], last: string]> {
  const data = (await response.text()).split('\n\n').map((event) => event.replace('data: ', ''));
  const events = data.slice(0, -2).map((text): unknown => JSON.parse(text));
  return [events.filter(isJsonObject), data.at(-2) ?? ''];
}

function choicesOf(events: readonly JsonObject[], index: number): readonly unknown[] {
  return events
    .flatMap((event) => elementsOf(event['choices']))
    .filter((choice) => member(choice, 'index') === index);
}

it("of a chat are whole for OpenAI's client, and have the tokens of all", async () => {
  const { fetch, calls } = scripted({ parts: PARTS });
  const { completions } = new OpenAI({ apiKey: 'any', fetch }).chat;
  const stream = completions.stream({
    model: 'auto',
    messages: [...MESSAGES],
    n: 3,
    stream_options: { include_usage: true },
  });
  const { choices, usage } = await stream.finalChatCompletion();
  expect(calls).toHaveLength(3);
  expect(usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 });
  expect(choices).toHaveLength(3);
  for (const [index, choice] of choices.entries())
    expect(choice).toMatchObject({
      index,
      finish_reason: 'tool_calls',
      message: {
        content: 'Hello',
        tool_calls: [{ id: 'c', function: { name: 'look', arguments: '{"a":1}' } }],
      },
    });
});

it('of a chat come as they arrive, and the stream ends with the last of them', async () => {
  const { post } = scripted({ parts: PARTS });
  const response = await post({ messages: MESSAGES, n: 2, stream: true });
  expect(response.headers.get('x-freelm-attempts')).toBe('2');
  const [events, last] = await eventsOf(response);
  expect(last).toBe('[DONE]');
  for (const index of [0, 1]) {
    const choices = choicesOf(events, index);
    expect(choices[0]).toMatchObject({ delta: { role: 'assistant' } });
    expect(choices.filter((choice) => member(choice, 'finish_reason') !== null)).toHaveLength(1);
  }
  const [first, second] = [0, 1].map((index) =>
    events.findIndex((event) => member(elementsOf(event['choices'])[0], 'index') === index),
  );
  // The second one does not wait for the end of the first one.
  expect(Math.abs((first ?? 0) - (second ?? 0))).toBeLessThan(3);
});

it('of completions come with their index, for each prompt', async () => {
  const parts: readonly StreamPart[] = [
    { type: 'text', text: 'Hi' },
    { type: 'usage', usage: USAGE },
    { type: 'finish', reason: 'stop' },
  ];
  const { post, calls } = scripted({ parts });
  const body = { prompt: ['a', 'b'], n: 2, stream: true, stream_options: { include_usage: true } };
  const [events, last] = await eventsOf(await post(body, '/v1/completions'));
  expect(calls.map(({ messages }) => messages[0]?.content)).toEqual(['a', 'a', 'b', 'b']);
  for (const index of [0, 1, 2, 3])
    expect(choicesOf(events, index)).toEqual([
      { text: 'Hi', index, logprobs: null, finish_reason: null },
      { text: '', index, logprobs: null, finish_reason: 'stop' },
    ]);
  expect(events.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 20 } });
  expect(last).toBe('[DONE]');
});

describe('a stream of several answers', () => {
  it('breaks with one of them, and asks for no more of the others', async () => {
    const { post, streams } = scripted({ parts: [{ type: 'text', text: 'Hel' }, new DeadlineError(10, [])] });
    const response = await post({ messages: MESSAGES, n: 2, stream: true });
    const text = await response.text();
    expect(text).toContain('"code":"timeout"');
    expect(text).not.toContain('[DONE]');
    for (const stream of streams) expect([stream.ended, stream.aborted.length > 0]).toEqual([true, true]);
  });

  it('has a status of its own if no answer begins', async () => {
    const { post } = scripted({ parts: [new DeadlineError(10, [])] });
    expect((await post({ messages: MESSAGES, n: 2, stream: true })).status).toBe(504);
  });

  it('that its client leaves ends all of them', async () => {
    const { post, streams } = scripted({ parts: PARTS });
    const response = await post({ messages: MESSAGES, n: 4, stream: true });
    await response.body?.cancel('enough');
    for (const stream of streams) expect([stream.ended, stream.aborted[0]]).toEqual([true, 'enough']);
  });
});
