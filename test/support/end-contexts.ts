/**
 * Ends the asynchronous contexts that the libraries of a test have left behind. While one is in use, Node 20 and 22 observe
 * every promise, so that all later tests of the worker would be several times as slow.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll } from 'vitest';

function prepared(): Set<AsyncLocalStorage<unknown>> {
  const used = new Set<AsyncLocalStorage<unknown>>();
  for (const name of ['run', 'enterWith'] as const) {
    const original = AsyncLocalStorage.prototype[name];
    AsyncLocalStorage.prototype[name] = function noted(this: AsyncLocalStorage<unknown>, ...args: never[]) {
      used.add(this);
      const result: unknown = Reflect.apply(original, this, args);
      return result;
    };
  }
  return used;
}

declare global {
  /** Vitest runs this file once for each file of tests, but a worker must be prepared only once. */
  var contextsInUse: Set<AsyncLocalStorage<unknown>> | undefined;
}

const used = (globalThis.contextsInUse ??= prepared());

afterAll(() => {
  for (const storage of used) storage.disable();
  used.clear();
});
