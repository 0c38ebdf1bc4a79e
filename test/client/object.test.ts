import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, type ObjectOptions, type ObjectResult, SchemaError } from '../../src/index.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { MODEL, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const colours = z.object({ colours: z.array(z.string()), count: z.int() });
const RIGHT = '{"colours": ["red", "blue"], "count": 2}';
const VALUE = { colours: ['red', 'blue'], count: 2 };

/** What was asked of each model, in order: the model, its format, and whether it was shown a mistake. */
function askedOf({ transport }: SimulatedPool): readonly string[] {
  return transport.sent.map(({ model, body }) => {
    const format = /"response_format":\{"type":"(\w+)"/.exec(JSON.stringify(body))?.[1] ?? 'text';
    const mends = JSON.stringify(body).includes('cannot be used') ? ' again' : '';
    return `${model} ${format}${mends}`;
  });
}

async function ask<T>({ llm, run }: SimulatedPool, options: ObjectOptions<T>): Promise<ObjectResult<T>> {
  return run(llm.object('Two colours', options));
}

describe('a value', () => {
  it.each([
    ['JSON', RIGHT],
    ['a block of code', `Here you are:\n\`\`\`json\n${RIGHT}\n\`\`\`\nEnjoy.`],
    ['prose around it', `The answer is ${RIGHT}, I think.`],
    ['thoughts before it', `<think>{"colours": []}</think>${RIGHT}`],
    ['a trailing comma', '{"colours": ["red", "blue",], "count": 2,}'],
    ["Python's quotes", "{'colours': ['red', 'blue'], 'count': 2}"],
    ['a missing bracket', '{"count": 2, "colours": ["red", "blue"]'],
    ['a number as text', '{"colours": ["red", "blue"], "count": "2"}'],
  ])('is read from an answer with %s', async (_what, text) => {
    const pool = simulatedPool({ openrouter: {}, reply: () => text });
    const { data, response } = await ask(pool, { schema: colours });
    expect(data).toEqual(VALUE);
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(['success']);
  });

  it('has the type of the schema, after its transforms', async () => {
    const schema = z.object({ at: z.string().transform((text) => text.length) });
    const pool = simulatedPool({ openrouter: {}, reply: () => '{"at": "noon"}' });
    const { data } = await ask(pool, { schema });
    const length: number = data.at;
    expect(length).toBe(4);
  });

  it('is checked by a JSON schema as well', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const pool = simulatedPool({ openrouter: {}, reply: () => '{"n": "7"}' });
    expect((await ask(pool, { schema })).data).toEqual({ n: 7 });
  });

  it('need not be an object', async () => {
    const pool = simulatedPool({ openrouter: {}, reply: () => '"red"' });
    expect((await ask(pool, { schema: z.enum(['red', 'blue']) })).data).toBe('red');
  });
});

describe('an answer that breaks the schema', () => {
  it('goes back to its model once with what is wrong with it', async () => {
    const pool = simulatedPool({
      openrouter: {},
      custom: {},
      strategy: 'priority',
      reply: ({ messages }) => (messages.length > 1 ? RIGHT : '{"colours": "many and more", "count": true}'),
    });
    const { data, response } = await ask(pool, { schema: colours });
    expect(data).toEqual(VALUE);
    expect(askedOf(pool)).toEqual([
      `${MODEL.openrouter} json_schema`,
      `${MODEL.openrouter} json_schema again`,
    ]);
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(['invalid_output', 'success']);
    expect(response.attempts[0]?.message).toContain('count');
    const [first, second] = pool.transport.sent.map(({ body }) => JSON.stringify(body));
    expect(first).not.toContain('many and more');
    expect(second).toContain('many and more');
  });

  it('is then asked for elsewhere, where no mistake is shown', async () => {
    const pool = simulatedPool({
      openrouter: {},
      custom: {},
      strategy: 'priority',
      reply: ({ model }) => (model === MODEL.custom ? RIGHT : '{"colours": 1}'),
    });
    expect((await ask(pool, { schema: colours })).data).toEqual(VALUE);
    expect(askedOf(pool)).toEqual([
      `${MODEL.openrouter} json_schema`,
      `${MODEL.openrouter} json_schema again`,
      `${MODEL.custom} json_schema`,
    ]);
  });

  it('opens no circuit breaker', async () => {
    const pool = simulatedPool({ openrouter: {}, reply: () => '{"colours": 1}' });
    for (let call = 0; call < 5; call += 1)
      await expect(ask(pool, { schema: colours, maxAttempts: 3 })).rejects.toBeInstanceOf(SchemaError);
    expect(pool.llm.health()).toMatchObject([{ ready: true, breaker: 'closed' }]);
  });

  it('ends in a SchemaError that lists every attempt if no model gives a value', async () => {
    const pool = simulatedPool({ openrouter: {}, custom: {}, reply: () => 'I cannot do that.' });
    const error = await pool.fails(pool.llm.object('Two colours', { schema: colours, maxAttempts: 5 }));
    expect(error).toBeInstanceOf(SchemaError);
    expect(error).toMatchObject({ code: 'invalid_output' });
    expect(String(error)).toContain('fits the schema');
    expect(error).toHaveProperty('attempts.length', 5);
  });
});

