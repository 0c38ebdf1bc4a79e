/** How calls, streams and processes end, and what a closed pool leaves behind. */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import type { StateStore } from '../../src/index.ts';
import { libraryUrl } from '../support/library.ts';
import { rejection } from '../support/rejection.ts';
import { completion, json, serve } from '../support/server.ts';
import { MINUTE, SECOND, simulatedPool } from '../support/simulated-pool.ts';
import { temporaryFolder } from './support.ts';

const never = new Promise<never>(() => {});
const REASON = { why: 'enough' };
const CLOSED = { code: 'closed' };

describe('the whole answer of a stream that nothing reads', () => {
  it.each([
    ['is closed', 'was read in part', CLOSED],
    ['is closed', 'was not begun', CLOSED],
    ['is aborted', 'was read in part', REASON],
    ['is aborted', 'was not begun', REASON],
  ])('is settled when the pool or the call %s, and the stream %s', async (end, reading, expected) => {
    const pool = simulatedPool({ nim: {} });
    const controller = new AbortController();
    const stream = pool.llm.stream('one two three', { signal: controller.signal });
    const parts = stream.parts();
    if (reading === 'was read in part') await pool.run(parts.next());
    const response = rejection(stream.response());
    await pool.clock.advance(MINUTE);
    if (end === 'is closed') await pool.llm.close();
    else controller.abort(REASON);
    expect(await response).toMatchObject(expected);
    await expect(parts.next()).rejects.toMatchObject(expected);
    await pool.clock.advance(0);
    expect([pool.clock.pending, pool.transport.open]).toEqual([0, 0]);
  });

  it('ends its call, which the caller left', async () => {
    const pool = simulatedPool({ nim: {} });
    await pool.run(pool.llm.stream('one two three').parts().next());
    await pool.llm.close();
    await pool.clock.advance(0);
    expect(pool.events.at(-1)).toMatchObject({ type: 'call-end', outcome: 'aborted', attempts: 1 });
  });
});

it('a stream that is being read when the pool is closed fails', async () => {
  const pool = simulatedPool({ nim: { faults: [{ kind: 'hang' }] } });
  const reading = rejection(pool.llm.stream('Hello').response());
  await pool.clock.advance(SECOND);
  await pool.llm.close();
  expect(await reading).toMatchObject(CLOSED);
  expect(pool.events.at(-1)).toMatchObject({ type: 'call-end', outcome: 'failure', code: 'closed' });
});

describe('an abort', () => {
  it('of a call in line rejects with its reason before anything else happens', async () => {
    const pool = simulatedPool({ custom: { rpm: 1 } });
    await pool.trace(1);
    const controller = new AbortController();
    const options = { wait: true, maxWaitMs: 10 * MINUTE, timeoutMs: 10 * MINUTE };
    const call = rejection(pool.llm.chat('Hello', { ...options, signal: controller.signal }));
    const other = pool.llm.chat('Hello', options);
    await pool.clock.advance(SECOND);
    controller.abort(REASON);
    expect(await call).toBe(REASON);
    expect(pool.clock.monotonicMs()).toBe(SECOND);
    await pool.run(other);
  });

  it.each(['read', 'swap'] as const)('does not wait for a store whose %s hangs', async (method) => {
    const store: StateStore = { ...memoryStore(), [method]: () => never };
    const pool = simulatedPool({ store, nim: {} });
    const controller = new AbortController();
    const call = rejection(pool.llm.chat('Hello', { signal: controller.signal }));
    await pool.clock.advance(SECOND / 10);
    controller.abort(REASON);
    expect(await call).toBe(REASON);
    expect(pool.clock.monotonicMs()).toBe(SECOND / 10);
    await pool.clock.advance(2 * SECOND);
    // Nothing was sent, so nothing is booked.
    expect(pool.llm.health()).toMatchObject([{ rpmUsed: 0 }]);
    expect(pool.clock.pending).toBe(0);
  });
});

const LIBRARY = JSON.stringify(libraryUrl('index.js'));

