/** The table of operations: each needs one kind of model, and sends to one path. */

import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type OperationName, OPERATIONS } from '../../src/core/operations.ts';
import type { FreeLLM } from '../../src/index.ts';
import { type ModelSetup, type SimulatedPool, simulatedPool } from '../support/simulated-pool.ts';

const EMBEDS: ModelSetup = {
  id: 'vectors',
  output: 'embeddings',
  dimensions: 8,
  spec: { kind: 'embedding', embedding: { dimensions: 8 } },
};
const MODELS = { chat: 'chats', embedding: EMBEDS } as const;
const OTHER = { chat: 'embedding', embedding: 'chat' } as const;

/** Total, so that a new operation does not compile until it is tested. */
const ASK: Readonly<Record<OperationName, (llm: FreeLLM) => Promise<unknown>>> = {
  chat: (llm) => llm.chat('Hello'),
  stream: (llm) => llm.stream('Hello').response(),
  object: (llm) => llm.object('Hello', { schema: z.object({ answer: z.string() }) }),
  embed: (llm) => llm.embed('Hello'),
};

const ROUTES: Readonly<Record<string, string>> = { '/chat/completions': 'chat', '/embeddings': 'embeddings' };

function poolOf(...models: readonly (string | ModelSetup)[]): SimulatedPool {
  return simulatedPool({ custom: { models }, reply: () => '{"answer":"yes"}' });
}

/** An operation that this table does not ask for. */
const unasked = (): Promise<never> => Promise.reject(new Error('the operation is in no row of ASK'));

describe.each(Object.entries(OPERATIONS))('%s', (name, { kind, path }) => {
  const ask = Object.entries(ASK).find(([asked]) => asked === name)?.[1] ?? unasked;

  it('asks a model of its kind, at its path', async () => {
    const pool = poolOf(MODELS[OTHER[kind]], MODELS[kind]);
    await pool.run(ask(pool.llm));
    const wanted = kind === 'chat' ? 'chats' : 'vectors';
    expect(pool.world.custom.calls.map(({ route, model }) => [route, model])).toEqual([
      [ROUTES[path], wanted],
    ]);
  });

  it('says that the pool has no such model, and sends nothing', async () => {
    const pool = poolOf(MODELS[OTHER[kind]]);
    expect(await pool.fails(ask(pool.llm))).toMatchObject({ name: 'ModelNotFoundError' });
    expect(pool.requests()).toBe(0);
  });

  it('is named in the event of its call', async () => {
    const pool = poolOf(MODELS[kind]);
    await pool.run(ask(pool.llm));
    expect(pool.events.find(({ type }) => type === 'call-start')).toMatchObject({ operation: name });
  });
});
