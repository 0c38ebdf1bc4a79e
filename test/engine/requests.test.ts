import { describe, expect, it } from 'vitest';
import { BadRequestError, ContentBlockedError } from '../../src/index.ts';
import { type SimulatedPool, simulatedPool, KEY, MODEL } from '../support/simulated-pool.ts';

/** What people see of the keys, but for the quota that a request costs whatever becomes of it. */
function standing({ llm }: SimulatedPool, ...but: readonly string[]): unknown {
  const left = new Set(['rpmUsed', 'rpdUsed', ...but]);
  return llm
    .health()
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !left.has(name))));
}

describe("a caller's mistake", () => {
  it.each([
    ['openrouter', 400, '{"error":{"message":"Invalid request parameters: temperature","code":400}}'],
    ['openrouter', 409, '{"error":{"message":"Conflict","code":409}}'],
    [
      'google',
      400,
      '[{"error":{"code":400,"message":"Invalid value at temperature","status":"INVALID_ARGUMENT"}}]',
    ],
    ['nim', 422, '{"status":422,"title":"Unprocessable Entity","detail":"temperature is too high"}'],
    ['nim', 400, '{"object":"error","message":"temperature is too high","code":400}'],
    ['custom', 418, 'I am a teapot'],
  ] as const)(
    'that %s answers with %i is thrown after a second opinion, and blamed on nobody',
    async (name, status, body) => {
      const pool = simulatedPool({
        openrouter: {},
        google: {},
        nim: {},
        custom: {},
        [name]: { priority: -1 },
        strategy: 'priority',
      });
      pool.transport.network = { answer: () => ({ status, body }) };
      const before = standing(pool);
      for (let mistake = 1; mistake <= 4; mistake += 1) {
        const error = await pool.fails(pool.llm.chat('Hello'));
        expect(error).toBeInstanceOf(BadRequestError);
        expect(error).toMatchObject({
          code: 'bad_request',
          status,
          attempts: [
            { outcome: 'rejected', provider: name },
            { outcome: 'rejected', provider: expect.not.stringMatching(name) as unknown },
          ],
        });
        expect(pool.requests()).toBe(2 * mistake);
      }
      expect(standing(pool)).toEqual(before);
      pool.transport.network = {};
      expect(await pool.trace(1)).toEqual([`${KEY[name]} ${MODEL[name]}`]);
    },
  );
});

/** A text of about so many tokens: the world takes four characters for one. */
const tokens = (count: number): string => 'Talk'.repeat(count);

/**
 * Models of several sizes, in tokens; the pool knows those of OpenRouter's models, but not those of NIM's. */
const poolOfSizes = (): SimulatedPool =>
  simulatedPool({
    strategy: 'priority',
    openrouter: {
      accounts: [['or-1', 'or-1b'], ['or-2']],
      models: [
        { id: 'm/a8:free', context: 8192, spec: { ctx: 8192 } },
        { id: 'm/b8:free', context: 8192, spec: { ctx: 8192 } },
        { id: 'm/c32:free', context: 32_768, spec: { ctx: 32_768 } },
      ],
    },
    google: { models: [{ id: 'gemma-8', context: 8192, spec: { ctx: 8192 } }] },
    nim: { models: [{ id: 'n/64', context: 65_536 }] },
  });
/** Which models are asked for a text of so many tokens. */
const way = async ({ routes, fails, llm }: SimulatedPool, count: number): Promise<string> => {
  const before = routes().length;
  const error = await fails(llm.chat(tokens(count)));
  const asked = routes()
    .slice(before)
    .map((route) => route.split(' ')[1]);
  return [...asked, ...(error instanceof Error ? [error.name] : [])].join(' → ');
};

describe('a request that is too long', () => {
  it('is not sent to a model that it does not fit; an unknown size costs one call', async () => {
    const here = poolOfSizes();
    expect(await way(here, 10_000)).toBe('m/c32:free');
    expect(await way(here, 40_000)).toBe('n/64');
    expect(await way(here, 70_000)).toBe('n/64 → BadRequestError');
    expect(await way(here, 70_000)).toBe('BadRequestError');
    expect(here.world.counts.causes).toEqual({ 'context-too-long': 1 });
  });

  it('ends with an error that says so, and does not affect shorter requests', async () => {
    const here = poolOfSizes();
    const error = await here.fails(here.llm.chat(tokens(100_000)));
    expect(error).toMatchObject({ code: 'context_too_long', status: 400 });
    expect(error).toBeInstanceOf(BadRequestError);
    expect(String(error)).toContain('Shorten it, or choose other models');
    expect(await way(here, 1000)).toBe('m/a8:free');
    expect(here.llm.health().every(({ ready }) => ready)).toBe(true);
  });

  it('is sent once even if it seems too long for every model, since the estimate may be wrong', async () => {
    const here = poolOfSizes();
    const small = { model: ['m/a8:free', 'm/b8:free', 'gemma-8'] };
    const error = await here.fails(here.llm.chat(tokens(10_000), small));
    expect(error).toMatchObject({ code: 'context_too_long', attempts: [{ model: 'm/a8:free' }] });
    const again = await here.fails(here.llm.chat(tokens(10_000), small));
    expect(again).toMatchObject({ code: 'context_too_long', attempts: [] });
  });
});

