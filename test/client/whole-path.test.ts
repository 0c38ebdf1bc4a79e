import { describe, expect, it, onTestFinished } from 'vitest';
import { FreeLLM, type FreeLLMOptions, type FreeLLMEvent, VERSION } from '../../src/index.ts';
import type { ServedWorldOptions, World } from '../../src/testing.ts';
import { says, serve } from '../support/server.ts';
import {
  aNumber,
  endpoint,
  fetchTo,
  open,
  partly,
  providersOf,
  recorder,
  temporaryFolder,
  textLike,
  world,
} from './support.ts';

const MASK = /^\S{6}…\S{4}$/;

/** A pool of a world's keys as the environment gives them, led to the world instead of the real providers. */
function fromWorld(simulated: World, options: Omit<FreeLLMOptions, 'providers'> = {}): FreeLLM {
  const env = simulated.env();
  const llm = FreeLLM.fromEnv({ cacheDir: temporaryFolder(), fetch: fetchTo(simulated), ...options }, env);
  onTestFinished(() => llm.close());
  return llm;
}

const NONE = { keys: [] };
const ALONE: readonly (readonly [string, ServedWorldOptions])[] = [
  ['openrouter', { google: NONE, nim: NONE }],
  ['google', { openrouter: NONE, nim: NONE }],
  ['nim', { openrouter: NONE, google: NONE }],
];

describe.each(ALONE)('from the environment to %s', (provider, options) => {
  it('a call is answered', async () => {
    const simulated = await world(options);
    const llm = fromWorld(simulated);
    const before = Date.now();
    const response = await llm.chat([{ role: 'user', content: 'Hello' }]);
    const [attempt] = response.attempts;
    expect(response).toEqual({
      text: `${response.model} heard: Hello`,
      provider,
      model: simulated.calls.at(-1)?.model,
      toolCalls: [],
      usage: {
        promptTokens: aNumber,
        completionTokens: aNumber,
        totalTokens: aNumber,
        ...(provider === 'openrouter' && { cost: 0 }),
      },
      finishReason: 'stop',
      reasoning: undefined,
      attempts: [attempt],
      latencyMs: aNumber,
      raw: partly({ object: 'chat.completion' }),
    });
    expect(attempt).toEqual({
      provider,
      model: response.model,
      account: textLike(/^[0-9a-f]{16}$/),
      key: textLike(MASK),
      outcome: 'success',
      startedAt: aNumber,
      latencyMs: aNumber,
    });
    expect(attempt?.startedAt).toBeGreaterThanOrEqual(before);
    expect(response.latencyMs).toBeGreaterThanOrEqual(attempt?.latencyMs ?? Infinity);
    expect(simulated.counts).toMatchObject({ total: 1, served: 1 });
  });

  it('text() returns its text', async () => {
    const simulated = await world({ ...options, reply: () => 'plainly said' });
    expect(await fromWorld(simulated).text('Hello')).toBe('plainly said');
  });

  it('tool calls are returned', async () => {
    const call = { name: 'weather', arguments: { city: 'Ulm' } };
    const simulated = await world({ ...options, reply: () => ({ toolCalls: [call] }) });
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
    const response = await fromWorld(simulated).chat('How is it in Ulm?', { tools });
    expect(response).toMatchObject({ text: '', finishReason: 'tool_calls' });
    expect(response.toolCalls).toMatchObject([{ type: 'function', function: { name: 'weather' } }]);
    expect(JSON.parse(response.toolCalls[0]?.function.arguments ?? '')).toEqual({ city: 'Ulm' });
  });

  it('the given key is used, and so are all of several', async () => {
    const simulated = await world(options);
    const llm = fromWorld(simulated);
    await Promise.all(Array.from({ length: 6 }, () => llm.text('Hello')));
    const rows = llm.health();
    expect(new Set(simulated.calls.filter(({ route }) => route === 'chat').map(({ key }) => key))).toEqual(
      new Set(rows.map(({ key }) => key)),
    );
  });
});

it('all three serve one pool, by base URLs and the real transport', async () => {
  const simulated = await world();
  const llm = open({ providers: providersOf(simulated), strategy: 'round_robin' });
  const served: string[] = [];
  for (let call = 0; call < 6; call += 1) served.push((await llm.chat('Hello')).provider);
  expect(served).toEqual(['openrouter', 'google', 'nim', 'openrouter', 'google', 'nim']);
});

it("what each provider sees is OpenAI's protocol with one credential, by our name", async () => {
  const simulated = await world();
  const seen: Record<string, unknown>[] = [];
  const llm = open({
    providers: providersOf(simulated),
    strategy: 'round_robin',
    fetch: (url, init) => {
      seen.push({ ...init.headers, path: new URL(url).pathname, method: init.method });
      return fetch(url, init);
    },
  });
  for (let call = 0; call < 3; call += 1) await llm.text('Hello');
  expect(seen.filter(({ method }) => method === 'POST')).toEqual(
    [simulated.openrouter, simulated.google, simulated.nim].map(({ baseUrl, keys }) => ({
      method: 'POST',
      path: `${new URL(baseUrl).pathname}/chat/completions`,
      'user-agent': `freelm/${VERSION}`,
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: `Bearer ${keys[0]}`,
    })),
  );
});

