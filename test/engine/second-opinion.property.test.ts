import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { BadRequestError } from '../../src/index.ts';
import { MODEL, simulatedPool } from '../support/simulated-pool.ts';

const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const;
const WORDS = ['odd', 'value', 'of', 'the', 'request', 'was', 'strange', 'here', 'bitte', '?'] as const;
const unknownText = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 8 })
  .map((words) => words.join(' '));
const inAnyForm = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  text.chain((message) =>
    fc.constantFrom(
      JSON.stringify({ error: { message } }),
      JSON.stringify([{ error: { message, status: 'FAILED' } }]),
      JSON.stringify({ detail: message }),
      JSON.stringify({ object: 'error', message }),
      message,
    ),
  );
const knownText = fc.constantFrom(
  "Unsupported parameter: 'seed'",
  'Tools are not supported by this model',
  "This model's maximum context length is 10 tokens.",
  'Rate limit exceeded',
  'Insufficient credits',
  'The model does not exist',
  'Invalid API key',
  'computer says no',
  'Could not download the image',
  'System role not supported',
);
const refusals = (status: fc.Arbitrary<number>, text: fc.Arbitrary<string>) =>
  fc.array(fc.record({ status, body: inAnyForm(text) }), { minLength: 1, maxLength: 4 });

const wordingsSchema = z.object({
  cases: z.array(
    z.object({ input: z.object({ message: z.string() }), expect: z.looseObject({ kind: z.string() }) }),
  ),
});
const wordings = wordingsSchema.parse(
  JSON.parse(readFileSync(new URL('../../spec/vectors/wordings.json', import.meta.url), 'utf8')),
).cases;
/** What servers say of a caller's mistake: unreadable content, no schema, a number out of its range, and so on. */
const MISTAKES = wordings
  .filter(({ expect: { kind } }) => kind === 'rejected')
  .map(({ input }) => input.message);
const LIKES = wordings
  .filter(({ expect: { kind } }) => kind === 'unsupported')
  .map(({ input }) => input.message);

/** The words as another server writes them. */
const mutated = (messages: readonly string[]): fc.Arbitrary<string> =>
  fc
    .record({
      message: fc.constantFrom(...messages),
      before: fc.constantFrom('', 'Error: ', 'Bad request: ', '400 ', 'odd value: ', 'Request failed. '),
      after: fc.constantFrom(
        '',
        '.',
        ' (request id: 7f3a)',
        ' Please correct it.',
        ' See the documentation.',
      ),
      isShouted: fc.boolean(),
    })
    .map(({ message, before, after, isShouted }) => {
      const text = before + message + after;
      return isShouted ? text.toUpperCase() : text;
    });

/** A request with much that some models do not like. */
const ASKED = [
  { role: 'developer', content: 'Be brief.' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    ],
  },
] as const;
const OPTIONS = {
  seed: 7,
  temperature: 1.5,
  max_tokens: 100,
  tools: [
    {
      type: 'function',
      function: { name: 'a.b', parameters: { type: 'object', properties: { x: { const: 1 } } } },
    },
  ],
};

describe('a mistake of the caller', () => {
  it('costs at most two requests in whatever words each model refuses it', async () => {
    const status = fc.constantFrom(400, 415, 422);
    await fc.assert(
      fc.asyncProperty(refusals(status, fc.oneof(mutated(MISTAKES), unknownText)), async (said) => {
        const pool = simulatedPool({ openrouter: {}, google: {}, nim: {}, custom: {} });
        let sent = 0;
        pool.transport.network = { answer: () => said[sent++ % said.length] };
        const error = await pool.fails(pool.llm.chat(ASKED, OPTIONS));
        expect(error).toBeInstanceOf(BadRequestError);
        expect(sent).toBeLessThanOrEqual(2);
      }),
      { numRuns: 150 },
    );
  });

  it('costs at most two requests more than its refusals teach about models, and two from then on', async () => {
    const status = fc.constantFrom(400, 422);
    const texts = fc.oneof(mutated(MISTAKES), mutated(LIKES), unknownText);
    const answers = fc.array(fc.record({ status, body: inAnyForm(texts) }), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(answers, async (said) => {
        const pool = simulatedPool({ openrouter: {}, google: {}, nim: {}, custom: {} });
        const models = NAMES.map((name) => MODEL[name]);
        pool.transport.network = { answer: ({ model }) => said[models.indexOf(model)] };
        expect(await pool.fails(pool.llm.chat(ASKED, OPTIONS))).toBeInstanceOf(BadRequestError);
        // A model learns at most once from an answer that never changes.
        expect(pool.requests()).toBeLessThanOrEqual(2 + models.length);
        const before = pool.requests();
        expect(await pool.fails(pool.llm.chat(ASKED, OPTIONS))).toBeInstanceOf(BadRequestError);
        expect(pool.requests() - before).toBeLessThanOrEqual(2);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a refused call', () => {
  it('is not lost while another provider is ready and takes the request', async () => {
    const status = fc.integer({ min: 400, max: 451 });
    const answers = refusals(status, fc.oneof(unknownText, knownText));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...NAMES), answers, async (first, said) => {
        const pool = simulatedPool({
          openrouter: {},
          google: {},
          nim: {},
          custom: {},
          [first]: { priority: -1 },
          strategy: 'priority',
        });
        let refused = 0;
        pool.transport.network = {
          answer: ({ model }) => (model === MODEL[first] ? said[refused++ % said.length] : undefined),
        };
        const error = await pool.fails(pool.llm.chat('Hello', { seed: 7, max_tokens: 9 }));
        expect(error).toBeUndefined();
        expect(refused).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });

  it('costs at most two requests if all providers reject it for unknown reasons', async () => {
    const status = fc.constantFrom(400, 405, 406, 409, 411, 412, 413, 415, 416, 417, 418, 422, 424, 428, 431);
    await fc.assert(
      fc.asyncProperty(refusals(status, unknownText), async (said) => {
        const pool = simulatedPool({ openrouter: {}, google: {}, nim: {}, custom: {} });
        let sent = 0;
        pool.transport.network = { answer: () => said[sent++ % said.length] };
        expect(await pool.fails(pool.llm.chat('Hello', { seed: 7 }))).toBeInstanceOf(BadRequestError);
        expect(sent).toBeLessThanOrEqual(2);
      }),
      { numRuns: 100 },
    );
  });

  it('costs at most two requests if refusals that name nothing come before a rejection', async () => {
    const pool = simulatedPool({ strategy: 'priority', openrouter: {}, google: {}, nim: {}, custom: {} });
    const said = ['Could not download the image', 'We would rather not'];
    let sent = 0;
    pool.transport.network = {
      answer: () => ({ status: 400, body: JSON.stringify({ error: { message: said[sent++] ?? 'No' } }) }),
    };
    const error = await pool.fails(pool.llm.chat('Hello'));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(String(error)).toContain('Could not download the image');
    expect(sent).toBe(2);
  });
});
