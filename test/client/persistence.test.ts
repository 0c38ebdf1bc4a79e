/** What a pool knows outlives its process: a second pool on the same folder stands for the next process. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FreeLLM, type FreeLLMOptions, OpenAICompatible } from '../../src/index.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { hashKey } from '../../src/providers/key.ts';
import { VirtualClock } from '../../src/testing.ts';
import { recorder, temporaryFolder } from './support.ts';

const KEYS = ['sk-first-0123456789abcdefghij', 'sk-second-0123456789abcdefghij'];
const NOON = Date.UTC(2026, 9, 10, 12);
const MINUTE = 60_000;

const COMPLETION = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How the provider answers a key. Default: it serves. */
type Provider = (key: string) => Answer | undefined;

/** Starts a process's pool on a folder. */
function start(
  cacheDir: string,
  clock: VirtualClock,
  answer: Provider = () => undefined,
  options: Partial<FreeLLMOptions> = {},
): FreeLLM {
  const fetch = (_url: string, init: { headers: Readonly<Record<string, string>> }): Promise<Response> => {
    const key = (init.headers['authorization'] ?? '').replace('Bearer ', '');
    const { status, body, headers } = answer(key) ?? { status: 200, body: COMPLETION };
    return Promise.resolve(Response.json(body, { status, headers: { ...headers } }));
  };
  const mine = new OpenAICompatible(KEYS, {
    name: 'mine',
    baseUrl: 'https://mine.test/v1',
    models: ['m', 'n'],
    rpm: 3,
    rpd: 100,
  });
  const llm = new FreeLLM(
    { providers: [mine], cacheDir, fetch, persist: true, ...options },
    { clock, env: {} },
  );
  onTestFinished(() => llm.close());
  return llm;
}

async function ask(llm: FreeLLM, model = 'm'): Promise<string> {
  try {
    return await llm.text('Hello', { model });
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const failing = (status: number, message: string, headers?: Answer['headers']): Provider => {
  return (key) => (key === KEYS[0] ? { status, body: { error: { message } }, headers } : undefined);
};

describe('the next process', () => {
  it('spends only what is left of a minute and of a day', async () => {
    const [folder, clock] = [temporaryFolder(), new VirtualClock(NOON)];
    const answers: string[] = [];
    for (let run = 0; run < 8; run += 1) answers.push(await ask(start(folder, clock)));
    expect(answers).toEqual([
      ...Array.from({ length: 6 }, () => 'fine'),
      ...Array.from({ length: 2 }, () => 'NoProvidersAvailableError'),
    ]);
    const { requestsNow, requestsToday } = start(folder, clock).capacity();
    expect([requestsNow, requestsToday]).toEqual([0, 194]);
  });

  it('shows what is stored before its first call, without waiting', async () => {
    const [folder, clock] = [temporaryFolder(), new VirtualClock(NOON)];
    const before = start(folder, clock, failing(401, 'Invalid API key'));
    for (let call = 0; call < 3; call += 1) await ask(before);
    const next = start(folder, clock);
    expect(next.health()).toEqual(before.health());
    expect(next.explain()).toEqual(before.explain());
    expect(next.capacity()).toEqual(before.capacity());
    expect(next.health()[0]).toMatchObject({ ready: false, reason: 'the key was refused as invalid' });
  });

  const kept: readonly (readonly [string, Provider, string])[] = [
    ['a key that was disabled, and why', failing(401, 'Invalid API key'), 'the key was refused as invalid'],
    [
      'a cooldown that the provider named',
      failing(429, 'Rate limit exceeded', { 'retry-after': '600' }),
      'rate-limited by the provider',
    ],
    ['an account without credits', failing(402, 'Insufficient credits'), 'the account is out of credits'],
    ['that a model is gone', failing(404, 'The model `m` does not exist'), 'the model no longer exists'],
  ];

  it.each(kept)('knows %s', async (_what, answer, reason) => {
    const [folder, clock] = [temporaryFolder(), new VirtualClock(NOON)];
    const only = {
      providers: [
        new OpenAICompatible(KEYS[0] ?? '', { name: 'mine', baseUrl: 'https://mine.test/v1', models: ['m'] }),
      ],
    };
    const first = start(folder, clock, answer, only);
    await ask(first);
    let sent = 0;
    const next = start(folder, clock, () => void (sent += 1), only);
    expect(next.explain()).toMatchObject([{ reason }]);
    await ask(next);
    expect(sent).toBe(0);
  });

  it('knows which fields a model refuses, and a limit that was learnt', async () => {
    const [folder, clock] = [temporaryFolder(), new VirtualClock(NOON)];
    const bodies: number[] = [];
    const picky = (): Answer | undefined => {
      bodies.push(1);
      return bodies.length === 1
        ? {
            status: 400,
            body: {
              error: {
                message: "Unsupported parameter: 'seed' is not supported with this model.",
                param: 'seed',
              },
            },
          }
        : undefined;
    };
    await start(folder, clock, picky).text('Hello', { model: 'm', seed: 5 });
    expect(bodies).toHaveLength(2);
    await start(folder, clock, picky).text('Hello', { model: 'm', seed: 5 });
    expect(bodies).toHaveLength(3);
  });
});

const serves = (): Promise<Response> => Promise.resolve(Response.json(COMPLETION));

function stateIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name === 'state');
}

