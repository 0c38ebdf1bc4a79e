/** The helpers of chat completions and `responses.create`: the same code with OpenAI's SDK over freelm and with this client. */

import RealOpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import OpenAI from '../../src/compat.ts';
import type { ReplyFunction } from '../../src/testing.ts';
import { rejection } from '../support/rejection.ts';
import { compatClient, type CompatSetup } from './support.ts';

/** Both have the methods under test in forms that take the same arguments. */
type Either = RealOpenAI | OpenAI;
type Helpers = Pick<RealOpenAI['chat']['completions'], 'parse' | 'runTools' | 'stream'>;

function helpersOf(client: Either): Helpers {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- types.test-d.ts compares the types
  return client.chat.completions as unknown as Helpers;
}

const CLIENTS: readonly (readonly [string, (setup: CompatSetup) => Either])[] = [
  ['openai', ({ llm }) => new RealOpenAI({ apiKey: 'none', fetch: llm.fetch })],
  ['freelm/compat', ({ client }) => client],
];

const HELLO = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hello' }] };
const ANSWER = z.object({ answer: z.string() });
const FORMAT = zodResponseFormat(ANSWER, 'answer');
const PLAIN_FORMAT = {
  type: 'json_schema' as const,
  json_schema: { name: 'answer', schema: { type: 'object', properties: { answer: { type: 'string' } } } },
};
const inJson: ReplyFunction = () => '{"answer":"42"}';

/** Calls the tool for two cities at once, then again, then says what it heard. */
const meteorologist: ReplyFunction = ({ messages }) => {
  const heard = messages.flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));
  if (heard.length >= 3) return heard.join('; ');
  const cities = heard.length === 0 ? ['Oslo', 'Rome'] : ['Bonn'];
  return {
    text: 'I look.',
    toolCalls: cities.map((city, index) => ({
      id: `call_${heard.length}_${index}`,
      name: 'weather',
      arguments: { city },
    })),
  };
};

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object' as const, properties: { city: { type: 'string' as const } } },
    parse: (input: string) => z.object({ city: z.string() }).parse(JSON.parse(input)),
    function: ({ city }: { city: string }) => ({ city, degrees: city.length }),
  },
};

const question = { model: 'auto', messages: [{ role: 'user' as const, content: 'How is the weather?' }] };

/** What is used of a run's events. */
interface Run {
  on(name: string, listener: (given: unknown) => void): unknown;
}

/** The name and the first argument of each event of a run. */
function heardFrom(run: Run): string[] {
  const heard: string[] = [];
  for (const name of [
    'functionToolCall',
    'functionToolCallResult',
    'finalContent',
    'finalFunctionToolCallResult',
  ] as const)
    run.on(name, (given: unknown) => heard.push(`${name} ${JSON.stringify(given)}`));
  for (const name of [
    'message',
    'chatCompletion',
    'finalMessage',
    'finalChatCompletion',
    'totalUsage',
    'end',
  ] as const)
    run.on(name, () => heard.push(name));
  return heard;
}

