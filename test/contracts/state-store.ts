/** Runs the contract of every state store. */

import { expect, it } from 'vitest';
import { type OpenStateStore, stateStoreChecks, type StateStoreChecksOptions } from '../../src/testing.ts';

export function stateStoreContract(open: OpenStateStore, options?: StateStoreChecksOptions): void {
  const checks = stateStoreChecks(open, options);
  it.each(checks)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
}
