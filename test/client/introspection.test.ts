import { describe, expect, it } from 'vitest';
import { FreeLLM, GoogleAIStudio, listFreeModels, NIM, OpenRouter } from '../../src/index.ts';
import { rejection } from '../support/rejection.ts';
import { completion, hangs, json, says, serve, until } from '../support/server.ts';
import { aNumber, endpoint, open, providersOf, temporaryFolder, textLike, world } from './support.ts';

const HASH = textLike(/^[0-9a-f]{16}$/);
const MASK = textLike(/^\S{6}…\S{4}$/);

describe('health()', () => {
  it('has a row for every key, ready before the first call', async () => {
    const llm = open({ providers: providersOf(await world()) });
    const fresh = {
      key: MASK,
      account: HASH,
      tier: 'free',
      ready: true,
      readyAt: aNumber,
      reason: undefined,
      breaker: 'closed',
      disabled: false,
      rpmUsed: 0,
      rpdUsed: 0,
      lastError: undefined,
      latencyMs: undefined,
    };
    const openrouter = { ...fresh, provider: 'openrouter', rpm: 20, rpd: 50 };
    const google = { ...fresh, provider: 'google', rpm: aNumber, rpd: aNumber };
    const nim = { ...fresh, provider: 'nim', rpm: 30, rpd: undefined, rpdUsed: undefined };
    expect(llm.health()).toEqual([openrouter, openrouter, google, google, nim, nim]);
  });

  it("shows a key's state, the reason and the time of its next request", async () => {
    const simulated = await world({
      openrouter: { keys: 2, faults: [{ kind: 'unauthorized', account: 'account-1' }] },
    });
    const [provider] = providersOf(simulated, { discover: false });
    const llm = open({ providers: [provider] });
    await llm.text('Hello');
    const now = Date.now();
    const [refused, good] = llm.health();
    expect(refused).toMatchObject({
      ready: false,
      disabled: true,
      breaker: 'open',
      reason: 'the key was refused as invalid',
      lastError: { kind: 'unauthorized', message: textLike(/./), at: aNumber, model: textLike(/:free$/) },
    });
    // It is probed once an hour, in case it was repaired.
    expect(refused?.readyAt).toBeGreaterThan(now + 3_000_000);
    expect(good).toMatchObject({
      ready: true,
      disabled: false,
      reason: undefined,
      rpmUsed: 1,
      rpdUsed: 1,
      latencyMs: aNumber,
    });
  });

  it('counts requests in flight', async () => {
    const server = await serve(hangs);
    const llm = open({ providers: [endpoint(server, { rpm: 10 })] });
    const controller = new AbortController();
    const call = rejection(llm.text('Hello', { signal: controller.signal }));
    await until(() => server.requests.length === 1);
    expect(llm.health()).toMatchObject([{ rpmUsed: 1, rpm: 10 }]);
    controller.abort();
    await call;
  });
});

describe('capacity()', () => {
  it('sums the remaining quotas, now and today', async () => {
    const simulated = await world();
    const [openrouter] = providersOf(simulated, { discover: false });
    const llm = open({ providers: [openrouter] });
    expect(llm.capacity()).toMatchObject({ requestsNow: 40, requestsToday: 100, nextAt: aNumber });
    await llm.text('Hello');
    const capacity = llm.capacity();
    expect(capacity).toMatchObject({ requestsNow: 39, requestsToday: 99 });
    expect(capacity.quotas).toEqual([
      {
        provider: 'openrouter',
        account: HASH,
        model: undefined,
        leftNow: 19,
        leftToday: 49,
        resetsAt: aNumber,
        readyAt: aNumber,
      },
      {
        provider: 'openrouter',
        account: HASH,
        model: undefined,
        leftNow: 20,
        leftToday: 50,
        resetsAt: aNumber,
        readyAt: aNumber,
      },
    ]);
    for (const { resetsAt = 0 } of capacity.quotas) {
      expect(resetsAt).toBeGreaterThan(Date.now());
      expect(resetsAt).toBeLessThan(Date.now() + 25 * 3_600_000);
    }
  });

  it('counts per model if the provider does', () => {
    const llm = open({
      providers: [new GoogleAIStudio('a-key', { models: ['gemini-3.8-flash', 'gemma-4-31b-it'] })],
    });
    expect(llm.capacity()).toMatchObject({
      requestsNow: 35,
      requestsToday: 14_420,
      quotas: [
        { model: 'gemini-3.8-flash', leftNow: 5, leftToday: 20 },
        { model: 'gemma-4-31b-it', leftNow: 30, leftToday: 14_400 },
      ],
    });
  });

  it('has no numbers if nothing is counted', () => {
    const llm = open({ providers: [endpoint({ url: 'http://127.0.0.1:1' })] });
    expect(llm.capacity()).toMatchObject({
      requestsNow: 0,
      requestsToday: 0,
      quotas: [{ leftNow: undefined, leftToday: undefined, resetsAt: undefined }],
    });
  });
});

