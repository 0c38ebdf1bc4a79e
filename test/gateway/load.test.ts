/** Many clients at once, over providers with faults. `test/bench/gateway-load.ts` is the long form. */

import { expect, it } from 'vitest';
import type { Fault } from '../../src/testing.ts';
import { open, providersOf, world } from '../client/support.ts';
import { until } from '../support/server.ts';
import { ask, chat, CHAT, gatewayOver, send, textIn } from './support.ts';

/** One fault of each kind, spaced so that no circuit breaker opens. */
const FAULTS: readonly Fault[] = [
  { kind: 'cut', skip: 4, times: 1 },
  { kind: 'server-error', skip: 8, times: 1 },
  { kind: 'cut', as: 'reset', skip: 12, times: 1 },
  { kind: 'reset', skip: 16, times: 1 },
  { kind: 'empty', skip: 20, times: 1 },
  { kind: 'no-finish', skip: 24, times: 1 },
];
const CLIENTS = 40;
const CALLS = 5;

function answerTo(question: string): string {
  return Array.from({ length: 12 }, (_, index) => `${question}.${index}`).join(' ');
}

it('every answer is right, streamed or not, and no call leaks', async () => {
  const side = { limits: { rpm: 1e6, rpd: 1e7 }, faults: FAULTS };
  const simulated = await world({
    openrouter: side,
    google: side,
    nim: side,
    reply: ({ lastUserText }) => answerTo(lastUserText),
  });
  const providers = providersOf(simulated, { discover: false, rpm: 1_000_000, rpd: 10_000_000 });
  const llm = open({ providers, strategy: 'round_robin' });
  const gateway = await gatewayOver(llm, { graceMs: 3_600_000 });
  let right = 0;
  let left = 0;
  const call = async (question: string, kind: number): Promise<void> => {
    const stream = kind % 2 === 0;
    const body = chat({ messages: [{ role: 'user', content: question }], stream });
    if (kind % 10 === 0) {
      (await send(gateway, { path: CHAT, body })).destroy();
      left += 1;
      return;
    }
    const { text } = await ask(gateway, { path: CHAT, body });
    const said = stream
      ? textIn(text)
      : text.includes(`"content":${JSON.stringify(answerTo(question))}`) && answerTo(question);
    expect(said).toBe(answerTo(question));
    right += 1;
  };
  const client = async (name: number): Promise<void> => {
    for (let count = 0; count < CALLS; count += 1) await call(`q${name}x${count}`, name + count);
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)));
  expect({ right, left }).toEqual({ right: 180, left: 20 });
  const { causes } = simulated.counts;
  expect(Object.keys(causes)).toEqual(expect.arrayContaining(['cut', 'server-error', 'reset', 'empty']));
  // The aborted calls have released their keys.
  await until(() => llm.health().every(({ ready }) => ready));
  await gateway.close();
});
