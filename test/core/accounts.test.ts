import { describe, expect, it } from 'vitest';
import {
  accountsOf,
  newlyMerged,
  withIdentity,
  withSuspicion,
} from '../../src/core/records/shared-accounts.ts';
import type { Failure } from '../../src/core/failure.ts';
import { EMPTY_PROVIDER, type ProviderRecord } from '../../src/core/records/provider.ts';
import { candidateOf, type ProviderData } from '../vectors/pool.ts';
import { DAY, providerOf } from './pool-world.ts';

const NOW = 1_790_000_000_000;

/** A refusal that names the account it is counted against. */
const naming = (identity: string): Failure => ({
  kind: 'rate_limited',
  scope: 'account',
  message: '',
  identity,
});

/** The record after refusals that named accounts, `account name` each. */
function after(names: readonly string[], record: ProviderRecord = EMPTY_PROVIDER): ProviderRecord {
  return names.reduce((known, text) => {
    const [account = '', name = ''] = text.split(' ');
    return withIdentity(known, account, naming(name), NOW);
  }, record);
}

/** The record after two accounts were refused with 8 and 12 of a limit of 20 spent. */
function adding(record: ProviderRecord = EMPTY_PROVIDER): ProviderRecord {
  const shared = { limiter: 'rpm', max: 20, windowMs: 60_000 };
  const one = withSuspicion(record, { ...shared, account: 'a', used: 8 }, NOW);
  return withSuspicion(one, { ...shared, account: 'b', used: 12 }, NOW);
}

const accountOf = (id: string): ProviderData['accounts'][number] => ({ id, keys: [`key-${id}`], limits: [] });

const mergedIn = ({ merged = {} }: ProviderRecord): readonly string[] =>
  Object.entries(merged).map(([account, { into }]) => `${account} into ${into}`);

describe('merged accounts', () => {
  it('are parted when the provider reports a second name for them', () => {
    const together = after(['b x'], adding());
    expect(mergedIn(together)).toEqual(['a into b']);
    const apart = after(['b y'], together);
    expect(mergedIn(apart)).toEqual([]);
    // It is not known which account had which name, so both are forgotten.
    expect(apart.identities).toEqual({});
    expect(mergedIn(after(['a x', 'b y'], apart))).toEqual([]);
    expect(mergedIn(after(['a x', 'b x'], apart))).toEqual(['b into a']);
  });

  it('stay merged while the provider reports one name', () => {
    const together = after(['b x'], adding());
    expect(after(['b x', 'b x'], together)).toBe(together);
  });

  it('are not merged by suspicion if the provider reports different names', () => {
    expect(mergedIn(adding(after(['a x', 'b y'])))).toEqual([]);
    expect(mergedIn(adding(after(['a x'])))).toEqual(['a into b']);
  });

  it('stay merged in the direction in which they were merged', () => {
    const together = adding(after(['a x']));
    expect(mergedIn(together)).toEqual(['a into b']);
    expect(after(['b x'], together)).toBe(together);
  });

  it('stay merged for a day by suspicion, for a week by name', () => {
    const { provider } = candidateOf({ ...providerOf(1, 1), accounts: ['a', 'b'].map(accountOf) }, 0);
    const countAfter = (record: ProviderRecord, days: number): number =>
      accountsOf(provider, record, NOW + days * DAY).length;
    expect([0, 1, 1.1].map((days) => countAfter(adding(), days))).toEqual([1, 1, 2]);
    expect([0, 7, 7.1].map((days) => countAfter(after(['a x', 'b x']), days))).toEqual([1, 1, 2]);
  });

  it('are not moved along with an expired merge', () => {
    const later = NOW + 8 * DAY;
    const sharing = withIdentity(adding(after(['c z'])), 'b', naming('z'), later);
    expect(mergedIn(sharing)).toEqual(['a into b', 'b into c']);
  });

  it('have the keys of the asking pool if two pools share a store', () => {
    const together = after(['a0 x', 'a1 x']);
    const keysOf = (name: string): readonly (readonly string[])[] =>
      accountsOf(candidateOf(providerOf(2, 1, [], name), 0).provider, together, NOW).map(
        ({ keyIds }) => keyIds,
      );
    expect(keysOf('alpha')).toEqual([['alpha-k0-1', 'alpha-k0-2', 'alpha-k1-1', 'alpha-k1-2']]);
    expect(keysOf('beta')).toEqual([['beta-k0-1', 'beta-k0-2', 'beta-k1-1', 'beta-k1-2']]);
  });

  it('are reported as new once', () => {
    const together = adding();
    expect(newlyMerged(EMPTY_PROVIDER, together)).toEqual(['a']);
    expect(newlyMerged(together, after(['b x'], together))).toEqual([]);
    expect(newlyMerged(together, after(['b x', 'b y'], together))).toEqual([]);
    expect(newlyMerged(together, after(['b x', 'c x'], together))).toEqual(['c']);
  });
});