describe('a model that does not take a format', () => {
  const REFUSALS = [
    [
      'json_schema',
      'This model does not support response_format json_schema.',
      ['json_schema', 'json_object'],
    ],
    ['json_object', 'response_format is not supported by this model.', ['json_schema', 'text']],
  ] as const;

  it.each(REFUSALS)(
    'refuses %s: is asked in the next way, and remembered',
    async (refused, message, ways) => {
      const pool = simulatedPool({ openrouter: {}, reply: () => RIGHT });
      pool.transport.network = {
        answer: ({ body }) => {
          const text = JSON.stringify(body);
          const isRefused =
            text.includes('json_schema"') || (refused === 'json_object' && text.includes('json_object'));
          return isRefused
            ? { status: 400, body: JSON.stringify({ error: { message, code: 400 } }) }
            : undefined;
        },
      };
      await ask(pool, { schema: colours });
      expect(askedOf(pool)).toEqual(ways.map((way) => `${MODEL.openrouter} ${way}`));
      await ask(pool, { schema: colours });
      expect(askedOf(pool).at(-1)).toBe(`${MODEL.openrouter} ${ways[1]}`);
      expect(pool.transport.sent).toHaveLength(3);
    },
  );

  it('or ignores it: is told in words from then on', async () => {
    const pool = simulatedPool({
      openrouter: {},
      reply: ({ body }) => (JSON.stringify(body).includes('fits this JSON schema') ? RIGHT : 'Red and blue.'),
    });
    await ask(pool, { schema: colours });
    await ask(pool, { schema: colours });
    expect(askedOf(pool)).toEqual([
      `${MODEL.openrouter} json_schema`,
      `${MODEL.openrouter} json_object again`,
      `${MODEL.openrouter} json_object`,
    ]);
  });
});

describe('a world in which 60 % of the answers are broken JSON', () => {
  it('gives valid data within maxAttempts, and says what it cost', async () => {
    const random = seededRandom(7);
    const broken = ['{"colours": ["red"', 'Red!', '{"colours": "red", "count": {}}', '{}', '[1]'];
    const pool = simulatedPool({
      openrouter: {},
      custom: {},
      nim: {},
      reply: () => (random() < 0.6 ? (broken[Math.floor(random() * broken.length)] ?? '') : RIGHT),
    });
    for (let call = 0; call < 30; call += 1) {
      const { data, response } = await ask(pool, { schema: colours, wait: true, timeoutMs: 600_000 });
      expect(data).toEqual(VALUE);
      expect(response.attempts.length).toBeLessThanOrEqual(12);
      expect(response.usage?.totalTokens).toBeGreaterThan(0);
    }
  });
});

async function grown(pool: SimulatedPool): Promise<readonly unknown[]> {
  const values: unknown[] = [];
  const stream = pool.llm.streamObject('Many colours', { schema: colours });
  await pool.run(
    (async () => {
      for await (const value of stream) values.push(value);
      expect((await stream.result()).data).toEqual(values.at(-1));
    })(),
  );
  return values;
}

describe('a streamed value', () => {
  const LONG = JSON.stringify({
    colours: Array.from({ length: 30 }, (_, index) => `colour ${index}`),
    count: 30,
  });

  it('grows while its answer arrives, and each value fits the schema', async () => {
    const values = await grown(
      simulatedPool({ openrouter: {}, reply: () => `Here:\n\`\`\`json\n${LONG}\n\`\`\`` }),
    );
    expect(values.length).toBeGreaterThan(5);
    expect(values.at(-1)).toEqual(JSON.parse(LONG));
    for (const value of values) expect(colours.partial().safeParse(value).success).toBe(true);
  });

  it.each([
    ['breaks', true, LONG],
    ['does not fit', false, '{"colours": ["red"]}'],
  ])('that %s is asked for again', async (_what, isCut, first) => {
    const pool = simulatedPool({
      strategy: 'priority',
      openrouter: {},
      custom: {},
      reply: ({ model, body }) => (model === MODEL.openrouter && body['stream'] === true ? first : LONG),
    });
    if (isCut) {
      pool.transport.network = {
        answer: ({ body }) =>
          body['stream'] === true
            ? {
                status: 200,
                body: 'data: {"choices":[{"delta":{"content":"{\\"colours\\": [\\"red\\", "}}]}\n\n',
              }
            : undefined,
      };
    }
    expect((await grown(pool)).at(-1)).toEqual(JSON.parse(LONG));
  });

  it('is read once', async () => {
    const pool = simulatedPool({ openrouter: {}, reply: () => RIGHT });
    const stream = pool.llm.streamObject('Two colours', { schema: colours });
    expect((await pool.run(stream.result())).data).toEqual(VALUE);
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow(ConfigError);
    expect((await stream.result()).data).toEqual(VALUE);
  });
});

describe('bad input', () => {
  const pool = simulatedPool({ openrouter: {} });

  it.each([
    ['no schema', undefined, /options\.schema/],
    ['a text', 'schema', /options\.schema/],
    ['a schema that has no JSON form', z.object({ at: z.date() }), /options\.schema/],
  ])('%s is a ConfigError, and nothing is sent', async (_what, schema, message) => {
    // @ts-expect-error -- as a user without types writes it
    await expect(pool.llm.object('Hi', { schema })).rejects.toThrow(message);
    expect(pool.transport.sent).toHaveLength(0);
  });

  it('an unlawful name is a ConfigError', async () => {
    await expect(pool.llm.object('Hi', { schema: colours, schemaName: 'two words' })).rejects.toThrow(
      ConfigError,
    );
  });

  it('an unknown option is a ConfigError', async () => {
    // @ts-expect-error -- misspelt
    await expect(pool.llm.object('Hi', { schema: colours, timeout: 5 })).rejects.toThrow(/timeout/);
  });
});
