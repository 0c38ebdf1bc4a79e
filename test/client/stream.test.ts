/** Streams over real HTTP: what the caller sees, whatever happens on the way. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BrokenStreamError,
  ConfigError,
  FreeLLM,
  type FreeLLMOptions,
  type FreeLLMEvent,
  GoogleAIStudio,
  NIM,
  OpenRouter,
  type StreamPart,
} from '../../src/index.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { type Fault, startWorld, type World } from '../../src/testing.ts';

const ANSWER = Array.from({ length: 200 }, (_, index) => `word${index} and`).join(' ');

let world: World;
let llm: FreeLLM;
let events: FreeLLMEvent[];

function onEvent(event: FreeLLMEvent): void {
  events.push(event);
}

function poolOf(options: Partial<FreeLLMOptions> = {}): FreeLLM {
  const providers = [
    new NIM(world.nim.keys, { baseUrl: world.nim.baseUrl, rpm: 100_000 }),
    new OpenRouter(world.openrouter.keys, { baseUrl: world.openrouter.baseUrl, rpm: 100_000, rpd: 100_000 }),
    new GoogleAIStudio(world.google.keys, { baseUrl: world.google.baseUrl, rpm: 100_000, rpd: 100_000 }),
  ];
  return new FreeLLM(
    { providers, strategy: 'priority', onEvent, ...options },
    { cache: memoryCache(), env: {} },
  );
}

async function textOf(stream: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

beforeEach(async () => {
  const limits = { rpm: 100_000, rpd: 100_000 };
  world = await startWorld({
    reply: () => ANSWER,
    nim: { limits },
    openrouter: { limits },
    google: { limits },
  });
  events = [];
  llm = poolOf();
});

afterEach(async () => {
  await llm.close();
  await world.close();
});

describe('a stream', () => {
  it('yields the text of chat() and text(), and the whole response at the end', async () => {
    const stream = llm.stream('hello');
    const text = await textOf(stream);
    const response = await stream.response();
    const chat = await llm.chat('hello');
    expect(text).toBe(ANSWER);
    expect(await llm.text('hello')).toBe(ANSWER);
    expect({ ...response, latencyMs: 0, attempts: [], raw: 0 }).toEqual({
      ...chat,
      latencyMs: 0,
      attempts: [],
      raw: 0,
    });
  });

  it('ends with usage and one finish', async () => {
    const parts: StreamPart[] = [];
    for await (const part of llm.stream('hello').parts()) parts.push(part);
    expect(parts.slice(-2).map(({ type }) => type)).toEqual(['usage', 'finish']);
    expect(parts.filter(({ type }) => type === 'finish')).toEqual([{ type: 'finish', reason: 'stop' }]);
    expect(parts.length).toBeGreaterThan(200);
  });

  it('can be read once', async () => {
    const stream = llm.stream('hello');
    await textOf(stream);
    expect(() => stream.parts()).toThrow(ConfigError);
    await expect(textOf(stream)).rejects.toThrow('can be read only once');
  });

  it('resolves its response even if it is not iterated', async () => {
    expect((await llm.stream('hello').response()).text).toBe(ANSWER);
  });

  it('rejects malformed input before anything is sent', () => {
    expect(() => llm.stream([])).toThrow(/messages/);
    // @ts-expect-error -- what a program in JavaScript may pass
    expect(() => llm.stream('hello', { onCut: 'shout' })).toThrow(/onCut/);
    expect(world.calls).toEqual([]);
  });

  it('that is left early closes its connection, counts against no provider and reports one outcome', async () => {
    world.nim.script({ kind: 'endless' });
    for await (const text of llm.stream('hello')) if (text !== '') break;
    const outcomes = events.filter(({ type }) => type === 'attempt-end');
    expect(outcomes).toMatchObject([{ outcome: 'aborted', provider: 'nim' }]);
    expect(llm.health().every(({ ready, lastError }) => ready && lastError === undefined)).toBe(true);
    await expect.poll(() => world.nim.calls.map(({ outcome }) => outcome)).toEqual(['abandoned']);
  });

  it("that is aborted rejects with the signal's reason, and so does its response", async () => {
    world.nim.script({ kind: 'endless' });
    const stream = llm.stream('hello');
    const reason = new Error('enough');
    const read = async (): Promise<void> => {
      for await (const text of stream) if (text !== '') stream.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
    await expect(stream.response()).rejects.toBe(reason);
  });

  it('that is aborted yields nothing more, not even parts that have arrived', async () => {
    const chunks = ['one', 'two'].map((content) => ({ choices: [{ index: 0, delta: { content } }] }));
    const body = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('');
    const headers = { 'content-type': 'text/event-stream' };
    const stream = poolOf({ fetch: async () => new Response(body, { headers }) }).stream('hello');
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const text of stream) stream.abort(seen.push(text));
    };
    await expect(read()).rejects.toBe(1);
    expect(seen).toEqual(['one']);
  });

  it("rejects with the caller's own reason when the caller's signal aborts", async () => {
    const controller = new AbortController();
    world.nim.script({ kind: 'stall', afterTokens: 3 });
    const stream = llm.stream('hello', { signal: controller.signal });
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const text of stream) {
        seen += text.length;
        controller.abort('bored');
      }
    };
    await expect(read()).rejects.toBe('bored');
    expect(seen).toBeGreaterThan(0);
  });
});

describe('before the first part', () => {
  it.each<{ name: string; fault: Fault }>([
    { name: 'a page', fault: { kind: 'outage' } },
    { name: 'a reset', fault: { kind: 'reset' } },
    { name: 'an error as first event', fault: { kind: 'first-event-error' } },
    { name: 'a refusal', fault: { kind: 'congested' } },
    { name: 'an empty answer', fault: { kind: 'empty' } },
    { name: 'JSON of no known shape', fault: { kind: 'garbage' } },
    { name: 'a dead key', fault: { kind: 'unauthorized' } },
  ])('$name is not seen by the caller', async ({ fault }) => {
    world.nim.script(fault);
    const stream = llm.stream('hello');
    const parts: StreamPart[] = [];
    for await (const part of stream.parts()) parts.push(part);
    expect(parts.some((part) => 'resumed' in part)).toBe(false);
    const response = await stream.response();
    expect(response).toMatchObject({ text: ANSWER, provider: 'openrouter' });
  });

  it('a whole answer is accepted in place of a stream', async () => {
    world.nim.script({ kind: 'json-instead' });
    const stream = llm.stream('hello');
    expect(await textOf(stream)).toBe(ANSWER);
    expect((await stream.response()).provider).toBe('nim');
  });

  it.each<{ name: string; fault: Fault }>([
    { name: 'silence', fault: { kind: 'hang' } },
    { name: 'signs of life and no word', fault: { kind: 'stall', afterTokens: 0, comments: true } },
  ])('$name ends with firstPartTimeoutMs and attemptTimeoutMs', async ({ fault }) => {
    world.nim.script(fault);
    const stream = llm.stream('hello', { firstPartTimeoutMs: 400, attemptTimeoutMs: 700 });
    expect(await textOf(stream)).toBe(ANSWER);
    // On a busy machine, the next attempt may time out as well.
    const outcomes = (await stream.response()).attempts.map(({ outcome }) => outcome);
    expect([outcomes[0], outcomes.at(-1)]).toEqual(['timeout', 'success']);
  });
});

describe('after the first part', () => {
  it.each<{ name: string; fault: Fault }>([
    { name: 'a clean end without a finish', fault: { kind: 'cut', afterTokens: 50 } },
    { name: 'a reset', fault: { kind: 'cut', afterTokens: 50, as: 'reset' } },
    { name: 'an error frame', fault: { kind: 'stream-error', afterTokens: 50, as: 'frame' } },
    { name: 'an error event', fault: { kind: 'stream-error', afterTokens: 50, as: 'event' } },
    { name: 'an error as finish reason', fault: { kind: 'stream-error', afterTokens: 50, as: 'finish' } },
    { name: 'a malformed chunk', fault: { kind: 'garbage-chunk', afterTokens: 50 } },
    { name: 'a stall', fault: { kind: 'stall', afterTokens: 50 } },
  ])('$name is gone on with by another route: one exact text, and the attempts tell', async ({ fault }) => {
    world.nim.script(fault);
    const parts: StreamPart[] = [];
    const stream = llm.stream('hello', { idleTimeoutMs: 800 });
    for await (const part of stream.parts()) parts.push(part);
    const response = await stream.response();
    expect(parts.map((part) => (part.type === 'text' ? part.text : '')).join('')).toBe(ANSWER);
    expect(response.text).toBe(ANSWER);
    expect(response.attempts.map(({ provider, outcome }) => `${provider} ${outcome === 'success'}`)).toEqual([
      'nim false',
      'openrouter true',
    ]);
    const texts = parts.filter(({ type }) => type === 'text');
    const resumed = texts.findIndex((part) => 'resumed' in part);
    if (resumed >= 0) expect(texts.slice(resumed).every((part) => 'resumed' in part)).toBe(true);
  });

  it('an answer without a finish reason is complete once a second model has nothing to add', async () => {
    world.nim.script({ kind: 'no-finish' });
    const stream = llm.stream('hello');
    expect(await textOf(stream)).toBe(ANSWER);
    const { attempts, finishReason } = await stream.response();
    expect(finishReason).toBe('stop');
    expect(attempts.map(({ provider, outcome }) => `${provider} ${outcome}`)).toEqual([
      'nim broken_stream',
      'openrouter server_error',
      'google success',
    ]);
  });

  it('an empty continuation alone does not end an answer', async () => {
    world.nim.script({ kind: 'cut', afterTokens: 50, times: 1 });
    world.openrouter.script({ kind: 'empty', times: 1 });
    const stream = llm.stream('hello');
    expect(await textOf(stream)).toBe(ANSWER);
    const outcomes = (await stream.response()).attempts.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['broken_stream', 'server_error', 'success']);
  });

  it('a missing [DONE] is no fault', async () => {
    world.nim.script({ kind: 'no-done' });
    const stream = llm.stream('hello');
    expect(await textOf(stream)).toBe(ANSWER);
    expect((await stream.response()).attempts).toHaveLength(1);
  });

  it('the tokens of all attempts are summed', async () => {
    world.nim.script({ kind: 'cut', afterTokens: 50, times: 1 });
    const stream = llm.stream('hello');
    const parts: StreamPart[] = [];
    for await (const part of stream.parts()) parts.push(part);
    const usage = parts.filter(({ type }) => type === 'usage');
    expect(usage).toHaveLength(1);
    expect((await stream.response()).usage).toEqual(usage[0]?.type === 'usage' ? usage[0].usage : undefined);
  });

  it.each([
    { name: "onCut: 'fail'", options: { onCut: 'fail' as const } },
    { name: 'JSON mode', options: { response_format: { type: 'json_object' } } },
  ])('with $name a cut is an error that carries what arrived', async ({ options }) => {
    world.nim.script({ kind: 'cut', afterTokens: 50 });
    const stream = llm.stream('hello', options);
    let text = '';
    const read = async (): Promise<void> => {
      for await (const piece of stream) text += piece;
    };
    const error: unknown = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BrokenStreamError);
    expect(error instanceof BrokenStreamError ? error.partial.text : '').toBe(text);
    expect(ANSWER.startsWith(text) && text !== '').toBe(true);
    await expect(stream.response()).rejects.toBe(error);
  });

  it('the only provider continues its own answer', async () => {
    const alone = new FreeLLM(
      { providers: [new NIM(world.nim.keys, { baseUrl: world.nim.baseUrl })] },
      { cache: memoryCache(), env: {} },
    );
    world.nim.script({ kind: 'cut', afterTokens: 50, times: 1 });
    expect(await textOf(alone.stream('hello'))).toBe(ANSWER);
    await alone.close();
  });
});

describe('cut at every possible token', () => {
  // Twice as long as what a continuation is searched for, with a place to spare on both sides.
  const short = Array.from({ length: 64 }, (_, index) => `w${index} é👍🏽`).join(' ');

  it.each(['faithful', 'repeats-last-words', 'starts-over'] as const)(
    'the text is exact when the next model is %s',
    async (continues) => {
      await world.close();
      const limits = { rpm: 100_000, rpd: 100_000 };
      world = await startWorld({
        reply: () => short,
        nim: { limits, continues },
        openrouter: { limits, continues },
        google: { limits, continues },
      });
      // Two cuts may come after the last word. Then two empty continuations show that the text is whole.
      const pool = poolOf({ onEvent: undefined, maxAttempts: 4 });
      for (let afterTokens = 1; afterTokens < 128; afterTokens += 1) {
        world.nim.clear();
        world.openrouter.clear();
        world.nim.script({ kind: 'cut', afterTokens, times: 1 });
        if (afterTokens % 3 === 0) world.openrouter.script({ kind: 'cut', afterTokens: 12, times: 1 });
        expect(await textOf(pool.stream('hello')), `cut after ${afterTokens} tokens`).toBe(short);
      }
      await pool.close();
    },
  );
});
