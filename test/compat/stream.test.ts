import type RealOpenAI from 'openai';
import { getEventListeners } from 'node:events';
import { text as readText } from 'node:stream/consumers';
import { Stream as RealStream } from 'openai/streaming';
import { describe, expect, it } from 'vitest';
import OpenAI from '../../src/compat.ts';
import { Completions } from '../../src/compat/chat.ts';
import type { ReplyDetails } from '../../src/testing.ts';
import { errorOf } from '../support/rejection.ts';
import { until } from '../support/server.ts';
import { compatClient, HELLO } from './support.ts';

/** The tokens of the reply. */
const TOKENS = ['You', ' said:', ' Hello'];
/** With {@link LONG}, a stream that outlasts the test. */
const ENDLESS = { kind: 'slow-drip', betweenMs: 5 } as const;
/** Text that a faulty parser would cut or misread. */
const STRANGE = 'Ω 🧑‍🚀 ﷽ 한국어 \n\n data: [DONE] \r\n e\u0301';
const LONG = { reply: () => 'word '.repeat(10_000) };

type Chunks = AsyncIterable<OpenAI.ChatCompletionChunk>;

async function textsOf(stream: Chunks): Promise<string[]> {
  const texts: string[] = [];
  for await (const { choices } of stream) {
    const text = choices[0]?.delta.content ?? '';
    if (text !== '') texts.push(text);
  }
  return texts;
}

/** Reads a stream and calls `then` at each text. */
async function atFirstText(stream: Chunks, then: () => 'go on' | 'leave'): Promise<number> {
  let texts = 0;
  for await (const { choices } of stream) {
    if ((choices[0]?.delta.content ?? '') === '') continue;
    texts += 1;
    if (then() === 'leave') break;
  }
  return texts;
}

describe('a stream', () => {
  it('yields chunks, the last one with the usage if the request asks for it', async () => {
    const reply = (): ReplyDetails => ({ text: TOKENS.join(''), promptTokens: 30, completionTokens: 4 });
    const { client } = await compatClient({ reply });
    const stream = await client.chat.completions.create({
      ...HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual([
      '',
      ...TOKENS,
      undefined,
      undefined,
    ]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 30, completion_tokens: 4, total_tokens: 34 },
    });
    expect(new Set(chunks.map(({ id, model, object }) => `${id} ${model} ${object}`)).size).toBe(1);
    expect(stream.controller.signal.aborted).toBe(false);
  });

  it.each([1, 2, 3, 1000])('is parsed in pieces of %i bytes', async (size) => {
    const choices = [{ index: 0, delta: { content: STRANGE }, finish_reason: null }];
    const chunk = { id: 'c-1', object: 'chat.completion.chunk', created: 0, model: 'm', choices };
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
    const pieces = function* (): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const completions = new Completions(() => Promise.resolve(new Response(ReadableStream.from(pieces()))));
    const stream = await completions.create({ ...HELLO, stream: true });
    expect(await textsOf(stream)).toEqual([STRANGE]);
  });

  it('can be read only once', async () => {
    const { client } = await compatClient();
    const stream = await client.chat.completions.create({ ...HELLO, stream: true });
    expect(await textsOf(stream)).toEqual(TOKENS);
    const error = await errorOf(textsOf(stream));
    expect(error).toBeInstanceOf(OpenAI.OpenAIError);
    expect(error.message).toContain('tee()');
  });

  it('can be split by tee() and read at different paces', async () => {
    const { client, world } = await compatClient();
    const stream = await client.chat.completions.create({ ...HELLO, stream: true });
    const [left, right] = stream.tee();
    expect(await textsOf(left)).toEqual(TOKENS);
    expect(await textsOf(right)).toEqual(TOKENS);
    expect(left.controller).toBe(stream.controller);
    expect(world.counts.total).toBe(1);
  });

  it('converts to JSON lines that the real SDK reads', async () => {
    const { client } = await compatClient();
    const readable = (): Promise<ReadableStream<Uint8Array>> =>
      client.chat.completions.create({ ...HELLO, stream: true }).then((stream) => stream.toReadableStream());
    const lines = (await readText(await readable())).trimEnd().split('\n');
    expect(lines).toHaveLength(TOKENS.length + 2);
    const theirs = RealStream.fromReadableStream<RealOpenAI.ChatCompletionChunk>(
      await readable(),
      new AbortController(),
    );
    const texts: string[] = [];
    for await (const { choices } of theirs) texts.push(choices[0]?.delta.content ?? '');
    expect(texts.join('')).toBe(TOKENS.join(''));
  });
});

describe('leaving a stream', () => {
  const ways: readonly (readonly [
    string,
    (reading: { stop: () => void; abort: () => void }) => 'go on' | 'leave',
  ])[] = [
    ['by leaving the loop', () => 'leave'],
    ['by its controller', ({ stop }) => (stop(), 'go on')],
    ['by the signal of the request', ({ abort }) => (abort(), 'go on')],
  ];

  it.each(ways)('%s ends the loop and the request', async (_way, then) => {
    const { client, world } = await compatClient(LONG);
    world.custom.script(ENDLESS);
    const caller = new AbortController();
    const stream = await client.chat.completions.create(
      { ...HELLO, stream: true },
      { signal: caller.signal },
    );
    const stop = (): void => stream.controller.abort();
    const abort = (): void => caller.abort();
    expect(await atFirstText(stream, () => then({ stop, abort }))).toBe(1);
    expect(stream.controller.signal.aborted).toBe(true);
    await until(() => world.counts.causes.abandoned === 1);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });

  it('by cancelling its JSON lines ends the request', async () => {
    const { client, world } = await compatClient(LONG);
    world.custom.script(ENDLESS);
    const stream = await client.chat.completions.create({ ...HELLO, stream: true });
    const reader = stream.toReadableStream().getReader();
    await reader.read();
    await reader.cancel();
    await until(() => world.counts.causes.abandoned === 1);
    expect(stream.controller.signal.aborted).toBe(true);
  });

  it('before it begins rejects with APIUserAbortError', async () => {
    const { client, world } = await compatClient();
    world.custom.script({ kind: 'hang' });
    const caller = new AbortController();
    const call = client.chat.completions.create({ ...HELLO, stream: true }, { signal: caller.signal });
    const failed = errorOf(call);
    await until(() => world.counts.total === 1);
    caller.abort(new Error('enough'));
    const error = await failed;
    expect(error).toBeInstanceOf(OpenAI.APIUserAbortError);
    expect(error.cause).toEqual(new Error('enough'));
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });
});
