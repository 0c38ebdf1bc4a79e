import * as z from 'zod/mini';
import { check } from '../check.ts';
import { EMPTY_ACCOUNT } from '../core/records/account.ts';
import { EMPTY_PROVIDER } from '../core/records/provider.ts';
import { accountsOf } from '../core/records/shared-accounts.ts';
import type { Candidate } from '../core/pool.ts';
import { ConfigError } from '../errors.ts';
import { hashKey } from '../providers/key.ts';
import type { Pool } from './pool.ts';

/** What `reset()` forgets. Default: everything. */
export interface ResetOptions {
  /** The name of a provider, e.g. `openrouter`. */
  readonly provider?: string | undefined;
  /** A key of the pool, whole or masked as `health()` shows it. Forgets the whole account, including its other keys. */
  readonly key?: string | undefined;
}

const schema = z.strictObject(
  {
    provider: z.optional(z.string('must be the name of a provider')),
    key: z.optional(z.string('must be a key, whole or masked')),
  },
  'must be an object',
);

function keyIdsOf(pool: Pool, provider: string, key: string): readonly string[] {
  const id = hashKey(key.trim());
  const keys = pool.providers.get(provider)?.keys ?? [];
  return keys.filter(({ keyId, mask }) => keyId === id || mask === key.trim()).map(({ keyId }) => keyId);
}

/** The records of the accounts with a key, and of the accounts that they were merged into. */
async function accountsWith(
  pool: Pool,
  candidate: Candidate,
  keyIds: readonly string[],
): Promise<readonly string[]> {
  const { provider } = candidate;
  const records = await pool.ledger.snapshot([[candidate]]);
  const merged = accountsOf(provider, records.provider(provider), pool.clock.now());
  const hasKey = ({ keyIds: own }: { readonly keyIds: readonly string[] }): boolean =>
    own.some((keyId) => keyIds.includes(keyId));
  return [...new Set([...provider.accounts, ...merged].filter(hasKey).map(({ recordId }) => recordId))];
}

/**
 * Forgets what the records hold about the pool, a provider or a key. An empty record takes the place of the stored one.
 * spec 5.15
 */
export async function reset(pool: Pool, options: ResetOptions): Promise<void> {
  check(schema, options, 'reset');
  const { provider: name, key } = options;
  const candidates = pool.everything().filter(({ provider }) => name === undefined || provider.name === name);
  if (candidates.length === 0) {
    const names = [...pool.providers.keys()].join(', ');
    throw new ConfigError(`reset.provider: the pool has no provider of this name. It has ${names}.`);
  }
  const accounts: string[] = [];
  for (const candidate of candidates) {
    const { provider } = candidate;
    if (key === undefined) {
      await pool.ledger.rewrite(provider.recordId, (value) => (value === undefined ? value : EMPTY_PROVIDER));
      accounts.push(...provider.accounts.map(({ recordId }) => recordId));
    } else {
      accounts.push(...(await accountsWith(pool, candidate, keyIdsOf(pool, provider.name, key))));
    }
  }
  if (accounts.length === 0)
    throw new ConfigError(
      'reset.key: the pool has no such key. Pass a key, or its masked form from health().',
    );
  for (const id of accounts)
    await pool.ledger.rewrite(id, (value) => (value === undefined ? value : EMPTY_ACCOUNT));
}