describe('a field that a model refuses', () => {
  const options = { seed: 7, temperature: 0.5 };

  it.each(['openrouter', 'google', 'nim', 'custom'] as const)(
    'is left out at %s: once more to the same route, and never again there',
    async (name) => {
      const pool = simulatedPool({
        strategy: 'priority',
        nim: {},
        [name]: {
          priority: -1,
          accounts: [['k1'], ['k2']],
          faults: [{ kind: 'unsupported', parameters: ['seed'] }],
        },
      });
      const { trace, transport } = pool;
      expect(await trace(1, options)).toEqual([`k1 ${MODEL[name]} → k1 ${MODEL[name]}`]);
      for (const route of await trace(3, options)) expect(route).toMatch(/^k[12] [^→]*$/);
      expect(transport.sent.map(({ body }) => [body['seed'], body['temperature']])).toEqual([
        [7, 0.5],
        ...Array.from({ length: 4 }, () => [undefined, 0.5]),
      ]);
    },
  );

  it('is still sent to other models', async () => {
    const { trace, transport } = simulatedPool({
      strategy: 'round_robin',
      openrouter: { accounts: [['or-1']] },
      nim: { accounts: [['n-1']], faults: [{ kind: 'unsupported', parameters: ['seed'] }] },
    });
    await trace(4, options);
    expect(transport.sent.map(({ key, body }) => `${key} ${String(body['seed'])}`)).toEqual([
      'or-1 7',
      'n-1 7',
      'n-1 undefined',
      'or-1 7',
      'n-1 undefined',
    ]);
  });

  it('is not left out if the answer would differ without it', async () => {
    const { trace, transport } = simulatedPool({
      strategy: 'priority',
      openrouter: {
        accounts: [['or-1']],
        faults: [{ kind: 'unsupported', parameters: ['response_format'] }],
      },
      nim: { accounts: [['n-1']] },
    });
    const json = { response_format: { type: 'json_object' } };
    expect(await trace(1, json)).toEqual([`or-1 ${MODEL.openrouter} → n-1 ${MODEL.nim}`]);
    expect(transport.sent.every(({ body }) => body['response_format'] !== undefined)).toBe(true);
  });
});

describe('a capability that a model lacks', () => {
  const tools = { tools: [{ type: 'function', function: { name: 'now', parameters: {} } }] };

  it.each(['openrouter', 'nim', 'custom'] as const)(
    'at %s sends the call to the next model, is remembered, and matters only to calls that need it',
    async (name) => {
      const first = { openrouter: 'm/first:free', nim: 'm/first', custom: 'first' }[name];
      const second = first.replace('first', 'second');
      const { trace } = simulatedPool({
        strategy: 'priority',
        [name]: { accounts: [['k1']], models: [{ id: first, lacks: ['tools'] }, second] },
      });
      expect(await trace(3, tools)).toEqual([`k1 ${first} → k1 ${second}`, `k1 ${second}`, `k1 ${second}`]);
      expect(await trace(1)).toEqual([`k1 ${first}`]);
    },
  );

  it('that no model has ends the call with an error that names it', async () => {
    const pool = simulatedPool({ openrouter: { models: [{ id: 'm/a:free', lacks: ['tools'] }] } });
    const error = await pool.fails(pool.llm.chat('Hello', tools));
    expect(error).toMatchObject({ code: 'unsupported', name: 'BadRequestError' });
    expect(await pool.fails(pool.llm.chat('Hello', tools))).toMatchObject({
      code: 'unsupported',
      attempts: [],
    });
  });
});

describe('a request that moderation refuses', () => {
  it('goes to every provider once and ends in a ContentBlockedError', async () => {
    const moderated = { faults: [{ kind: 'moderated' }] } as const;
    const pool = simulatedPool({
      strategy: 'priority',
      openrouter: { ...moderated, accounts: [['or-1'], ['or-2']], models: ['m/a:free', 'm/b:free'] },
      google: { ...moderated, accounts: [['g-1'], ['g-2']] },
      nim: { ...moderated, accounts: [['n-1'], ['n-2']] },
    });
    const before = standing(pool, 'lastError');
    const error = await pool.fails(pool.llm.chat('Hello'));
    expect(error).toBeInstanceOf(ContentBlockedError);
    expect(error).toMatchObject({ attempts: [{ status: 403 }, { status: 200 }, { status: 200 }] });
    expect(pool.routes()).toEqual(['or-1 m/a:free', `g-1 ${MODEL.google}`, `n-1 ${MODEL.nim}`]);
    expect(standing(pool, 'lastError')).toEqual(before);
  });
});
