import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import OpenAI from '../../src/compat.ts';
import { errorOf } from '../support/rejection.ts';
import { until } from '../support/server.ts';
import { compatClient, HELLO } from './support.ts';

describe('the promise that a method returns', () => {
  it('resolves to the answer', async () => {
    const { client } = await compatClient();
    const answer = client.chat.completions.create(HELLO);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({ object: 'chat.completion', model: 'custom-large' });
    expect(await answer).toBe(await answer);
    const text = await answer.then(({ choices }) => choices[0]?.message.content);
    expect(text).toBe('You said: Hello');
  });

  it('works with Promise.all, catch and finally', async () => {
    const { client } = await compatClient();
    const called: string[] = [];
    const all = await Promise.all([client.chat.completions.create(HELLO), client.models.retrieve('auto')]);
    expect(all.map(({ object }) => object)).toEqual(['chat.completion', 'model']);
    const caught = client.models.retrieve('no-such-model').catch((error: unknown) => error);
    expect(await caught).toBeInstanceOf(OpenAI.NotFoundError);
    await client.models.retrieve('auto').finally(() => called.push('finally'));
    expect(called).toEqual(['finally']);
  });

  it('gives access to the unread response', async () => {
    const { client } = await compatClient();
    const response = await client.chat.completions.create(HELLO).asResponse();
    expect(response.headers.get('x-freelm-provider')).toBe('mine');
    expect(await response.json()).toMatchObject({ object: 'chat.completion' });
  });

  it('gives access to the answer and its response', async () => {
    const { client } = await compatClient();
    const { data, response, request_id: id } = await client.chat.completions.create(HELLO).withResponse();
    expect(data.choices).toHaveLength(1);
    expect(response.status).toBe(200);
    expect(id).toBe(data.id);
  });

  it('does not enumerate _request_id', async () => {
    const { client } = await compatClient();
    const completion = await client.chat.completions.create(HELLO);
    expect(completion).toHaveProperty('_request_id', completion.id);
    expect(JSON.stringify(completion)).not.toContain('_request_id');
    expect({ ...completion }).not.toHaveProperty('_request_id');
  });

  it('removes its listener from the signal when it settles', async () => {
    const { client } = await compatClient();
    const { signal } = new AbortController();
    await client.chat.completions.create(HELLO, { signal });
    await errorOf(client.chat.completions.create({ ...HELLO, model: 'no-such-model' }, { signal }));
    await client.models.list({ signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('rejects when it is aborted, with the reason as its cause', async () => {
    const { client, world } = await compatClient();
    world.custom.script({ kind: 'hang' });
    const controller = new AbortController();
    const failed = errorOf(client.chat.completions.create(HELLO, { signal: controller.signal }));
    await until(() => world.counts.total === 1);
    controller.abort(new Error('enough'));
    const error = await failed;
    expect(error).toBeInstanceOf(OpenAI.APIUserAbortError);
    expect(error.cause).toEqual(new Error('enough'));
  });

  it('sends nothing if the signal is already aborted', async () => {
    const { client, world } = await compatClient();
    await errorOf(client.chat.completions.create(HELLO, { signal: AbortSignal.abort() }));
    expect(world.counts.total).toBe(0);
  });
});

describe('the list of models', () => {
  it('is a single page', async () => {
    const { client } = await compatClient();
    const page = await client.models.list();
    expect(page.object).toBe('list');
    expect(page.data.map(({ id }) => id)).toEqual([
      'auto',
      'chat',
      'chat:large',
      'large',
      'tools',
      'vision',
      'custom-large',
    ]);
    expect(page.getPaginatedItems()).toBe(page.data);
    expect(page.hasNextPage()).toBe(false);
    await expect(page.getNextPage()).rejects.toThrow(OpenAI.OpenAIError);
    const pages: unknown[] = [];
    for await (const one of page.iterPages()) pages.push(one);
    expect(pages).toEqual([page]);
  });

  it('can be iterated with and without await', async () => {
    const { client } = await compatClient();
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    for await (const { id } of await client.models.list()) ids.push(id);
    expect(ids).toHaveLength(14);
  });

  it('encodes model ids that contain slashes', async () => {
    const { client, world } = await compatClient();
    expect(world.counts.total).toBe(0);
    const model = await errorOf(client.models.retrieve('z-ai/glm-5.2:free'));
    const half = await errorOf(client.models.retrieve('half \ud83d'));
    expect(half).toMatchObject({ status: 404 });
    expect(model.message).toContain('"z-ai/glm-5.2:free"');
  });
});
