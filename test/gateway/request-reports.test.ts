/** What the endpoint reports of each request, and the answers of /health and /live. */

import { executionAsyncId } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { type RequestReport, startGateway } from '../../src/gateway/index.ts';
import { routeOf, shownPath } from '../../src/gateway/request-reports.ts';
import { endpoint, open, world, providersOf } from '../client/support.ts';
import { completion, hangs, json, says, serve, until } from '../support/server.ts';
import { ask, chat, CHAT, delta, gatewayOver, send, type Sent } from './support.ts';

interface Reported {
  readonly reports: readonly RequestReport[];
  readonly onRequest: (report: RequestReport) => void;
}

function recorder(): Reported {
  const reports: RequestReport[] = [];
  return { reports, onRequest: (report) => reports.push(report) };
}

/** The states of the calls on the status page, newest first. */
function statesIn(status: string): readonly (string | undefined)[] {
  return Array.from(status.matchAll(/"state":"(\w+)"/g), ([, state]) => state);
}

const A_NUMBER: unknown = expect.any(Number);
const SOME_TOKENS: unknown = expect.objectContaining({ totalTokens: A_NUMBER });

describe('the report of a request', () => {
  it('names the call, who answered and what it took, with the id of the response', async () => {
    const { reports, onRequest } = recorder();
    const simulated = await world({ nim: { keys: 1 }, reply: () => 'the secret answer' });
    const [, , nim] = providersOf(simulated);
    const gateway = await gatewayOver(open({ providers: [nim] }), { onRequest });
    const body = chat({ model: 'chat', messages: [{ role: 'user', content: 'the secret question' }] });
    const { headers } = await ask(gateway, { path: `${CHAT}?key=secret`, body });
    await until(() => reports.length === 1);
    expect(reports).toEqual([
      {
        id: headers['x-request-id'],
        method: 'POST',
        path: CHAT,
        route: CHAT,
        status: 200,
        isComplete: true,
        durationMs: A_NUMBER,
        bytesReceived: body.length,
        bytesSent: A_NUMBER,
        model: 'chat',
        provider: 'nim',
        servedModel: headers['x-freelm-model'],
        attempts: 1,
        usage: SOME_TOKENS,
        code: undefined,
      },
    ]);
    expect(JSON.stringify(reports)).not.toContain('secret');
  });

  it('tells calls of the same moment apart, whole and streamed', async () => {
    const { reports, onRequest } = recorder();
    const server = await serve(({ body }, response) => {
      const model = /"model":"([^"]*)"/.exec(body)?.[1] ?? '';
      const isSlow = model.startsWith('slow');
      if (body.includes('"stream":true')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(delta(model));
        const end = (): void => void response.end(`${delta('', 'stop')}data: [DONE]\n\n`);
        setTimeout(end, isSlow ? 20 : 0);
      } else setTimeout(() => json(response, completion(model)), isSlow ? 20 : 0);
    });
    const models = ['slow-1', 'fast-2', 'slow-3', 'fast-4'];
    const gateway = await gatewayOver(open({ providers: [endpoint(server, { models })] }), { onRequest });
    await Promise.all(
      models.flatMap((model) =>
        [true, false].map((stream) => ask(gateway, { path: CHAT, body: chat({ model, stream }) })),
      ),
    );
    await until(() => reports.length === 8);
    for (const { model, servedModel, attempts } of reports) {
      expect([servedModel, attempts]).toEqual([model, 1]);
    }
    // The fake server reports no tokens of streams.
    expect(reports.filter(({ usage }) => usage?.totalTokens === 5)).toHaveLength(4);
  });

  it.each<{ what: string; sent: Sent; expected: Partial<RequestReport>; shown: readonly string[] }>([
    { what: 'no JSON', sent: { path: CHAT, body: '{' }, expected: { status: 400 }, shown: ['refused'] },
    {
      what: 'an unknown model',
      sent: { path: CHAT, body: chat({ model: 'model-9' }) },
      expected: { status: 404, model: 'model-9', code: 'config' },
      shown: ['failure'],
    },
    {
      what: 'no token',
      sent: { path: CHAT, body: chat(), headers: { authorization: 'Bearer no' } },
      expected: { status: 401, code: 'invalid_api_key' },
      shown: [],
    },
    {
      what: 'a foreign page',
      sent: { path: CHAT, body: chat(), headers: { origin: 'https://evil.example' } },
      expected: { status: 403, code: 'origin_not_allowed' },
      shown: ['refused'],
    },
    {
      what: 'a wrong path',
      sent: { path: '/nowhere' },
      expected: { status: 404, path: '/nowhere', route: 'other', code: 'unknown_url' },
      shown: [],
    },
  ])('$what: says why it was refused, and so does the status page', async ({ sent, expected, shown }) => {
    const { reports, onRequest } = recorder();
    const [, , nim] = providersOf(await world({ nim: { keys: 1 } }), { discover: false });
    const gateway = await gatewayOver(open({ providers: [nim] }), { onRequest, token: 'open-sesame' });
    const token = { authorization: 'Bearer open-sesame' };
    const { headers } = await ask(gateway, { ...sent, headers: { ...token, ...sent.headers } });
    await until(() => reports.length === 1);
    const id = headers['x-request-id'];
    expect(reports).toMatchObject([{ attempts: 0, provider: undefined, id, ...expected }]);
    expect(id).toMatch(/^req_[\da-f]{32}$/);
    const status = await ask(gateway, { path: '/status', headers: token });
    expect(statesIn(status.text)).toEqual(shown);
  });

  it('says that the client left before the response', async () => {
    const { reports, onRequest } = recorder();
    const upstream = await serve(hangs);
    const gateway = await gatewayOver(open({ providers: [endpoint(upstream)] }), { onRequest });
    const controller = new AbortController();
    const running = send(gateway, { path: CHAT, body: chat(), signal: controller.signal });
    running.catch(() => undefined);
    await until(() => upstream.requests.length === 1);
    controller.abort();
    await until(() => reports.length === 1);
    expect(reports).toMatchObject([{ status: undefined, isComplete: false, provider: 'mine', attempts: 1 }]);
  });

  it.each([
    ['/v1/chat/completions?key=sk-secret', '/v1/chat/completions', '/v1/chat/completions'],
    ['/openai/v1/models', '/openai/v1/models', '/v1/models'],
    ['/v1/models/sk-or-v1-0123456789abcdef0123456789abcdef', '/v1/models/…', '/v1/models/{id}'],
    ['/v1/models/a%20b/c', '/v1/models/…/c', '/v1/models/{id}'],
    ['http://sk-secret@host/health', '/health', '/health'],
    ['/', '/', '/'],
    ['', '/', '/'],
    ['/reset', '/reset', '/reset'],
    ['/healthy', '/healthy', 'other'],
    [`/${'a/'.repeat(500)}`, '/a/a/a/a/a/a/a/…', 'other'],
    ['/\u001B[31m', '/…', 'other'],
  ])('shows the path %j as %j, of the route %j', (url, path, route) => {
    expect([shownPath(url), routeOf(shownPath(url))]).toEqual([path, route]);
  });
});

