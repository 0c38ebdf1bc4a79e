import { describe, expect, it } from 'vitest';
import { ItemReader } from '../../src/client/item-reader.ts';
import fc from '../support/fast-check.ts';

type Step = 'next' | 'return' | 'throw';

/** Batches that end, or break off with an error. */
async function* batchesOf(
  batches: readonly (readonly number[])[],
  breaks: boolean,
): AsyncGenerator<readonly number[], void, undefined> {
  for (const batch of batches) {
    await Promise.resolve();
    yield batch;
  }
  if (breaks) throw new Error('broken');
}

/** The same items by a generator, which is slower. */
async function* itemsOf(batches: ReturnType<typeof batchesOf>): AsyncGenerator<number, void, undefined> {
  for await (const batch of batches) yield* batch;
}

/** What the steps lead to. `waits`: whether each step waits for the one before. */
async function outcomes(
  reader: AsyncGenerator<number, void, undefined>,
  steps: readonly Step[],
  waits: boolean,
): Promise<unknown> {
  const taken = {
    next: () => reader.next(),
    return: () => reader.return(),
    throw: () => reader.throw(new Error('thrown')),
  };
  const results: Promise<unknown>[] = [];
  for (const step of steps) {
    const result = taken[step]();
    results.push(result.catch((error: unknown) => String(error)));
    if (waits) await results.at(-1);
  }
  return Promise.all(results);
}

const batches = fc.array(fc.array(fc.integer(), { maxLength: 4 }), { maxLength: 5 });
const NEVER = { aborted: false };

describe('a reader of items', () => {
  it('behaves like an async generator', async () => {
    const steps = fc.array(
      fc.oneof({ weight: 8, arbitrary: fc.constant<Step>('next') }, fc.constantFrom<Step>('return', 'throw')),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), steps, fc.boolean(), async (given, breaks, taken, waits) => {
        const read = await outcomes(new ItemReader(batchesOf(given, breaks), NEVER), taken, waits);
        expect(read).toStrictEqual(await outcomes(itemsOf(batchesOf(given, breaks)), taken, waits));
      }),
    );
  });

  it('hands out nothing of a batch that arrived before the abort', async () => {
    const stop = { aborted: false };
    const reader = new ItemReader(batchesOf([[1, 2, 3]], true), stop);
    expect(await reader.next()).toStrictEqual({ done: false, value: 1 });
    stop.aborted = true;
    await expect(reader.next()).rejects.toThrow('broken');
  });

  it('leaves its source when it is disposed of', async () => {
    const source = batchesOf([[1], [2]], true);
    await new ItemReader(source, NEVER)[Symbol.asyncDispose]();
    expect(await source.next()).toStrictEqual({ done: true, value: undefined });
  });
});
