/** A conversation stays on the route that served it last, while that is ready. */

import { describe, expect, it } from 'vitest';
import { Affinity } from '../../src/client/affinity.ts';
import type { ChatMessage } from '../../src/index.ts';
import {
  MODEL,
  simulatedPool,
  type SimulatedPool,
  type SimulatedPoolOptions,
} from '../support/simulated-pool.ts';

const MINUTE = { rpm: 1000, rpd: 100_000 };
const usual = { limits: MINUTE, ...MINUTE };

/** Two providers that take turns, unless something keeps a call at one of them. */
function pool(options: SimulatedPoolOptions = {}): SimulatedPool {
  return simulatedPool({ strategy: 'round_robin', nim: usual, custom: usual, reply: () => 'Hi', ...options });
}

interface Turn {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly messages?: readonly ChatMessage[];
}

async function served(
  { llm, run }: SimulatedPool,
  { path = 'chat/completions', headers, body, messages }: Turn,
) {
  const said = messages ?? [{ role: 'user', content: 'Hello' }];
  const text = JSON.stringify({ messages: said, max_tokens: 50, ...body });
  const init = { method: 'POST', body: text, ...(headers === undefined ? {} : { headers }) };
  const response = await run(llm.fetch(`/v1/${path}`, init));
  await run(response.text());
  expect(response.status).toBe(200);
  return response.headers.get('x-freelm-provider');
}

async function providersOf(simulated: SimulatedPool, turns: readonly Turn[]): Promise<readonly unknown[]> {
  const providers: unknown[] = [];
  for (const turn of turns) providers.push(await served(simulated, turn));
  return providers;
}

const twice = (turn: Turn): readonly Turn[] => [turn, turn, turn];

describe('a conversation', () => {
  it.each<readonly [string, Turn]>([
    ['a key for the cache', { body: { prompt_cache_key: 'a' } }],
    [
      'the key of a Responses request',
      { path: 'responses', body: { input: 'Hello', prompt_cache_key: 'a' } },
    ],
    ['the user of a Messages request', { path: 'messages', body: { metadata: { user_id: 'a' } } }],
    ['a header of a session', { headers: { session_id: 'a' } }],
    ['its first messages', {}],
    ['its first messages, streamed', { body: { stream: true } }],
  ])('known by %s stays where it is', async (_mark, turn) => {
    const found = await providersOf(pool(), twice(turn));
    expect(new Set(found).size).toBe(1);
  });

  it('is known by its first messages when it grows', async () => {
    const first: ChatMessage[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ];
    const later: ChatMessage[] = [
      ...first,
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: 'And?' },
    ];
    const found = await providersOf(pool(), [{ messages: first }, { messages: later }]);
    expect(new Set(found).size).toBe(1);
  });

  it.each<readonly [string, Turn, Turn]>([
    ['mark', { headers: { 'x-session-id': 'a' } }, { headers: { 'x-session-id': 'b' } }],
    ['beginning', {}, { messages: [{ role: 'user', content: 'Good day' }] }],
    ['model', { body: { model: 'auto' } }, { body: { model: 'chat' } }],
  ])('with another %s is another one', async (_difference, one, other) => {
    const found = await providersOf(pool(), [one, other]);
    expect(new Set(found).size).toBe(2);
  });

  it('takes turns like all calls with affinity: false', async () => {
    const found = await providersOf(pool({ affinity: false }), twice({ headers: { session_id: 'a' } }));
    expect(new Set(found).size).toBe(2);
  });

  it('of a program does not stay: the program may run it', async () => {
    const simulated = pool();
    const { llm, run } = simulated;
    const found = [await run(llm.chat('Hello')), await run(llm.chat('Hello'))];
    expect(new Set(found.map(({ provider }) => provider)).size).toBe(2);
  });

  it('goes on elsewhere at once when its route is not ready, and stays there', async () => {
    const simulated = pool({ nim: { limits: { rpm: 1, rpd: 100 }, rpm: 1, rpd: 100 } });
    const turn = { headers: { session_id: 'a' } };
    const before = simulated.clock.now();
    const found = await providersOf(simulated, [turn, turn, turn, turn]);
    expect(found.slice(-2)).toEqual(['custom', 'custom']);
    expect(simulated.clock.now() - before).toBeLessThan(30_000);
  });

  it('comes back to an earlier stage of its chain as soon as that is ready', async () => {
    const simulated = pool({ nim: { limits: { rpm: 1, rpd: 100 }, rpm: 1, rpd: 100 } });
    const turn = { headers: { session_id: 'a' }, body: { freelm: { model: [MODEL.nim, MODEL.custom] } } };
    expect(await providersOf(simulated, [turn, turn])).toEqual(['nim', 'custom']);
    await simulated.clock.advance(120_000);
    expect(await served(simulated, turn)).toBe('nim');
  });

  it('is forgotten when a thousand others have come', () => {
    const memory = new Affinity();
    const route = { provider: 'nim', account: 'a', keyId: 'k', model: 'm' };
    for (let id = 0; id < 1000; id += 1) memory.note(String(id), route);
    expect(memory.routeOf('0')).toEqual(route);
    memory.note('0', route);
    memory.note('1000', route);
    expect([memory.routeOf('0'), memory.routeOf('1'), memory.routeOf('2')]).toEqual([
      route,
      undefined,
      route,
    ]);
  });
});
