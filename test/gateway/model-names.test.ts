/** Names of models from outside, at the server: refused, or shown harmlessly. */

import { describe, expect, it } from 'vitest';
import { endpoint, open } from '../client/support.ts';
import { says, serve } from '../support/server.ts';
import { ask, chat, CHAT, gatewayOver } from './support.ts';

const REFUSED: readonly (readonly [what: string, name: string])[] = [
  ['a new line', 'm\nx-injected: 1'],
  ['a carriage return', 'm\r\n\r\n<script>'],
  ['NUL', 'm\0'],
  ['an escape of a terminal', 'm\u001B[2J'],
  ['a control character of Latin-1', 'm\u009B2J'],
  ['a line separator', 'm\u2028'],
  ['a mark that turns the text', 'm\u202Etxt.exe'],
  ['half a character', 'm\uD800'],
  ['501 characters', 'm'.repeat(501)],
  ['a megabyte', 'm'.repeat(1_000_000)],
];

const SERVED: readonly (readonly [what: string, name: string])[] = [
  ['a path', '../../etc/passwd'],
  ['markup', '<img src=x onerror=alert(1)>'],
  ['quotation marks', `"'\`\\`],
  ['a URL', 'https://x.example/?a=b&c#d'],
  ['per cent', '%00%0a%'],
  ['letters and emoji', 'модель-日本-🦙'],
  ['500 characters', 'm'.repeat(500)],
];

describe('a call', () => {
  it.each(REFUSED)('with %s in the name of its model is refused', async (_what, model) => {
    const server = await serve(says('Hi'));
    const gateway = await gatewayOver(open({ providers: [endpoint(server)] }));
    for (const body of [chat({ model }), chat({ freelm: { model: ['m', model] } })]) {
      const { status, text } = await ask(gateway, { path: CHAT, body });
      expect(status).toBe(400);
      expect(text.length).toBeLessThan(500);
      expect(JSON.parse(text)).toHaveProperty('error.type', 'invalid_request_error');
      expect(text).toMatch(/"param":"(freelm\.)?model"/);
    }
    expect(server.requests).toEqual([]);
  });

  it.each(SERVED)('with %s in the name of its model is served, with sound headers', async (_what, model) => {
    const gateway = await gatewayOver(
      open({ providers: [endpoint(await serve(says('Hi')), { models: [model] })] }),
    );
    for (const stream of [false, true]) {
      const { status, headers, text } = await ask(gateway, { path: CHAT, body: chat({ model, stream }) });
      expect(status).toBe(200);
      expect(headers['x-freelm-model']).toMatch(/^[\u0020-\u007E]{1,200}$/);
      expect(text).toContain(JSON.stringify(model));
    }
    const list = await ask(gateway, { path: '/v1/models' });
    expect(JSON.parse(list.text)).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ id: model })]) as unknown,
    });
    const one = await ask(gateway, { path: `/v1/models/${encodeURIComponent(model)}` });
    expect(JSON.parse(one.text)).toMatchObject({ id: model });
    const status = await ask(gateway, { path: '/status' });
    expect(status.headers['content-type']).toBe('application/json');
  });
});

describe('GET /v1/models/{id}', () => {
  it.each([
    ['a new line', '%0A', 404],
    ['NUL', '%00', 404],
    ['half a character', '%ED%A0%80', 200],
    ['a broken escape', '%', 200],
    ['501 characters', 'm'.repeat(501), 404],
    ['a name', 'any', 200],
  ])('with %s in the name, where every name is served', async (_what, id, status) => {
    const llm = open({ providers: [endpoint(await serve(says('Hi')))], unknownModels: 'auto' });
    const received = await ask(await gatewayOver(llm), { path: `/v1/models/${id}` });
    expect(received.status).toBe(status);
    expect(received.text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    expect(received.text.length).toBeLessThan(1000);
  });
});