/** Runs a script over the library in a process of its own; gives what it printed. Rejects if it fails or prints an error. */
async function run(script: string, folder: string): Promise<string> {
  const file = join(folder, 'script.mjs');
  writeFileSync(file, script);
  const options = { env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder } };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], options);
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('a process', () => {
  it('has nothing left of a closed pool', async () => {
    const folder = temporaryFolder();
    const server = await serve((request, response) => {
      if (request.url === '/v1/models') return;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"one "}}]}\n\n');
    });
    const script = `
      import { channel } from 'node:diagnostics_channel';
      import { FreeLLM, OpenAICompatible } from ${LIBRARY};
      const server = ${JSON.stringify(server.url)};
      const kinds = () => process.getActiveResourcesInfo().filter((kind) => !/^(PipeWrap|TTYWrap|Immediate|MessagePort)$/.test(kind)).toSorted();
      const before = kinds();
      const never = new Promise(() => {});
      const mine = (more) => new OpenAICompatible('a-key-of-mine-0123', { name: 'mine', baseUrl: server + '/v1', ...more });
      const options = { cacheDir: ${JSON.stringify(folder)}, persist: false, wait: true, maxWaitMs: 90_000, timeoutMs: 90_000 };
      const pool = new FreeLLM({ ...options, providers: [mine({ models: ['m'], rpm: 2 })] });
      const lists = new FreeLLM({ ...options, providers: [mine()] });
      const slow = new FreeLLM({ ...options, providers: [mine({ models: ['m'] })], store: { read: () => never, swap: () => never } });
      const parts = pool.stream('Hello').parts();
      await parts.next();
      const left = pool.stream('Hello');
      for await (const text of left) break;
      const calls = [pool.chat('Hello'), pool.chat('Hello'), lists.chat('Hello'), slow.chat('Hello')];
      const ended = Promise.allSettled(calls);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await Promise.all([pool.close(), lists.close(), slow.close()]);
      const outcomes = (await ended).map(({ reason }) => reason?.code);
      for (let turn = 0; turn < 200 && kinds().length > before.length; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      const subscribed = ['freelm:call', 'freelm:attempt', 'undici:client:connected', 'undici:request:create'].filter((name) => channel(name).hasSubscribers);
      console.log(JSON.stringify({ left: kinds().slice(before.length), outcomes, subscribed }));`;
    expect(JSON.parse(await run(script, folder))).toEqual({
      left: [],
      outcomes: ['closed', 'closed', 'closed', 'closed'],
      subscribed: [],
    });
  });

  it('that exits right after close() has saved its lists and leaves no temporary file', async () => {
    const folder = temporaryFolder();
    const server = await serve((request, response) => {
      if (request.url === '/v1/models') json(response, { data: [{ id: 'm-of-the-list' }] });
      else json(response, completion('fine'));
    });
    const script = `
      import { FreeLLM, OpenAICompatible } from ${LIBRARY};
      const providers = ['one', 'two', 'three'].map((name) => new OpenAICompatible('a-key-of-mine-0123', { name, baseUrl: ${JSON.stringify(server.url)} + '/v1' }));
      const llm = new FreeLLM({ providers, cacheDir: ${JSON.stringify(folder)}, persist: false });
      console.log(await llm.text('Hello'));
      await llm.close();
      process.exit();`;
    expect(await run(script, folder)).toBe('fine');
    const files = readdirSync(folder).filter((name) => name !== 'script.mjs');
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(files.filter((name) => /^models-.*\.json$/.test(name))).toHaveLength(3);
    for (const name of files.filter((file) => file.endsWith('.json')))
      expect(readFileSync(join(folder, name), 'utf8')).toContain('m-of-the-list');
  });

  it.each([
    {
      where: 'whose bundle lacks undici',
      undici:
        "throw Object.assign(new Error('Cannot find package undici'), { code: 'ERR_MODULE_NOT_FOUND' })",
      message: 'Cannot find package undici',
    },
    {
      where: 'whose runtime puts a module without sockets in the place of undici',
      undici: "export class Agent {}; export const request = () => Promise.reject(new Error('asked'))",
      message: 'this runtime replaces it, and its agents cannot send',
    },
    {
      where: 'whose runtime compiles no WebAssembly',
      undici:
        "export class Agent { dispatch() {} }; globalThis.WebAssembly.Module = class { constructor() { throw new Error('not allowed') } }",
      message: 'not allowed',
    },
  ])(
    "$where uses the runtime's fetch, but not to go round a dispatcher or a proxy",
    async ({ undici, message }) => {
      const server = await serve((_, response) => {
        json(response, completion('fine'));
      });
      const script = `
      import { register } from 'node:module';
      const undici = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(undici)});
      const hook = "export const resolve = (name, context, next) => name === 'undici' ? { url: " + JSON.stringify(undici) + ", shortCircuit: true } : next(name, context)";
      register('data:text/javascript,' + encodeURIComponent(hook));
      const { FreeLLM, OpenAICompatible } = await import(${LIBRARY});
      const providers = [new OpenAICompatible('a-key-of-mine-0123', { name: 'mine', baseUrl: ${JSON.stringify(server.url)} + '/v1', models: ['m'] })];
      const said = [];
      const ask = async (options) => {
        const llm = new FreeLLM({ providers, persist: false, ...options });
        const text = await llm.text('Hello').catch(({ code, message }) => ({ code, message }));
        said.push({ text, ready: llm.health()[0].ready });
        await llm.close();
      };
      await ask({});
      await ask({ dispatcher: { dispatch: () => true } });
      process.env.HTTPS_PROXY = 'http://127.0.0.1:1';
      await ask({});
      await ask({ fetch });
      console.log(JSON.stringify(said));`;
      const refused: unknown = {
        code: 'config',
        message: expect.stringMatching(
          new RegExp(`^The package undici cannot be used: ${message}\\. .*options\\.fetch`),
        ) as unknown,
      };
      expect(JSON.parse(await run(script, temporaryFolder()))).toEqual(
        ['fine', refused, refused, 'fine'].map((text) => ({ text, ready: true })),
      );
    },
  );
});