describe.each(CLIENTS)('%s', (_name, make) => {
  async function over(
    reply?: ReplyFunction,
  ): Promise<{ readonly helpers: Helpers; readonly setup: CompatSetup }> {
    const setup = await compatClient({ reply });
    return { helpers: helpersOf(make(setup)), setup };
  }

  it('parse() reads the value of a schema that checks, and of a plain one', async () => {
    const { helpers } = await over(inJson);
    for (const response_format of [FORMAT, PLAIN_FORMAT]) {
      const { choices } = await helpers.parse({ ...HELLO, response_format });
      expect(choices[0]?.message.parsed).toEqual({ answer: '42' });
    }
    const { choices } = await helpers.parse(HELLO);
    expect(choices[0]?.message.parsed).toBeNull();
  });

  it('parse() rejects what the schema does not accept, and an answer that is cut', async () => {
    const { helpers } = await over(() => '{"answer":5}');
    await expect(helpers.parse({ ...HELLO, response_format: FORMAT })).rejects.toThrow('expected string');
    const cut = await over(() => ({ text: '{"answer":', finishReason: 'length' }));
    const error = await rejection(cut.helpers.parse({ ...HELLO, response_format: FORMAT }));
    expect(error).toHaveProperty('message', expect.stringMatching(/length limit|limit of tokens/));
  });

  it('parse() has the response', async () => {
    const { helpers } = await over(inJson);
    const { data, response } = await helpers.parse({ ...HELLO, response_format: FORMAT }).withResponse();
    expect([response.status, data.choices[0]?.message.parsed]).toEqual([200, { answer: '42' }]);
  });

  it('stream() tells of pieces and of the whole', async () => {
    const { helpers } = await over();
    const stream = helpers.stream(HELLO);
    const pieces: [string, string][] = [];
    stream.on('content', (delta, snapshot) => pieces.push([delta, snapshot]));
    const done = stream.emitted('content.done');
    const heard = heardFrom(stream);
    const completion = await stream.finalChatCompletion();
    expect(pieces).toEqual([
      ['You', 'You'],
      [' said:', 'You said:'],
      [' Hello', 'You said: Hello'],
    ]);
    expect(completion.choices).toMatchObject([
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: 'You said: Hello', parsed: null },
      },
    ]);
    expect(await stream.finalContent()).toBe('You said: Hello');
    expect(await done).toEqual({ content: 'You said: Hello', parsed: null });
    expect(heard).toEqual([
      'chatCompletion',
      'message',
      'finalChatCompletion',
      'finalMessage',
      'finalContent "You said: Hello"',
      'end',
    ]);
    expect([stream.ended, stream.errored, stream.aborted]).toEqual([true, false, false]);
  });

  it('stream() is read in a loop as well', async () => {
    const { helpers } = await over(inJson);
    const stream = helpers.stream({ ...HELLO, response_format: FORMAT });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    expect(text).toBe('{"answer":"42"}');
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.message.parsed).toEqual({ answer: '42' });
  });

  it('stream() puts calls together', async () => {
    const { helpers } = await over(meteorologist);
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: {} } }];
    const stream = helpers.stream({ ...question, tools });
    const done: unknown[] = [];
    stream.on('tool_calls.function.arguments.done', ({ name, index, arguments: given }) =>
      done.push([name, index, given]),
    );
    const { choices } = await stream.finalChatCompletion();
    const calls = choices[0]?.message.tool_calls;
    const expected = ['{"city":"Oslo"}', '{"city":"Rome"}'];
    expect(calls?.map(({ id, function: called }) => [id, called.arguments])).toEqual([
      ['call_0_0', expected[0]],
      ['call_0_1', expected[1]],
    ]);
    expect(done).toEqual(expected.map((given, index) => ['weather', index, given]));
  });

  it.each([false, true])(
    'runTools() calls functions until there is an answer; streamed: %s',
    async (stream) => {
      const { helpers } = await over(meteorologist);
      const body = { ...question, tools: [WEATHER] };
      const run = stream ? helpers.runTools({ ...body, stream }) : helpers.runTools(body);
      const heard = heardFrom(run);
      const answer = '{"city":"Oslo","degrees":4}; {"city":"Rome","degrees":4}; {"city":"Bonn","degrees":4}';
      expect(await run.finalContent()).toBe(answer);
      expect(run.messages.map(({ role }) => role)).toEqual([
        'user',
        'assistant',
        'tool',
        'tool',
        'assistant',
        'tool',
        'assistant',
      ]);
      expect(heard.filter((one) => one.startsWith('functionToolCallResult'))).toHaveLength(3);
      expect(heard.at(-1)).toBe('end');
      expect(run.allChatCompletions()).toHaveLength(3);
      expect(await run.finalFunctionToolCallResult()).toBe('{"city":"Bonn","degrees":4}');
      // Without `include_usage`, a stream does not tell its tokens.
      expect((await run.totalUsage()).total_tokens > 0).toBe(!stream);
    },
  );

  it("runTools() takes the helpers' tools, tells the model its mistakes, and stops at a forced tool", async () => {
    const asked: string[] = [];
    const callback = ({ city }: { city: string }): string => {
      asked.push(city);
      return `sunny in ${city}`;
    };
    // No part of the JSON schema, so only the parser knows.
    const parameters = z.object({ city: z.string().refine((city) => city.length <= 4, 'is too far') });
    const tool = zodFunction({ name: 'weather', parameters, function: callback });
    const { helpers } = await over(() => ({
      toolCalls: [
        { id: 'a', name: 'weather', arguments: { city: 'Oslo' } },
        { id: 'b', name: 'weather', arguments: { city: 'Athens' } },
      ],
    }));
    const choice = { type: 'function' as const, function: { name: 'weather' } };
    const run = helpers.runTools({ ...question, tools: [tool], tool_choice: choice });
    await run.done();
    expect(asked).toEqual(['Oslo']);
    expect(run.messages.at(2)).toMatchObject({ role: 'tool', content: 'sunny in Oslo' });
    expect(JSON.stringify(run.messages)).not.toContain('sunny in Athens');
  });

  it('runTools() ends after so many answers, and with what a function throws', async () => {
    const { helpers } = await over(() => ({ toolCalls: [{ name: 'weather', arguments: { city: 'Oslo' } }] }));
    const run = helpers.runTools({ ...question, tools: [WEATHER] }, { maxChatCompletions: 2 });
    await run.done();
    expect(run.allChatCompletions()).toHaveLength(2);
    const failing = {
      ...WEATHER,
      function: {
        ...WEATHER.function,
        function: () => {
          throw new Error('no satellite');
        },
      },
    };
    const failed = helpers.runTools({ ...question, tools: [failing] });
    await expect(failed.done()).rejects.toThrow('no satellite');
  });

  it('a run that is aborted says so', async () => {
    const { helpers, setup } = await over();
    setup.world.custom.script({ kind: 'slow-drip', betweenMs: 5 });
    const stream = helpers.stream(HELLO);
    stream.once('content', () => stream.abort());
    const aborted = new Promise((resolve) => {
      stream.once('abort', resolve);
    });
    await expect(stream.done()).rejects.toThrow(/abort/i);
    expect(await aborted).toBeInstanceOf(Error);
    expect(stream.aborted).toBe(true);
  });

  it('a run that fails has the error of its call', async () => {
    const { helpers } = await over();
    const stream = helpers.stream({ ...HELLO, model: 'nobody/has-this' });
    const heard = new Promise((resolve) => {
      stream.once('error', resolve);
    });
    await expect(stream.finalChatCompletion()).rejects.toMatchObject({ status: 404 });
    expect(await heard).toMatchObject({ status: 404 });
  });
});

