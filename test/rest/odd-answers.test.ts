/** Odd answers that are whole, through every face of a pool. */

import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import OpenAI from '../../src/compat.ts';
import { parseJson } from '../../src/core/json.ts';
import { BadRequestError, type FreeLLM } from '../../src/index.ts';
import { messageOf } from '../../src/wire/response/stream-part.ts';
import { endpoint, open } from '../client/support.ts';
import { rejection } from '../support/rejection.ts';
import { bodyOf, completion, type Handler, json, posted, says, serve } from '../support/server.ts';

const MESSAGES = [{ role: 'user', content: 'Hello' }] as const;

const called = z.looseObject({ function: z.looseObject({ name: z.string(), arguments: z.string() }) });
const messageSchema = z.looseObject({
  content: z.nullable(z.string()),
  tool_calls: z.optional(z.array(called)),
  reasoning_details: z.optional(z.unknown()),
});
const answerSchema = z.looseObject({ choices: z.tuple([z.looseObject({ message: messageSchema })]) });

const deltaSchema = z.looseObject({
  content: z.optional(z.nullable(z.string())),
  reasoning_details: z.optional(z.array(z.unknown())),
  tool_calls: z.optional(
    z.array(z.looseObject({ index: z.number(), function: z.optional(z.partial(called.def.shape.function)) })),
  ),
});
const chunkSchema = z.looseObject({ choices: z.array(z.looseObject({ delta: deltaSchema })) });

/** What every face of a pool shows of an answer. */
interface Shown {
  readonly text: string;
  readonly calls: readonly (readonly [name: string, args: string])[];
  readonly details: unknown;
}

type Called = { readonly function: { readonly name: string; readonly arguments: string } };

function shown(text: string | null, calls: readonly Called[], details: unknown): Shown {
  const named = calls.map(({ function: { name, arguments: args } }) => [name, args] as const);
  return { text: text ?? '', calls: named, details };
}

function shownIn(answer: unknown): Shown {
  const { message } = answerSchema.parse(answer).choices[0];
  return shown(message.content, message.tool_calls ?? [], message.reasoning_details);
}

/** Adds up chunks as OpenAI's clients do. */
function joined(chunks: readonly unknown[]): Shown {
  const deltas = chunks.flatMap((chunk) => chunkSchema.parse(chunk).choices).map(({ delta }) => delta);
  const calls = new Map<number, { name: string; arguments: string }>();
  for (const { index, function: piece = {} } of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
    const { name, arguments: args } = calls.get(index) ?? { name: '', arguments: '' };
    calls.set(index, { name: name + (piece.name ?? ''), arguments: args + (piece.arguments ?? '') });
  }
  const details = deltas.flatMap((delta) => delta.reasoning_details ?? []);
  const text = deltas.map(({ content }) => content ?? '').join('');
  const list = [...calls.values()].map((call) => ({ function: call }));
  return shown(text, list, details.length === 0 ? undefined : details);
}

function asking(llm: FreeLLM, stream: boolean): Promise<Response> {
  return llm.fetch('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ messages: MESSAGES, stream }),
  });
}