describe('GET /health and GET /live', () => {
  it('are 200 while a key is ready, and /health is 503 when nothing can serve', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const [, , nim] = providersOf(simulated);
    const gateway = await gatewayOver(open({ providers: [nim] }), { token: 'open-sesame' });
    const answers = (): Promise<unknown[]> =>
      Promise.all(
        ['/health', '/live'].map(async (path) => {
          const { status, text } = await ask(gateway, { path });
          return [status, text];
        }),
      );
    expect(await answers()).toEqual([
      [200, '{"ok":true}'],
      [200, '{"ok":true}'],
    ]);
    simulated.nim.script({ kind: 'unauthorized' });
    await ask(gateway, { path: CHAT, body: chat(), headers: { authorization: 'Bearer open-sesame' } });
    expect(await answers()).toEqual([
      [503, '{"ok":false}'],
      [200, '{"ok":true}'],
    ]);
  });
});

describe('use()', () => {
  it('serves new requests from another pool, and running ones from theirs', async () => {
    const held: (() => void)[] = [];
    const slow = await serve((_request, response) => {
      held.push(() => json(response, completion('from the first')));
    });
    const first = open({ providers: [endpoint(slow)] });
    const second = open({ providers: [endpoint(await serve(says('from the second')))] });
    const gateway = await gatewayOver(first);
    const running = ask(gateway, { path: CHAT, body: chat() });
    await until(() => held.length === 1);
    const ended: string[] = [];
    const idle = gateway.use(second).then(() => ended.push('the first pool is idle'));
    const next = await ask(gateway, { path: CHAT, body: chat() });
    expect(next.text).toContain('from the second');
    expect(ended).toEqual([]);
    held[0]?.();
    expect((await running).text).toContain('from the first');
    await idle;
    const { text } = await ask(gateway, { path: '/status' });
    expect(statesIn(text)).toEqual(['success', 'success']);
  });

  it('resolves at once if the earlier pool serves nothing', async () => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))] });
    const gateway = await gatewayOver(llm);
    await gateway.use(open({ providers: [endpoint(await serve(says('Ho')))] }));
    expect((await ask(gateway, { path: CHAT, body: chat() })).text).toContain('Ho');
  });
});

/** The id of the context in which a promise goes on: 0 unless Node observes all promises, which makes each several times as slow. */
async function promiseContext(): Promise<number> {
  await Promise.resolve();
  return executionAsyncId();
}

it('does not make Node observe the promises of the process once the endpoint is closed', async () => {
  const simulated = await world({ nim: { keys: 1 } });
  const gateway = await startGateway(open({ providers: providersOf(simulated) }), { port: 0, graceMs: 0 });
  await ask(gateway, { path: CHAT, body: chat() });
  await gateway.close();
  expect(await promiseContext()).toBe(0);
});
