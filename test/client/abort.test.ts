import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FreeLLM, NIM, OpenRouter, type StateStore } from '../../src/index.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { rejection } from '../support/rejection.ts';
import { alive, hangs, json, says, serve, serveTcp, type TestServer, until } from '../support/server.ts';
import { endpoint, open, recorder, temporaryFolder } from './support.ts';

const REASON = { why: 'the caller has had enough' };

/** Aborts a call as soon as something is so; gives what it then rejects with at once. */
async function abortWhen(
  isSo: () => boolean,
  call: (signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> {
  const controller = new AbortController();
  const rejected = rejection(call(controller.signal));
  await until(isSo);
  const abortedAt = performance.now();
  controller.abort(REASON);
  const reason = await rejected;
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect(performance.now() - abortedAt).toBeLessThan(100);
  return reason;
}

describe('an abort', () => {
  it('before the call starts sends nothing', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server)] });
    await expect(llm.chat('Hello', { signal: AbortSignal.abort(REASON) })).rejects.toBe(REASON);
    expect(server.connections).toBe(0);
  });

  it('during the discovery of models', async () => {
    const server = await serve(hangs);
    const llm = open({ providers: [new OpenRouter('a-key', { baseUrl: server.url })] });
    expect(
      await abortWhen(
        () => server.requests.length === 1,
        (signal) => llm.chat('Hello', { signal }),
      ),
    ).toBe(REASON);
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('while it waits for a route', async () => {
    const server = await serve(says('fine'));
    const { events, onEvent } = recorder();
    const llm = open({
      providers: [endpoint(server, { rpm: 1 })],
      onEvent,
      wait: true,
      maxWaitMs: 120_000,
      timeoutMs: 120_000,
    });
    await llm.text('Hello');
    const isWaiting = (): boolean => events.at(-1)?.type === 'wait';
    expect(await abortWhen(isWaiting, (signal) => llm.chat('Hello', { signal }))).toBe(REASON);
    expect(server.requests).toHaveLength(1);
    await until(() => alive('Timeout') === 0);
  });

  it('while it waits in a queue leaves the other calls in place', async () => {
    const server = await serve(says('fine'));
    const { events, onEvent } = recorder();
    const llm = open({
      providers: [endpoint(server, { rpm: 1 })],
      onEvent,
      wait: true,
      maxWaitMs: 120_000,
      timeoutMs: 120_000,
    });
    await llm.text('Hello');
    const others = new AbortController();
    const other = rejection(llm.text('Hello', { signal: others.signal }));
    await until(() => events.at(-1)?.type === 'wait');
    expect(
      await abortWhen(
        () => true,
        (signal) => llm.chat('Hello', { signal }),
      ),
    ).toBe(REASON);
    others.abort('too');
    expect(await other).toBe('too');
  });

  it('while it connects', async () => {
    const server = await serveTcp();
    const llm = open({ providers: [endpoint(server, { baseUrl: server.url.replace('http:', 'https:') })] });
    expect(
      await abortWhen(
        () => server.open === 1,
        (signal) => llm.chat('Hello', { signal }),
      ),
    ).toBe(REASON);
    await until(() => server.open === 0);
  });

  const stages: readonly (readonly [string, () => Promise<TestServer>])[] = [
    ['while it waits for the answer', () => serve(hangs)],
    ['after the headers', () => serve((_request, response) => response.writeHead(200).flushHeaders())],
    [
      'while the body is read',
      () => serve((_request, response) => response.writeHead(200).write('{"choices":[')),
    ],
    [
      'while a refusal is read',
      () => serve((_request, response) => response.writeHead(429).write('{"error":')),
    ],
  ];
  it.each(stages)('%s', async (_when, start) => {
    const server = await start();
    const { events, onEvent } = recorder();
    const llm = open({ providers: [endpoint(server, { rpm: 10 })], onEvent });
    expect(
      await abortWhen(
        () => server.requests.length === 1,
        (signal) => llm.chat('Hello', { signal }),
      ),
    ).toBe(REASON);
    await until(() => server.open === 0);
    expect(events).toMatchObject([
      { type: 'call-start' },
      { type: 'attempt-start' },
      { type: 'attempt-end', outcome: 'aborted' },
      { type: 'call-end', outcome: 'aborted' },
    ]);
    // It was sent, so it counts; but nobody is to blame.
    expect(llm.health()).toMatchObject([
      { ready: true, breaker: 'closed', lastError: undefined, rpmUsed: 1 },
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it('while an asynchronous store is read', async () => {
    const memory = memoryStore();
    let release: (() => void) | undefined;
    const store: StateStore = {
      read: async (ids) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return memory.read(ids);
      },
      swap: async (...change) => memory.swap(...change),
    };
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server)], store });
    const controller = new AbortController();
    const call = rejection(llm.chat('Hello', { signal: controller.signal }));
    await until(() => release !== undefined);
    controller.abort(REASON);
    const releasing = setInterval(() => release?.(), 1);
    onTestFinished(() => clearInterval(releasing));
    expect(await call).toBe(REASON);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['a text', 'enough'],
    ['an error', new TypeError('enough')],
    ['the default', undefined],
  ])('keeps its reason: %s', async (_what, reason) => {
    const server = await serve(hangs);
    const controller = new AbortController();
    const call = rejection(
      open({ providers: [endpoint(server)] }).text('Hello', { signal: controller.signal }),
    );
    await until(() => server.requests.length === 1);
    controller.abort(reason);
    expect(await call).toBe(controller.signal.reason);
  });

  it("may be the caller's timeout", async () => {
    const server = await serve(hangs);
    const call = open({ providers: [endpoint(server)] }).text('Hello', { signal: AbortSignal.timeout(30) });
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('after the call has no effect', async () => {
    const server = await serve(says('fine'));
    const controller = new AbortController();
    const llm = open({ providers: [endpoint(server)] });
    expect(await llm.text('Hello', { signal: controller.signal })).toBe('fine');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort(REASON);
    expect(await llm.text('Hello')).toBe('fine');
  });
});

describe('close()', () => {
  const closed = { code: 'closed', message: 'This FreeLLM is closed. Create a new one.' };

  it('ends the calls in flight and counts against no provider', async () => {
    const server = await serve(hangs);
    const { events, onEvent } = recorder();
    const llm = open({ providers: [endpoint(server)], onEvent });
    const calls = [1, 2, 3].map(() => rejection(llm.text('Hello')));
    await until(() => server.requests.length === 3);
    await llm.close();
    expect(await Promise.all(calls)).toMatchObject([closed, closed, closed]);
    expect(events.filter(({ type }) => type === 'attempt-end')).toMatchObject(
      [1, 2, 3].map(() => ({ outcome: 'aborted' })),
    );
    expect(llm.health()).toMatchObject([{ breaker: 'closed', lastError: undefined }]);
    await until(() => server.open === 0);
  });

  it.each([
    ['reads a body', () => serve((_request, response) => response.writeHead(200).write('{"choices":['))],
    ['connects', () => serveTcp()],
  ])('ends a call that %s', async (what, start) => {
    const server = await start();
    const baseUrl = what === 'connects' ? server.url.replace('http:', 'https:') : server.url;
    const llm = open({ providers: [endpoint(server, { baseUrl })] });
    const call = rejection(llm.text('Hello'));
    await until(() => server.open === 1);
    await llm.close();
    expect(await call).toMatchObject(closed);
    await until(() => server.open === 0);
  });

  it('ends a call that waits in a queue or for a list of models', async () => {
    const server = await serve(says('fine'));
    const { events, onEvent } = recorder();
    const waiting = open({
      providers: [endpoint(server, { rpm: 1 })],
      onEvent,
      wait: true,
      maxWaitMs: 120_000,
      timeoutMs: 120_000,
    });
    await waiting.text('Hello');
    const inLine = rejection(waiting.text('Hello'));
    await until(() => events.at(-1)?.type === 'wait');
    await waiting.close();
    expect(await inLine).toMatchObject(closed);

    const silent = await serve(hangs);
    const looking = open({ providers: [new OpenRouter('a-key', { baseUrl: silent.url })] });
    const first = rejection(looking.text('Hello'));
    await until(() => silent.requests.length === 1);
    await looking.close();
    expect(await first).toMatchObject(closed);
    await until(() => silent.open === 0);
  });

  it('ends a refresh of the lists', async () => {
    const silent = await serve(hangs);
    const llm = open({ providers: [new NIM('a-key', { baseUrl: silent.url, discover: true })] });
    const looking = llm.refreshModels();
    await until(() => silent.requests.length === 1);
    await llm.close();
    expect((await looking).length).toBeGreaterThan(0);
    await until(() => silent.open === 0);
  });

  it('leaves no handle, timer or socket', async () => {
    const server = await serve((request, response) => {
      if (request.method === 'POST') says('fine')(request, response);
      else if (request.url === '/v1/models') json(response, { data: [{ id: 'm' }] });
    });
    const llm = new FreeLLM({
      providers: [endpoint(server, { models: undefined }), new OpenRouter('a-key', { baseUrl: server.url })],
      cacheDir: temporaryFolder(),
    });
    await Promise.all(Array.from({ length: 5 }, () => llm.text('Hello', { timeoutMs: 2000 })));
    await llm.close();
    await until(() => server.open === 0);
    const kinds = [
      'TCPSocketWrap',
      'TCPConnectWrap',
      'Timeout',
      'GetAddrInfoReqWrap',
      'FSReqCallback',
      'FSReqPromise',
    ];
    await until(() => kinds.every((kind) => alive(kind) === 0));
    // The server of the test is what is left.
    expect(alive('TCPServerWrap')).toBe(1);
  });

  it('may be called twice, also at the same time', async () => {
    const llm = open({ providers: [endpoint(await serve(says('fine')))] });
    await llm.text('Hello');
    await Promise.all([llm.close(), llm.close()]);
    await expect(llm.close()).resolves.toBeUndefined();
  });

  it('is called at the end of a scope', async () => {
    const server = await serve(says('fine'));
    let kept: FreeLLM | undefined;
    {
      await using llm = new FreeLLM({ providers: [endpoint(server)] });
      kept = llm;
      expect(await llm.text('Hello')).toBe('fine');
    }
    await expect(kept.text('Hello')).rejects.toMatchObject(closed);
    await until(() => server.open === 0);
  });
});