/** The faces, by name. */
const FACES: Readonly<Record<string, (llm: FreeLLM) => Promise<Shown>>> = {
  async chat(llm) {
    const { text, toolCalls, raw } = await llm.chat('Hello');
    return shown(text, toolCalls, messageOf(raw)['reasoning_details']);
  },
  async stream(llm) {
    const { text, toolCalls, raw } = await llm.stream('Hello').response();
    expect(shownIn(raw)).toMatchObject({ text });
    return shown(text, toolCalls, messageOf(raw)['reasoning_details']);
  },
  fetch: async (llm) => shownIn(await (await asking(llm, false)).json()),
  async 'streaming fetch'(llm) {
    const events = (await (await asking(llm, true)).text()).split('\n\n').filter((event) => event !== '');
    expect(events.at(-1)).toBe('data: [DONE]');
    return joined(events.slice(0, -1).map((event) => parseJson(event.slice('data: '.length))));
  },
  async compat(llm) {
    const { completions } = new OpenAI({ freelm: llm }).chat;
    return shownIn(await completions.create({ model: 'auto', messages: [...MESSAGES] }));
  },
  async 'streaming compat'(llm) {
    const { completions } = new OpenAI({ freelm: llm }).chat;
    const stream = await completions.create({ model: 'auto', messages: [...MESSAGES], stream: true });
    const chunks: unknown[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return joined(chunks);
  },
};

const chunk = (delta: object, finish: string | null = null): object => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const eventsOf = (...values: readonly unknown[]): string => values.map(event).join('');
const wholeOf = (message: object, finish: string | null = 'stop'): object => ({
  ...completion(''),
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
});
const DONE = 'data: [DONE]\n\n';
const SECRET = [{ type: 'reasoning.encrypted', data: 'c2VjcmV0', id: 'r', index: 0 }];
const look = (args: string): object => ({
  id: 'a',
  type: 'function',
  function: { name: 'look', arguments: args },
});

interface Oddity {
  readonly what: string;
  /** The body of a whole answer. */
  readonly plain: string;
  readonly streamed: string;
  readonly expected?: Partial<Shown>;
}

const HELLO = eventsOf(chunk({ content: 'Hel' }), chunk({ content: 'lo' }, 'stop')) + DONE;
const WHOLE_HELLO = JSON.stringify(completion('Hello'));

const ODDITIES: readonly Oddity[] = [
  {
    what: 'without a finish reason',
    plain: JSON.stringify(wholeOf({ content: 'Hello' }, null)),
    streamed: eventsOf(chunk({ content: 'Hel' }), chunk({ content: 'lo' })) + DONE,
  },
  {
    what: 'with null in it',
    plain: JSON.stringify({ ...wholeOf({}), choices: [null, { message: { content: 'Hello' } }] }),
    streamed:
      eventsOf(null, chunk({ content: 'Hello' }), {}, { choices: [null] }, chunk({}, 'stop'), null) + DONE,
  },
  {
    what: 'with null among the calls',
    plain: JSON.stringify(wholeOf({ content: null, tool_calls: [null, look('{}')] }, 'tool_calls')),
    streamed: eventsOf(chunk({ tool_calls: [null, { index: 0, ...look('{}') }] }), chunk({}, 'tool_calls')),
    expected: { text: '', calls: [['look', '{}']] },
  },
  {
    what: 'whose indexes drift',
    plain: JSON.stringify(
      wholeOf({ content: null, tool_calls: [{ index: '7', ...look('{"x":1}') }] }, 'stop'),
    ),
    streamed: eventsOf(
      chunk({ tool_calls: [{ index: 1, ...look('') }] }),
      chunk({ tool_calls: [{ index: 2, id: 'a', function: { arguments: '{"x":' } }] }),
      chunk({ tool_calls: [{ index: 3, function: { arguments: '1}' } }] }),
      chunk({ tool_calls: [{ index: 1, ...look('{"x":1}') }] }, 'tool_calls'),
    ),
    expected: { text: '', calls: [['look', '{"x":1}']] },
  },
  {
    what: 'with reasoning that must be sent back',
    plain: JSON.stringify(wholeOf({ content: 'Hello', reasoning_details: SECRET })),
    streamed: eventsOf(
      chunk({ content: 'Hello' }),
      chunk({ content: '', reasoning_details: SECRET }),
      chunk({}, 'stop'),
    ),
    expected: { details: SECRET },
  },
  { what: 'that is a stream, whatever was asked for', plain: HELLO, streamed: HELLO },
  { what: 'that is one document, whatever was asked for', plain: WHOLE_HELLO, streamed: WHOLE_HELLO },
  { what: 'followed by [DONE]', plain: `${WHOLE_HELLO}\n\n${DONE}`, streamed: `${WHOLE_HELLO}\n[DONE]` },
  {
    what: 'as lines of JSON',
    plain: `${JSON.stringify(chunk({ content: 'Hel' }))}\n${JSON.stringify(chunk({ content: 'lo' }, 'stop'))}`,
    streamed: `${JSON.stringify(wholeOf({ content: 'Hello' }))}\n{"choices":[]}\n`,
  },
  {
    what: 'with a byte order mark, carriage returns, no spaces and no blank line at its end',
    plain: `\uFEFF\r\n${WHOLE_HELLO}\r\n`,
    streamed: `\uFEFF${HELLO}`.replaceAll('data: ', 'data:').replaceAll('\n', '\r\n').trimEnd(),
  },
  {
    what: 'with messages and lists of parts',
    plain: JSON.stringify(
      wholeOf({ content: [{ type: 'text', text: 'Hel' }, null, { type: 'text', text: 'lo' }] }),
    ),
    streamed: eventsOf(
      { choices: [{ message: { content: [{ type: 'text', text: 'Hel' }] } }] },
      { choices: [{ message: { content: ['lo'] }, finish_reason: 'stop' }] },
    ),
  },
  {
    what: 'of the older completions',
    plain: JSON.stringify({ choices: [{ text: 'Hello', finish_reason: 'stop' }] }),
    streamed: eventsOf({ choices: [{ text: 'Hel' }] }, { choices: [{ text: 'lo', finish_reason: 'stop' }] }),
  },
];

function answering({ plain, streamed }: Pick<Oddity, 'plain' | 'streamed'>): Handler {
  return (request, response) => {
    const isStream = bodyOf(request)['stream'] === true;
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    response.end(isStream ? streamed : plain);
  };
}

describe.each(ODDITIES)('an answer $what', (oddity) => {
  it.each(Object.keys(FACES))('is served by one request: %s', async (face) => {
    const server = await serve(answering(oddity));
    const answer = await FACES[face]?.(open({ providers: [endpoint(server)] }));
    expect(answer).toEqual({ text: 'Hello', calls: [], details: undefined, ...oddity.expected });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the usage of a stream', () => {
  const silent = answering({ plain: '', streamed: HELLO });
  const ask = { messages: MESSAGES, stream: true };

  it('is estimated, and said to be, if the provider reports none', async () => {
    const llm = open({ providers: [endpoint(await serve(silent))] });
    const { usage } = await llm.stream('Hello').response();
    expect(usage).toEqual({ promptTokens: 9, completionTokens: 2, totalTokens: 11, estimated: true });
  });

  it.each([
    [undefined, false],
    [{ include_usage: true }, true],
  ])('is sent to clients that ask for it: %j', async (options, isSent) => {
    const llm = open({ providers: [endpoint(await serve(silent))] });
    const body = JSON.stringify({ ...ask, stream_options: options });
    const events = await (await llm.fetch('/v1/chat/completions', { method: 'POST', body })).text();
    expect(events.includes('"estimated":true')).toBe(isSent);
  });

  it('has the details that the provider reports, plain and streamed', async () => {
    const usage = {
      prompt_tokens: '12',
      completion_tokens: 5,
      total_tokens: 17,
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 3 },
    };
    const handler = answering({
      plain: JSON.stringify({ ...completion('Hello'), usage }),
      streamed: eventsOf(chunk({ content: 'Hello' }, 'stop'), { choices: [], usage }) + DONE,
    });
    const llm = open({ providers: [endpoint(await serve(handler))] });
    const expected = {
      promptTokens: 12,
      completionTokens: 5,
      totalTokens: 17,
      cachedTokens: 8,
      reasoningTokens: 3,
    };
    expect((await llm.chat('Hello')).usage).toEqual(expected);
    expect((await llm.stream('Hello').response()).usage).toEqual(expected);
    const body = JSON.stringify({ ...ask, stream_options: { include_usage: true } });
    const events = await (await llm.fetch('/v1/chat/completions', { method: 'POST', body })).text();
    expect(events).toContain(JSON.stringify({ ...usage, prompt_tokens: 12 }));
  });
});

describe('an answer whose reasoning used up its tokens', () => {
  const spent = answering({
    plain: JSON.stringify(wholeOf({ content: '', reasoning: 'hm' }, 'length')),
    streamed: eventsOf(chunk({ reasoning: 'hm' }), chunk({}, 'length')) + DONE,
  });

  it.each(['chat', 'stream', 'fetch', 'streaming compat'])(
    'is asked for again elsewhere: %s',
    async (face) => {
      const first = await serve(spent);
      const second = await serve(says('Hello'));
      const providers = [endpoint(first), endpoint(second, { name: 'other' })];
      const llm = open({ providers, strategy: 'priority' });
      const { text } = (await FACES[face]?.(llm)) ?? {};
      expect(text).toBe('Hello');
    },
  );

  it.each([false, true])(
    'is asked for again with more room if the caller sets no limit: stream %s',
    async (stream) => {
      const server = await serve((request, response) => {
        const roomy = bodyOf(request)['max_tokens'] !== undefined;
        if (roomy && !stream) json(response, completion('Hello'));
        else if (roomy) answering({ plain: '', streamed: HELLO })(request, response);
        else spent(request, response);
      });
      const llm = open({ providers: [endpoint(server, { models: [{ id: 'm', ctx: 16_384 }] })] });
      for (const count of [2, 3]) {
        const { text } = stream ? await llm.stream('Hello').response() : await llm.chat('Hello');
        expect(text).toBe('Hello');
        // The next call knows it.
        expect(server.requests).toHaveLength(count);
      }
      expect(posted(server).map((body) => body['max_tokens'])).toEqual([undefined, 4096, 4096]);
    },
  );

  it.each([false, true])("is an error that names the caller's limit: stream %s", async (stream) => {
    const llm = open({ providers: [endpoint(await serve(spent))] });
    const options = { max_tokens: 16 };
    const call = stream ? llm.stream('Hello', options).response() : llm.chat('Hello', options);
    const error = await rejection(call);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(String(error)).toContain('raise max_tokens, which is 16');
    expect(llm.health()).toMatchObject([{ ready: true }]);
  });
});
