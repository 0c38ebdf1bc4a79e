import { describe, expect, it } from 'vitest';
import { BadRequestError } from '../../src/index.ts';
import { DAY, HOUR, MODEL, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const ODD = { status: 422, body: '{"error":{"message":"We would rather not","code":422}}' };
const LISTS = [
  { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
  { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
] as const;

/** A pool of two providers whose first one rejects requests. */
function pickyPool(rejects: (body: Record<string, unknown>) => boolean): SimulatedPool {
  const pool = simulatedPool({ strategy: 'priority', openrouter: {}, custom: {} });
  pool.transport.network = {
    answer: ({ model, body }) => (model === MODEL.openrouter && rejects(body) ? ODD : undefined),
  };
  return pool;
}

const hasLists = (body: Record<string, unknown>): boolean => JSON.stringify(body).includes('"type":"text"');

/** The models that one call of the lists asks. */
async function asked({ llm, run, transport }: SimulatedPool): Promise<readonly string[]> {
  const before = transport.sent.length;
  await run(llm.chat(LISTS));
  return transport.sent.slice(before).map(({ model }) => model);
}

describe('a rejection that another model refutes', () => {
  it('has the next request of that shape written plainly for the model', async () => {
    const pool = pickyPool(hasLists);
    expect(await asked(pool)).toEqual([MODEL.openrouter, MODEL.custom]);
    expect(await asked(pool)).toEqual([MODEL.openrouter]);
    expect(await pool.trace(1)).toEqual([`key-of-openrouter ${MODEL.openrouter}`]);
  });

  it('sends the shape elsewhere if the model rejects the plain form, too', async () => {
    const pool = pickyPool((body) => JSON.stringify(body).includes('brief'));
    expect(await asked(pool)).toEqual([MODEL.openrouter, MODEL.custom]);
    expect(await asked(pool)).toEqual([MODEL.openrouter, MODEL.custom]);
    expect(await asked(pool)).toEqual([MODEL.custom]);
    expect(await pool.trace(1)).toEqual([`key-of-openrouter ${MODEL.openrouter}`]);
  });

  it('is corrected when the model serves the plain form after all', async () => {
    const pool = pickyPool((body) => JSON.stringify(body).includes('brief'));
    for (let call = 1; call <= 2; call += 1) await asked(pool);
    expect(await asked(pool)).toEqual([MODEL.custom]);
    pool.transport.network = {
      answer: ({ model }) => (model === MODEL.custom ? { status: 500, body: 'down' } : undefined),
    };
    expect(await asked(pool)).toEqual([MODEL.custom, MODEL.openrouter]);
    pool.transport.network = {};
    expect(await asked(pool)).toEqual([MODEL.openrouter]);
  });

  it('is forgotten after a day', async () => {
    const pool = pickyPool((body) => JSON.stringify(body).includes('brief'));
    for (let call = 1; call <= 3; call += 1) await asked(pool);
    await pool.clock.advance(DAY + HOUR);
    expect(await asked(pool)).toEqual([MODEL.openrouter, MODEL.custom]);
  });
});

describe('a request that every model rejects', () => {
  it('teaches nothing', async () => {
    const pool = pickyPool(() => false);
    const working = pool.transport.network;
    pool.transport.network = { answer: () => ODD };
    for (let call = 1; call <= 3; call += 1)
      expect(await pool.fails(pool.llm.chat(LISTS))).toBeInstanceOf(BadRequestError);
    expect(pool.requests()).toBe(6);
    pool.transport.network = working;
    await pool.run(pool.llm.chat(LISTS));
    expect(pool.transport.sent.at(-1)).toMatchObject({ model: MODEL.openrouter, body: { messages: LISTS } });
  });
});

describe('the size that a refusal taught', () => {
  it('is tried again after six hours, so that no pool stays small for ever', async () => {
    const pool = simulatedPool({ strategy: 'priority', openrouter: {} });
    const refusal = { status: 400, body: '{"error":{"message":"prompt is too long","code":400}}' };
    for (let hour = 0; hour < 120; hour += 7) {
      pool.transport.network = { answer: () => refusal };
      expect(await pool.fails(pool.llm.chat('Talk'.repeat(500)))).toMatchObject({ code: 'context_too_long' });
      pool.transport.network = {};
      expect(await pool.fails(pool.llm.chat('Talk'.repeat(900)))).toMatchObject({ attempts: [] });
      await pool.clock.advance(7 * HOUR);
      await pool.run(pool.llm.chat('Talk'.repeat(900)));
    }
  });

  it('says nothing of the prompt if the answer was to be huge', async () => {
    const pool = simulatedPool({ strategy: 'priority', openrouter: {}, nim: {} });
    const refusal = {
      status: 400,
      body: '{"error":{"message":"This model\'s maximum context length is 8192 tokens. However, you requested 100020 tokens (20 in the messages, 100000 in the completion).","code":400}}',
    };
    pool.transport.network = {
      answer: ({ model, body }) =>
        model === MODEL.openrouter && Number(body['max_tokens'] ?? 0) > 8000 ? refusal : undefined,
    };
    await pool.run(pool.llm.chat('Hello', { max_tokens: 100_000 }));
    expect(await pool.trace(1)).toEqual([`key-of-openrouter ${MODEL.openrouter}`]);
  });
});

describe('a prompt that fits, with an answer that does not', () => {
  const CTX = 8192;
  const route = `key-of-openrouter ${MODEL.openrouter}`;
  /** A pool whose first model takes 8192 tokens together, one for four characters. */
  function smallPool(wordsOf: (sum: number) => string, ctx?: number): SimulatedPool {
    const pool = simulatedPool({
      strategy: 'priority',
      openrouter: { models: [{ id: MODEL.openrouter, spec: { ctx } }] },
      nim: {},
    });
    pool.transport.network = {
      answer: ({ model, body }) => {
        const prompt = Math.ceil(JSON.stringify(body['messages']).length / 4);
        const sum = prompt + Number(body['max_tokens'] ?? 0);
        if (model !== MODEL.openrouter || sum <= CTX) return undefined;
        return { status: 400, body: JSON.stringify({ error: { message: wordsOf(sum), code: 400 } }) };
      },
    };
    return pool;
  }
  const wordings: readonly {
    readonly name: string;
    readonly words: (sum: number) => string;
    readonly ctx?: number;
  }[] = [
    {
      name: 'vLLM',
      words: (sum) =>
        `This model's maximum context length is 8192 tokens. However, you requested ${sum} tokens (20 in the messages, 100000 in the completion).`,
    },
    {
      name: 'Anthropic',
      words: (sum) => `input length and \`max_tokens\` exceed context limit: 20 + ${sum} > 8192`,
    },
    {
      name: 'TGI',
      words: () => '`inputs` tokens + `max_new_tokens` must be <= 8192. Given: 20 `inputs` tokens',
    },
    { name: 'a listed length', words: () => 'The request exceeds the context window.', ctx: CTX },
  ];

  it.each(wordings)(
    'goes to the same model with less, and so from then on: $name',
    async ({ words, ctx }) => {
      const pool = smallPool(words, ctx);
      const huge = { max_tokens: 100_000 };
      expect(await pool.trace(2, huge)).toEqual([`${route} → ${route}`, route]);
      expect(Number(pool.transport.sent.at(-1)?.body['max_tokens'])).toBeGreaterThan(CTX * 0.9);
      await pool.run(pool.llm.chat('Talk'.repeat(5000), { max_tokens: 500 }));
      expect(pool.routes().at(-1)).toContain(MODEL.openrouter);
    },
  );

  it('goes to another model if the prompt takes most of the room', async () => {
    const pool = smallPool((sum) => `maximum context length is 8192 tokens. You requested ${sum} tokens.`);
    const before = pool.requests();
    await pool.run(pool.llm.chat('some words '.repeat(3000), { max_tokens: 4000 }));
    expect(pool.routes().slice(before)).toEqual([route, `key-of-nim ${MODEL.nim}`]);
  });
});

describe('a limit on the answer that is too large for the model', () => {
  it.each([
    'max_tokens is too large: 100000. This model supports at most 4,096 completion tokens, whereas you provided 100000.',
    '`max_tokens` must be less than or equal to `4096`, the maximum value for `max_tokens` is less than the `context_window` for this model',
    'max_tokens: 100000 > 4096, which is the maximum allowed number of output tokens',
    'Invalid max_tokens value, the valid range of max_tokens is [1, 4096]',
    'Range of max_tokens should be [1, 4096]',
  ])('is lowered at once, and teaches nothing of prompts: %s', async (message) => {
    const pool = simulatedPool({ strategy: 'priority', openrouter: {}, nim: {} });
    const refusal = { status: 400, body: JSON.stringify({ error: { message, code: 400 } }) };
    pool.transport.network = {
      answer: ({ body }) => (Number(body['max_tokens']) > 4096 ? refusal : undefined),
    };
    const route = `key-of-openrouter ${MODEL.openrouter}`;
    const huge = { max_tokens: 100_000 };
    expect(await pool.trace(2, huge)).toEqual([`${route} → ${route}`, route]);
    await pool.run(pool.llm.chat('Talk'.repeat(5000)));
    expect(pool.routes().at(-1)).toBe(route);
    await pool.clock.advance(7 * HOUR);
    expect(await pool.trace(1, huge)).toEqual([`${route} → ${route}`]);
  });

  it('that leaves no room for text is not called something that the models lack', async () => {
    const pool = simulatedPool({ openrouter: {}, nim: {} });
    const body = JSON.stringify({ choices: [{ message: { content: '' }, finish_reason: 'length' }] });
    pool.transport.network = { answer: () => ({ status: 200, body }) };
    const error = String(await pool.fails(pool.llm.chat('Hello', { max_tokens: 5 })));
    expect(error).toContain('Raise max_tokens');
    expect(error).not.toContain('lack');
  });
});

describe('a refusal of access', () => {
  it.each([
    '{"error":{"message":"computer says no","code":403}}',
    '{"error":{"message":"Forbidden","code":403}}',
    '{"error":"Access denied"}',
    '',
    'Forbidden',
  ])('that one key gets does not stop another key: %s', async (text) => {
    const pool = simulatedPool({ strategy: 'priority', openrouter: { accounts: [['or-1'], ['or-2']] } });
    const refusal = { status: 403, body: text };
    pool.transport.network = { answer: ({ key }) => (key === 'or-1' ? refusal : undefined) };
    const ways = await pool.trace(3);
    expect(ways[0]).toBe(`or-1 ${MODEL.openrouter} → or-2 ${MODEL.openrouter}`);
    expect(ways.slice(1)).toEqual([`or-2 ${MODEL.openrouter}`, `or-2 ${MODEL.openrouter}`]);
  });
});
