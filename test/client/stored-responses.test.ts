/** Answers of the Responses API that later processes go on from. */

import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { FreeLLM, type FreeLLMOptions } from '../../src/index.ts';
import { posted, says, serve, type TestServer } from '../support/server.ts';
import { endpoint, temporaryFolder } from './support.ts';

const KEY = 'sk-0123456789abcdef';

interface Setting {
  readonly server: TestServer;
  readonly cacheDir: string;
  readonly folder: string;
  /** A pool as another process would have it. */
  readonly pool: (options?: Partial<FreeLLMOptions>, env?: Readonly<Record<string, string>>) => FreeLLM;
}

async function setting(): Promise<Setting> {
  const server = await serve(says('Yes.'));
  const cacheDir = temporaryFolder();
  const pool: Setting['pool'] = (options, env = {}) => {
    const providers = [endpoint(server, { keys: [KEY] })];
    const llm = new FreeLLM({ providers, cacheDir, persist: true, ...options }, { env });
    onTestFinished(() => llm.close());
    return llm;
  };
  return { server, cacheDir, folder: join(cacheDir, 'state', 'responses'), pool };
}

async function ask(llm: FreeLLM, body: JsonObject): Promise<Response> {
  return llm.fetch('/v1/responses', { method: 'POST', body: JSON.stringify({ model: 'auto', ...body }) });
}

async function idOf(response: Response): Promise<string> {
  const text = await response.text();
  return /"id":"(resp_[^"]+)"/.exec(text)?.[1] ?? '';
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

describe.each([false, true])('an answer; streamed: %s', (stream) => {
  it('is there after a restart, and for processes beside', async () => {
    const { server, pool, folder } = await setting();
    const first = pool();
    const id = await idOf(await ask(first, { input: 'Hello', stream }));
    const beside = pool();
    await first.close();
    for (const llm of [beside, pool()]) {
      expect((await llm.fetch(`/v1/responses/${id}`)).status).toBe(200);
      expect(await (await ask(llm, { input: 'And?', previous_response_id: id, stream })).text()).toContain(
        'Yes.',
      );
    }
    expect(posted(server).at(-1)?.['messages']).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'And?' },
    ]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(filesIn(folder).map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  });
});

it('items are there, too, and go when their answer is deleted', async () => {
  const { pool, folder } = await setting();
  const response = await ask(pool(), { input: 'Hello' });
  const text = await response.text();
  const [, item = ''] = /"id":"(msg_[^"]+)"/.exec(text) ?? [];
  const input = [
    { type: 'item_reference', id: item },
    { role: 'user', content: 'And?' },
  ];
  const other = pool();
  expect((await ask(other, { input })).status).toBe(200);
  const id = /"id":"(resp_[^"]+)"/.exec(text)?.[1] ?? '';
  expect((await pool().fetch(`/v1/responses/${id}`, { method: 'DELETE' })).status).toBe(200);
  expect((await ask(other, { input })).status).toBe(404);
  expect((await other.fetch(`/v1/responses/${id}`)).status).toBe(404);
  expect(filesIn(folder)).toHaveLength(1);
});

it('no key is in a file', async () => {
  const { pool, folder } = await setting();
  await ask(pool(), { input: `My key is ${KEY}` });
  const [file = ''] = filesIn(folder);
  expect(readFileSync(file, 'utf8')).toContain('My key is ');
  expect(readFileSync(file, 'utf8')).not.toContain(KEY);
});

it('a damaged file is no answer', async () => {
  const { pool, folder } = await setting();
  const id = await idOf(await ask(pool(), { input: 'Hello' }));
  for (const file of filesIn(folder)) truncateSync(file, 10);
  const refused = await ask(pool(), { input: 'And?', previous_response_id: id });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain(id);
});

describe('nothing is written', () => {
  it.each<[string, Partial<FreeLLMOptions>, Readonly<Record<string, string>>, JsonObject]>([
    ['without persist', { persist: false }, {}, {}],
    ['with FREELM_PERSIST=0', { persist: undefined }, { FREELM_PERSIST: '0' }, {}],
    ['for a request with store: false', {}, {}, { store: false }],
  ])('%s', async (_, options, env, body) => {
    const { pool, folder } = await setting();
    const llm = pool(options, env);
    const id = await idOf(await ask(llm, { input: 'Hello', ...body }));
    expect(existsSync(folder)).toBe(false);
    const again = await ask(llm, { input: 'And?', previous_response_id: id });
    expect(again.status).toBe(body['store'] === false ? 400 : 200);
    expect((await ask(pool(), { input: 'And?', previous_response_id: id })).status).toBe(400);
  });
});
