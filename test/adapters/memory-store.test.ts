import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import { stateStoreContract } from '../contracts/state-store.ts';

describe('the memory store', () => {
  stateStoreContract(memoryStore);

  it('is synchronous, so that no call pays for a promise', () => {
    const store = memoryStore();
    expect(store.swap('a', 0, { n: 1 })).toBe(true);
    expect(store.read(['a'])).toEqual([{ version: 1, value: { n: 1 } }]);
  });

  it('shares nothing with another one', () => {
    expect(memoryStore().swap('a', 0, { n: 1 })).toBe(true);
    expect(memoryStore().read(['a'])).toEqual([{ version: 0, value: undefined }]);
  });
});
