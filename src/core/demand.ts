/** What one request takes of an account's meters, and how long its answer may be. */

import { type AccountRecord, bucketOf } from './account-record.ts';
import type { Needs, TokenEstimate } from './fitness.ts';
import type { Meter } from './meter.ts';
import type { PoolAccount, PoolProvider } from './pool.ts';
import { limitOf } from './quota.ts';

/** An answer of unknown length is taken to have about so many tokens until it has come. */
const USUAL_ANSWER = 500;
/** A shorter answer is of no use. */
const LEAST_ANSWER = 64;
/** A prompt has seldom more tokens than this many percent of the estimate. */
const CAUTION_PERCENT = 110;

/** What one request takes: as it is estimated, and at least. */
interface Amount {
  readonly likely: number;
  readonly least: number;
}

function cautious(prompt: number): number {
  return Math.ceil((prompt * CAUTION_PERCENT) / 100);
}

const ONE: Amount = { likely: 1, least: 1 };

/** A request to one provider. */
export interface Demand {
  readonly needs: Needs;
  /** The most tokens that the answer may have, to be sent where the caller says nothing. */
  readonly maxTokens: number | undefined;
}

/** Whom a request is to go to, and how that account stands. */
export interface Addressee {
  readonly provider: PoolProvider;
  readonly account: PoolAccount;
  readonly record: AccountRecord;
  readonly model: string;
}

/** The least of the limits in force on what a request may take. */
function tightestReserve({ account, record, model }: Addressee, now: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const meter of account.meters(model)) {
    if (meter.counts !== 'reserved') continue;
    least = Math.min(least, limitOf(bucketOf(record, meter, model), meter, now));
  }
  return least;
}

/**
 * What a request asks of one model of an account. Where a meter counts the longest possible answer and the caller sets
 * none, the answer is bounded so that the request fits the meter at all.
 */
export function demandOf(addressee: Addressee, needs: Needs, now: number): Demand {
  const usual = addressee.provider.maxTokensWhenUnset;
  if (usual === undefined || needs.tokens === undefined) return { needs, maxTokens: undefined };
  const { prompt, maxTokens } = needs.tokens();
  if (maxTokens !== undefined) return { needs, maxTokens: undefined };
  const room = tightestReserve(addressee, now) - cautious(prompt);
  return { needs, maxTokens: Math.max(LEAST_ANSWER, Math.min(usual, Math.floor(room))) };
}

function tokensOf(meter: Meter, estimate: TokenEstimate, granted: number | undefined): Amount {
  const { least, maxTokens } = estimate;
  const prompt = cautious(estimate.prompt);
  switch (meter.counts) {
    case 'input':
      return { likely: prompt, least };
    case 'reserved': {
      const answer = maxTokens ?? granted ?? 0;
      return { likely: prompt + answer, least: least + answer };
    }
    case 'total':
    case undefined:
      return { likely: prompt + Math.min(maxTokens ?? USUAL_ANSWER, USUAL_ANSWER), least };
  }
}

/** What a request takes of a meter whose limit in force is `limit`; Infinity: it never fits. */
export function costOf(meter: Meter, demand: Demand | undefined, limit: number): number {
  const estimate = meter.unit === 'tokens' ? demand?.needs.tokens?.() : undefined;
  const { likely, least } = estimate === undefined ? ONE : tokensOf(meter, estimate, demand?.maxTokens);
  if (likely <= limit) return Math.max(1, likely);
  // The estimate may be wrong: an empty meter shows whether it is.
  return least <= limit ? limit : Number.POSITIVE_INFINITY;
}