function down({ world }: CompatSetup): void {
  world.custom.script({ kind: 'outage', times: 1 });
}

describe('maxRetries', () => {
  it('makes a call again if that can help', async () => {
    const setup = await compatClient({ client: { maxRetries: 1 } });
    down(setup);
    const { choices } = await setup.client.chat.completions.create({ ...HELLO, freelm: { maxAttempts: 1 } });
    expect(choices[0]?.message.content).toBe('You said: Hello');
    expect(setup.world.counts.total).toBe(2);
  });

  it('is 0 by default, and does not repeat what is in vain', async () => {
    const setup = await compatClient();
    down(setup);
    const failed = setup.client.chat.completions.create({ ...HELLO, freelm: { maxAttempts: 1 } });
    await expect(failed).rejects.toMatchObject({ status: 503 });
    expect(setup.world.counts.total).toBe(1);
    const unknown = setup.client.chat.completions.create({ ...HELLO, model: 'x/y' }, { maxRetries: 5 });
    await expect(unknown).rejects.toMatchObject({ status: 404 });
  });

  it('ends with the signal', async () => {
    const setup = await compatClient({ client: { maxRetries: 9 } });
    setup.world.custom.script({ kind: 'outage' });
    const controller = new AbortController();
    const call = setup.client.chat.completions.create(
      { ...HELLO, freelm: { maxAttempts: 1 } },
      { signal: controller.signal },
    );
    const failing = rejection(call);
    while (setup.world.counts.total === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await failing).toBeInstanceOf(OpenAI.APIUserAbortError);
  });
});
