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