describe('explain()', () => {
  it('lists routes in the order in which a call would try them', async () => {
    const simulated = await world({
      openrouter: { faults: [{ kind: 'outage' }] },
      google: { faults: [{ kind: 'outage' }] },
    });
    const llm = open({ providers: providersOf(simulated, { discover: false }), strategy: 'priority' });
    const rows = llm.explain({ model: 'chat:fast' });
    const response = await llm.chat('Hello', { model: 'chat:fast' });
    const [first] = rows;
    expect(response.attempts[0]).toMatchObject({
      provider: first?.provider,
      model: first?.model,
      key: first?.key,
    });
    expect(rows[0]).toEqual({
      provider: 'openrouter',
      account: HASH,
      freeBecause: 'listed-price-0',
      key: MASK,
      model: textLike(/:free$/),
      ready: true,
      readyAt: aNumber,
      reason: undefined,
      trains: 'possible',
      logs: 'possible',
    });
  });

  it('says why a route is not ready, and from when it is', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server, { rpm: 1 })] });
    await llm.text('Hello');
    const [row] = llm.explain();
    expect(row).toMatchObject({ ready: false, reason: "this minute's quota is used up" });
    expect(row?.readyAt).toBeGreaterThan(Date.now() + 50_000);
  });

  it('rejects input that a call would reject', () => {
    const llm = open({ providers: [new OpenRouter('a-key', { discover: false })] });
    expect(() => llm.explain({ model: 'openai/gpt-oss-20b' })).toThrow(/would cost money/);
    expect(() => llm.explain({ model: 'nonsense' })).toThrow(/has a model "nonsense"/);
  });
});

it('reading the state changes and sends nothing', async () => {
  const server = await serve(says('fine'));
  const llm = open({ providers: [endpoint(server, { rpm: 3 })] });
  await llm.text('Hello');
  const look = (): unknown =>
    JSON.stringify([llm.health(), llm.capacity(), llm.explain(), llm.models()]).replaceAll(
      /"(readyAt|nextAt|at)":\d+/g,
      '',
    );
  const before = look();
  for (let turn = 0; turn < 5; turn += 1) expect(look()).toBe(before);
  expect(server.requests).toHaveLength(1);
});

describe('models()', () => {
  it('lists the known models with their providers, and the discovered ones after a refresh', async () => {
    const simulated = await world();
    const llm = open({ providers: providersOf(simulated) });
    const before = llm.models();
    expect(new Set(before.map(({ provider }) => provider))).toEqual(new Set(['openrouter', 'google', 'nim']));
    expect(before[0]).toMatchObject({
      provider: 'openrouter',
      id: textLike(/:free$/),
      tags: ['chat', 'large', 'tools', 'reasoning'],
      free: true,
    });
    const after = await llm.refreshModels();
    expect(llm.models()).toEqual(after);
    const listed = new Set(simulated.openrouter.models);
    const offered = after.filter(({ provider }) => provider === 'openrouter').map(({ id }) => id);
    expect(offered.every((id) => listed.has(id))).toBe(true);
    expect(before.some(({ provider, id }) => provider === 'openrouter' && !listed.has(id))).toBe(true);
  });

  it('keeps the known models if a list cannot be fetched', async () => {
    const server = await serve((_request, response) => response.writeHead(404).end());
    const llm = open({ providers: [new NIM('a-key', { baseUrl: server.url, discover: true })] });
    const before = llm.models();
    expect(await llm.refreshModels()).toEqual(before);
    expect(server.requests).toMatchObject([{ url: '/models' }]);
  });
});

/** Built in. OpenRouter's list of chat models does not name it. */
const EMBEDS = 'nvidia/nemotron-3-embed-1b:free';

describe('listFreeModels()', () => {
  it("gives OpenRouter's free models without any key", async () => {
    const server = await serve((_request, response) =>
      json(response, { data: [{ id: 'a/b:free', context_length: 8192 }, { id: 'a/paid' }] }),
    );
    const models = await listFreeModels({ baseUrl: server.url, cacheDir: temporaryFolder() });
    expect(models).toMatchObject([
      { provider: 'openrouter', id: 'a/b:free', ctx: 8192, free: true },
      { provider: 'openrouter', id: EMBEDS, kind: 'embedding', free: true },
    ]);
    expect(server.requests).toMatchObject([{ method: 'GET', url: '/models' }]);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
    await until(() => server.open === 0);
  });

  it('returns the built-in models if the list cannot be fetched', async () => {
    const server = await serve((_request, response) => json(response, { error: { message: 'no' } }, 403));
    const models = await listFreeModels({ baseUrl: server.url, cacheDir: temporaryFolder() });
    expect(models.length).toBeGreaterThan(5);
    expect(models.every(({ id }) => id.endsWith(':free') || id === 'openrouter/free')).toBe(true);
  });

  it("uses the user's fetch", async () => {
    const seen: string[] = [];
    const models = await listFreeModels({
      cacheDir: temporaryFolder(),
      fetch: (url) => {
        seen.push(url);
        return Promise.resolve(Response.json({ data: [{ id: 'a/b:free' }] }));
      },
    });
    expect(seen).toEqual(['https://openrouter.ai/api/v1/models']);
    expect(models.map(({ id }) => id)).toEqual(['a/b:free', EMBEDS]);
  });
});

it('after close() the state can be read, but calls are rejected', async () => {
  const server = await serve((_request, response) => json(response, completion('fine')));
  const llm = new FreeLLM({ providers: [endpoint(server)] });
  await llm.close();
  expect(llm.health()).toHaveLength(1);
  expect(llm.models()).toHaveLength(1);
  const closed = {
    name: 'FreeLLMError',
    code: 'closed',
    message: 'This FreeLLM is closed. Create a new one.',
  };
  await expect(llm.chat('Hello')).rejects.toMatchObject(closed);
  await expect(llm.text('Hello')).rejects.toMatchObject(closed);
  await expect(llm.refreshModels()).rejects.toMatchObject(closed);
  expect(server.connections).toBe(0);
});
