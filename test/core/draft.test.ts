import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../src/core/circuit-breaker.ts';
import { limiterDraft, type LimiterState } from '../../src/core/limits/state.ts';
import { accountDraft, type AccountRecord } from '../../src/core/records/account.ts';

// The types require every member, so a new one is missing here until it is copied, too.
const LIMITER: Required<LimiterState> = {
  spent: [[60_000, 1]],
  refused: [[60_000, 1]],
  fullAt: 1000,
  full: { since: 0, until: 1000 },
  learnt: { max: 5, at: 0 },
  margin: { ms: 20, at: 0 },
  pace: { at: 0, since: 0, sent: 2, served: 1 },
  tried: { at: 0, from: 5 },
  doubt: { max: 5, model: 'm', at: 0 },
};
const ACCOUNT: Required<AccountRecord> = {
  v: 1,
  since: 1000,
  breaker: CLOSED,
  limiters: { rpm: LIMITER },
  models: { m: CLOSED },
  keys: { k: { breaker: CLOSED } },
};

describe('a draft', () => {
  it('of a limit has all of its members, and no others', () => {
    expect(limiterDraft(LIMITER)).toStrictEqual(LIMITER);
    expect(limiterDraft({ spent: [] })).toStrictEqual({ spent: [] });
  });

  it('of an account has all of its members, and no others', () => {
    const { since: _, ...unused } = ACCOUNT;
    expect(accountDraft(ACCOUNT)).toStrictEqual(ACCOUNT);
    expect(accountDraft(unused)).toStrictEqual(unused);
  });

  it('leaves the original as it is', () => {
    const draft = accountDraft(ACCOUNT);
    draft.limiters = {};
    expect(ACCOUNT.limiters).toStrictEqual({ rpm: LIMITER });
  });
});