/** One line for each event. The calls are numbered from 1. */
function linesOf(events: readonly FreeLLMEvent[]): readonly string[] {
  const calls = events.flatMap((event) => (event.type === 'call-start' ? [event.call] : []));
  return events.map((event) => lineOf(event, Math.min(...calls) - 1));
}

function lineOf(event: FreeLLMEvent, before: number): string {
  const call = 'call' in event ? event.call - before : undefined;
  switch (event.type) {
    case 'call-start':
      return `${call} ${event.operation} ${String(event.model)}`;
    case 'attempt-start':
      return `${call}.${event.attempt} ${event.provider}`;
    case 'attempt-end':
      return `${call}.${event.attempt} ${event.provider} ${event.outcome} ${event.status ?? ''}`.trim();
    case 'wait':
      return `${call} wait`;
    case 'call-end':
      return `${call} ${event.outcome} ${event.code ?? event.provider ?? ''}, ${event.attempts} sent`;
    case 'discovery':
      return `discovery ${event.provider} ${event.outcome}`;
    case 'warning':
      return `warning ${event.message}`;
  }
}

describe('events', () => {
  it('report each call in order', async () => {
    const simulated = await world({
      openrouter: { faults: [{ kind: 'outage', status: 502 }] },
      google: { keys: 1, faults: [{ kind: 'leaked', times: 1 }] },
    });
    const { events, onEvent } = recorder();
    const llm = open({ providers: providersOf(simulated), strategy: 'priority', onEvent });
    const response = await llm.chat('Hello');
    await llm.text('Hello again', { model: 'chat:fast' });
    const google = llm.health().find((row) => row.provider === 'google');
    expect(linesOf(events)).toEqual([
      '1 chat undefined',
      'discovery openrouter live',
      '1.1 openrouter',
      '1.1 openrouter server_error 502',
      '1.2 google',
      '1.2 google unauthorized 403',
      textLike(`^warning google refused the key ${google?.key} as invalid: `),
      '1.3 nim',
      '1.3 nim success',
      '1 success nim, 3 sent',
      '2 chat chat:fast',
      '2.1 openrouter',
      '2.1 openrouter server_error 502',
      '2.2 nim',
      '2.2 nim success',
      '2 success nim, 2 sent',
    ]);
    const [start] = events;
    const ends = events.filter((event) => event.type === 'attempt-end');
    expect(ends.slice(0, 3)).toEqual(
      response.attempts.map((report, index) => ({
        type: 'attempt-end',
        call: start?.type === 'call-start' ? start.call : undefined,
        attempt: index + 1,
        ...report,
        usage: report.outcome === 'success' ? response.usage : undefined,
      })),
    );
    expect(response.usage?.totalTokens).toBeGreaterThan(0);
    const end = events.find((event) => event.type === 'call-end');
    const { provider, model, usage } = response;
    expect(end).toMatchObject({
      provider,
      model,
      usage,
      startedAt: start?.type === 'call-start' ? start.at : 0,
    });
  });

  it('report waiting, and until when', async () => {
    const server = await serve(says('fine'));
    const controller = new AbortController();
    const { events, onEvent } = recorder();
    const llm = open({
      providers: [endpoint(server, { rpm: 1 })],
      wait: true,
      maxWaitMs: 120_000,
      timeoutMs: 120_000,
      onEvent: (event) => {
        onEvent(event);
        if (event.type === 'wait') controller.abort(new Error('too long'));
      },
    });
    const first = await llm.chat('Hello');
    await expect(llm.text('Hello', { signal: controller.signal })).rejects.toThrow('too long');
    expect(linesOf(events)).toEqual([
      '1 chat undefined',
      '1.1 mine',
      '1.1 mine success',
      '1 success mine, 1 sent',
      '2 chat undefined',
      '2 wait',
      '2 aborted , 0 sent',
    ]);
    const wait = events.find((event) => event.type === 'wait');
    // A minute after the first request, and a little more, the limit's margin.
    const minute = (wait?.until ?? 0) - (first.attempts[0]?.startedAt ?? 0) - 60_000;
    expect(minute).toBeGreaterThanOrEqual(0);
    expect(minute).toBeLessThan(1000);
  });

  it('are unaffected by a listener that throws or rejects', async () => {
    const simulated = await world();
    const told: string[] = [];
    for (const onEvent of [
      (event: FreeLLMEvent): void => {
        told.push(event.type);
        throw new Error('a bug of the listener');
      },
      // oxlint-disable-next-line typescript/no-misused-promises -- an async listener is what is tested
      async (event: FreeLLMEvent): Promise<void> => {
        told.push(event.type);
        await Promise.reject(new Error('a bug of the listener'));
      },
    ]) {
      told.length = 0;
      const llm = open({ providers: providersOf(simulated), strategy: 'priority', onEvent });
      expect(await llm.text('Hello')).toMatch(/heard: Hello/);
      expect(told).toEqual(['call-start', 'discovery', 'attempt-start', 'attempt-end', 'call-end']);
    }
  });
});
