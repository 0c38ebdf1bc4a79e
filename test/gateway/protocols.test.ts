/** What the endpoint tells of the protocols that its clients speak. */

import { expect, it } from 'vitest';
import { elementsOf, member } from '../../src/core/json.ts';
import type { RequestReport } from '../../src/gateway/index.ts';
import { servedPool } from '../clients/served-pool.ts';
import { ask, CHAT, chat, gatewayOver } from './support.ts';

const RESPONSES = '/v1/responses';

it('the log, the metrics and the status name the route of each call', async () => {
  const reports: RequestReport[] = [];
  const gateway = await gatewayOver((await servedPool('llm.fetch')).llm, {
    onRequest: (report) => reports.push(report),
  });
  const answer = await ask(gateway, { path: RESPONSES, body: JSON.stringify({ input: 'Hello' }) });
  await ask(gateway, { path: CHAT, body: chat() });
  await ask(gateway, { path: RESPONSES, body: '{}' });
  const stored = `${RESPONSES}/${String(member(JSON.parse(answer.text), 'id'))}`;
  expect((await ask(gateway, { path: stored })).status).toBe(200);
  expect((await ask(gateway, { path: stored, method: 'DELETE' })).status).toBe(200);
  expect((await ask(gateway, { path: stored })).status).toBe(404);
  expect(reports.map(({ method, route, status }) => [method, route, status])).toEqual([
    ['POST', RESPONSES, 200],
    ['POST', CHAT, 200],
    ['POST', RESPONSES, 400],
    ['GET', '/v1/responses/{id}', 200],
    ['DELETE', '/v1/responses/{id}', 200],
    ['GET', '/v1/responses/{id}', 404],
  ]);
  expect((await ask(gateway, { path: '/metrics' })).text).toContain('route="/v1/responses"');
  const status: unknown = JSON.parse((await ask(gateway, { path: '/status' })).text);
  expect(status).toMatchObject({
    calls: [
      { state: 'refused', route: RESPONSES },
      { state: 'success', route: CHAT },
      { state: 'success', route: RESPONSES },
    ],
  });
});

it("requests of Ollama's API are calls like others, and their refusals have its words", async () => {
  const reports: RequestReport[] = [];
  const gateway = await gatewayOver((await servedPool('llm.fetch')).llm, {
    onRequest: (report) => reports.push(report),
  });
  const path = '/api/chat';
  const messages = [{ role: 'user', content: 'Hello' }];
  await ask(gateway, { path, body: JSON.stringify({ model: 'auto', messages }) });
  await ask(gateway, { path, body: '{"model":"nobody/has-this","messages":[]}' });
  const refused = await ask(gateway, { path, body: '{"messages":[]}' });
  expect(JSON.parse(refused.text)).toEqual({ error: 'model: must be the name of a model.' });
  expect((await ask(gateway, { path: '/api/version' })).status).toBe(200);
  expect(reports.map(({ route, status, model }) => [route, status, model])).toEqual([
    [path, 200, 'auto'],
    [path, 200, undefined],
    [path, 400, undefined],
    ['/api/version', 200, undefined],
  ]);
  const status: unknown = JSON.parse((await ask(gateway, { path: '/status' })).text);
  expect(status).toMatchObject({
    calls: [
      { state: 'refused', route: path, message: 'model: must be the name of a model.' },
      { state: 'success', route: path },
    ],
  });
});

it('a request for several answers reports the tokens and attempts of all its calls', async () => {
  const reports: RequestReport[] = [];
  const gateway = await gatewayOver((await servedPool('llm.fetch')).llm, {
    onRequest: (report) => reports.push(report),
  });
  for (const n of [1, 3]) await ask(gateway, { path: CHAT, body: chat({ n }) });
  const [one, three] = reports;
  expect(three).toMatchObject({ attempts: 3, usage: { totalTokens: 3 * (one?.usage?.totalTokens ?? 0) } });
});

it('the status shows the name that was asked for, what stands for it, and where the conversation is', async () => {
  const gateway = await gatewayOver((await servedPool('llm.fetch')).llm);
  const body = { max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] };
  for (const model of ['claude-opus-5-5', 'claude-opus-5-5', 'auto'])
    await ask(gateway, { path: '/v1/messages', body: JSON.stringify({ ...body, model }) });
  const status: unknown = JSON.parse((await ask(gateway, { path: '/status' })).text);
  const [plain, second, first] = elementsOf(member(status, 'calls'));
  const asked = { model: 'claude-opus-5-5', chain: 'large:tools, tools, auto', route: '/v1/messages' };
  expect(first).toMatchObject(asked);
  expect(first).not.toHaveProperty('lastRoute');
  expect(second).toMatchObject({ ...asked, lastRoute: 'first custom-large' });
  expect(plain).toMatchObject({ model: 'auto' });
  expect(plain).not.toHaveProperty('chain');
});