describe('where state is kept', () => {
  it('is the folder `state` in the cache folder', async () => {
    const folder = temporaryFolder();
    await ask(start(folder, new VirtualClock(NOON)));
    expect(stateIn(folder)).toEqual(['state']);
  });

  it.each([
    ['persist: false', { persist: false }, {}],
    ['FREELM_PERSIST=0', {}, { FREELM_PERSIST: '0' }],
    ['a store of one’s own', { store: memoryStore() }, {}],
  ])('is memory with %s', async (_what, options, env) => {
    const folder = temporaryFolder();
    const mine = new OpenAICompatible('a', { name: 'mine', baseUrl: 'https://mine.test/v1', models: ['m'] });
    const llm = new FreeLLM({ providers: [mine], cacheDir: folder, fetch: serves, ...options }, { env });
    await llm.text('Hello');
    await llm.close();
    expect(stateIn(folder)).toEqual([]);
  });

  it('is memory if FREELM_PERSIST=0, unless the option says true', async () => {
    const folder = temporaryFolder();
    const mine = new OpenAICompatible('a', { name: 'mine', baseUrl: 'https://mine.test/v1', models: ['m'] });
    const llm = new FreeLLM(
      { providers: [mine], cacheDir: folder, fetch: serves, persist: true },
      { env: { FREELM_PERSIST: '0' } },
    );
    await llm.text('Hello');
    await llm.close();
    expect(stateIn(folder)).toEqual(['state']);
  });

  it('FREELM_PERSIST that is no switch is refused', () => {
    const mine = new OpenAICompatible('a', { name: 'mine', baseUrl: 'https://mine.test/v1', models: ['m'] });
    expect(() => new FreeLLM({ providers: [mine] }, { env: { FREELM_PERSIST: 'maybe' } })).toThrow(
      'FREELM_PERSIST is "maybe"; it must be 1 or 0.',
    );
  });

  it('neither tells a key nor confirms a guessed one', async () => {
    const folder = temporaryFolder();
    const llm = start(folder, new VirtualClock(NOON), failing(401, `Invalid API key ${KEYS[0]}`));
    for (let call = 0; call < 3; call += 1) await ask(llm);
    const files = readdirSync(join(folder, 'state'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const all = files.map((file) => `${file}\n${readFileSync(file, 'latin1')}`).join('\n');
    for (const key of KEYS) {
      expect(all).not.toContain(key);
      expect(all).not.toContain(hashKey(key));
      expect(all).not.toContain(hashKey(hashKey(key)));
    }
  });
});

describe('a folder that cannot be used', () => {
  /** Makes the folder unusable; the function returned repairs it. */
  type Break = (folder: string) => () => void;
  const breaks: readonly (readonly [string, Break])[] = [
    [
      'a removed folder',
      (folder) => {
        rmSync(join(folder, 'state'), { recursive: true, force: true });
        return () => {};
      },
    ],
    [
      'a file in its place',
      (folder) => {
        rmSync(join(folder, 'state'), { recursive: true, force: true });
        writeFileSync(join(folder, 'state'), '');
        return () => {
          rmSync(join(folder, 'state'));
        };
      },
    ],
    [
      'a cache folder that is a file',
      (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
        return () => {
          rmSync(folder);
          mkdirSync(folder);
        };
      },
    ],
  ];

  it.each(breaks)(
    '%s costs no call but one warning, and heals with what was spent meanwhile',
    async (_what, break_) => {
      const [folder, clock] = [temporaryFolder(), new VirtualClock(NOON)];
      const { events, onEvent } = recorder();
      const llm = start(folder, clock, undefined, { onEvent });
      expect(await ask(llm)).toBe('fine');
      const repair = break_(folder);
      for (let call = 0; call < 3; call += 1) expect(await ask(llm)).toBe('fine');
      const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
      expect(warnings.filter((text) => text.startsWith('The store failed'))).toHaveLength(1);
      repair();
      await clock.advance(10_000);
      expect(await ask(llm)).toBe('fine');
      await clock.advance(10);
      expect(start(folder, clock).capacity()).toMatchObject({ requestsNow: 1, requestsToday: 195 });
    },
  );
});

function thirtyAMinute(): OpenAICompatible {
  return new OpenAICompatible('a-key', {
    name: 'mine',
    baseUrl: 'https://mine.test/v1',
    models: ['m'],
    rpm: 30,
  });
}

/** A caller that asks again as soon as it is served. */
async function caller(llm: FreeLLM): Promise<string> {
  let answer = '';
  for (let call = 0; call < 5; call += 1) answer = await ask(llm);
  return answer;
}

it('8 pools that wait on 30 requests a minute never send 31 in a minute, and none starves', async () => {
  const [folder, clock] = [temporaryFolder(), new VirtualClock(NOON)];
  const sent: { readonly at: number; readonly pool: number }[] = [];
  const patient = { wait: true, maxWaitMs: 30 * MINUTE, timeoutMs: 40 * MINUTE };
  const pools = Array.from({ length: 8 }, (_, pool) =>
    start(folder, clock, () => void sent.push({ at: clock.now(), pool }), {
      ...patient,
      providers: [thirtyAMinute()],
    }),
  );
  // Three callers in each pool.
  const callers = pools.flatMap((llm) => Array.from({ length: 3 }, () => caller(llm)));
  expect(new Set(await clock.run(Promise.all(callers)))).toEqual(new Set(['fine']));
  expect(sent).toHaveLength(120);
  for (const [index, { at }] of sent.entries()) {
    const next = sent[index + 30];
    if (next !== undefined) expect(next.at - at).toBeGreaterThanOrEqual(MINUTE);
  }
  // No call waits longer than all calls together need.
  expect((sent.at(-1)?.at ?? Infinity) - NOON).toBeLessThanOrEqual(3 * (MINUTE + 1000));
});
