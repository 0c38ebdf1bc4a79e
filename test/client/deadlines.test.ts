import { describe, expect, it } from 'vitest';
import { DeadlineError, NIM, OpenRouter } from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { completion, hangs, json, says, serve, serveTcp, until, type TestServer } from '../support/server.ts';
import { endpoint, open } from './support.ts';

/** Time enough for a machine that is busy with other tests. */
const SLACK_MS = 400;

/** How long something takes, in ms. */
async function timed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

/** Servers that never give an answer, each in its own way. */
const SILENT: Readonly<Record<string, () => Promise<Pick<TestServer, 'url' | 'open'>>>> = {
  'takes the connection and no more': () => serveTcp(),
  'takes the request and never answers': () => serve(hangs),
  'sends its headers and no body': () =>
    serve((_request, response) => response.writeHead(200).flushHeaders()),
  'sends half of its body': () =>
    serve((_request, response) => response.writeHead(200).write('{"choices":[')),
  'sends half of a refusal': () => serve((_request, response) => response.writeHead(500).write('{"error":')),
  'drips its answer byte by byte': () =>
    serve((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    }),
};

describe.each(Object.entries(SILENT))('a provider that %s', (_how, start) => {
  it('does not prevent another provider from serving the call within timeoutMs', async () => {
    const silent = await start();
    const server = await serve(says('served elsewhere'));
    const llm = open({
      providers: [endpoint(silent, { name: 'silent' }), endpoint(server, { name: 'good' })],
      strategy: 'priority',
      timeoutMs: 2000,
    });
    const response = await llm.chat('Hello');
    expect(response).toMatchObject({ text: 'served elsewhere', provider: 'good' });
    expect(response.attempts[0]).toMatchObject({
      provider: 'silent',
      account: expect.any(String) as unknown,
    });
    expect(response.latencyMs).toBeLessThan(2000);
    await until(() => silent.open === 0);
  });

  it('fails a call at timeoutMs if there is no other provider', async () => {
    const silent = await start();
    const call = errorOf(open({ providers: [endpoint(silent)] }).chat('Hello', { timeoutMs: 120 }));
    const took = await timed(call);
    const error = await call;
    // Timers and the clock of the test round in different ways.
    if (error instanceof DeadlineError) expect(took).toBeGreaterThan(100);
    else
      expect(error).toMatchObject({
        code: 'no_providers_available',
        attempts: [{ outcome: 'server_error' }],
      });
    expect(took).toBeLessThan(120 + SLACK_MS);
    await until(() => silent.open === 0);
  });
});

it('a TLS handshake that is never answered is bounded, too', async () => {
  const silent = await serveTcp();
  const server = await serve(says('served elsewhere'));
  const llm = open({
    providers: [
      endpoint(silent, { name: 'silent', baseUrl: silent.url.replace('http:', 'https:') }),
      endpoint(server, { name: 'good' }),
    ],
    strategy: 'priority',
    timeoutMs: 600,
  });
  expect(await llm.chat('Hello')).toMatchObject({ provider: 'good', attempts: [{ outcome: 'timeout' }, {}] });
  await until(() => silent.open === 0);
});

describe('the limits of an attempt', () => {
  it('attemptTimeoutMs bounds each attempt', async () => {
    const [one, two, three] = [await serve(hangs), await serve(hangs), await serve(says('the third'))];
    const providers = [one, two, three].map((server, index) => endpoint(server, { name: `number-${index}` }));
    const llm = open({ providers, strategy: 'priority', attemptTimeoutMs: 50 });
    const response = await llm.chat('Hello');
    expect(response.text).toBe('the third');
    for (const { outcome, latencyMs } of response.attempts.slice(0, 2)) {
      expect(outcome).toBe('timeout');
      expect(latencyMs).toBeLessThan(50 + SLACK_MS);
    }
  });

  it('one attempt takes at most half of the remaining time while other routes are ready', async () => {
    const [one, two] = [await serve(hangs), await serve(hangs)];
    const providers = [one, two].map((server, index) => endpoint(server, { name: `number-${index}` }));
    const error = await errorOf(open({ providers, strategy: 'priority' }).chat('Hello', { timeoutMs: 400 }));
    expect(error).toMatchObject({
      code: 'deadline',
      attempts: [{ provider: 'number-0' }, { provider: 'number-1' }],
    });
    const first = error instanceof DeadlineError ? error.attempts[0]?.latencyMs : undefined;
    expect(first).toBeGreaterThanOrEqual(195);
    expect(first).toBeLessThan(200 + SLACK_MS / 2);
  });

  it('maxAttempts bounds their number', async () => {
    const server = await serve((_request, response) =>
      json(response, { error: { message: 'no such model' } }, 404),
    );
    const models = Array.from({ length: 20 }, (_, index) => `m${index}`);
    const error = await errorOf(
      open({ providers: [endpoint(server, { models })], maxAttempts: 3 }).chat('Hello'),
    );
    expect(error).toMatchObject({ attempts: { length: 3 } });
    expect(server.requests).toHaveLength(3);
  });

  it('maxWaitMs bounds the wait', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server, { rpm: 1 })] });
    await llm.text('Hello');
    const took = await timed(errorOf(llm.text('Hello', { wait: true, maxWaitMs: 50 })));
    expect(took).toBeLessThan(50 + SLACK_MS);
  });
});

describe('a list of models that never comes', () => {
  it('does not prevent an answer to the first call within its deadline', async () => {
    const server = await serve((request, response) => {
      if (request.method === 'POST') json(response, completion('fine'));
    });
    const llm = open({ providers: [new OpenRouter('a-key', { baseUrl: server.url })] });
    const response = await llm.chat('Hello', { timeoutMs: 1200 });
    expect(response.text).toBe('fine');
    expect(response.latencyMs).toBeLessThan(1200);
    expect(server.requests.map(({ url }) => url).toSorted()).toEqual([
      '/chat/completions',
      '/key',
      '/models',
    ]);
    // The next one does not wait again.
    expect((await llm.chat('Hello', { timeoutMs: 1200 })).latencyMs).toBeLessThan(300);
  });

  it('does not hold up a call for a model that is known', async () => {
    const server = await serve((request, response) => {
      if (request.method === 'POST') json(response, completion('fine'));
    });
    const llm = open({ providers: [new NIM('a-key', { baseUrl: server.url, discover: true })] });
    const response = await llm.chat('Hello', { model: 'z-ai/glm-5.3' });
    expect(response.latencyMs).toBeLessThan(SLACK_MS);
  });
});

describe('the first calls', () => {
  it('send one discovery request, however many calls start at once', async () => {
    const server = await serve((request, response) => {
      json(response, request.method === 'GET' ? { data: [{ id: 'a/b:free' }] } : completion('fine'));
    });
    const llm = open({ providers: [new OpenRouter('a-key', { baseUrl: server.url })] });
    const responses = await Promise.all([1, 2, 3].map(() => llm.chat('Hello')));
    expect(responses.map(({ model }) => model)).toEqual(['a/b:free', 'a/b:free', 'a/b:free']);
    await llm.chat('Hello');
    expect(server.requests.filter(({ url }) => url.endsWith('/models'))).toHaveLength(1);
  });
});
