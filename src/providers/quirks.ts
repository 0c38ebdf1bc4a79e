/** Behaviour that only one provider needs: named functions, found by the provider's name in `QUIRKS`. */

import { member } from '../core/json.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import type { RequestFields } from '../wire/request/chat-request.ts';
import { withThoughtSignature } from '../wire/request/message-tool-calls.ts';
import type { RequestQuirk } from '../wire/request/request-shape.ts';

/** An account as its provider reports it. */
export interface AccountState {
  /** One of the provider's tiers; absent if the provider does not report it. */
  readonly tier?: string;
  readonly reported: readonly ReportedQuota[];
}

/** An endpoint that reports an account's tier and usage. */
export interface AccountEndpoint {
  /** Path below the base URL; requested with the key. */
  readonly path: string;
  /** Reads the parsed body of an answer with status 200. Never throws; ignores an unknown shape. */
  readonly read: (json: unknown) => AccountState;
}

/** The quirks of one provider. */
interface Quirks {
  readonly request?: RequestQuirk;
  readonly account?: AccountEndpoint;
}

/** The hosted models take temperatures up to 1 (mnfst/modelparams.dev, 2026-08-19). */
function withTemperatureUpTo1(fields: RequestFields): RequestFields {
  const { temperature } = fields;
  return typeof temperature === 'number' && temperature > 1 ? { ...fields, temperature: 1 } : fields;
}

/** The daily limit of an account that has bought 10 dollars of credit (2026-08). */
const CREDIT_LIMIT = 1000;

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, Math.floor(value)) : undefined;
}

/** `GET /key` reports the free requests of the UTC day; the tier follows from their limit (recorded 2026-09). */
function readKeyStatus(json: unknown): AccountState {
  const data = member(json, 'data');
  const day = member(data, 'free_model_daily_requests');
  const [limit = 0, used, left] = ['limit', 'used', 'remaining'].map((name) => countOf(member(day, name)));
  if (limit === 0) return { ...(member(data, 'is_free_tier') === true && { tier: 'free' }), reported: [] };
  // Refused requests count as well, so `used` can exceed the limit.
  const remaining = left ?? (used === undefined ? undefined : Math.max(0, limit - used));
  const quota = { unit: 'requests', window: 'day', limit } as const;
  return {
    tier: limit >= CREDIT_LIMIT ? 'credit' : 'free',
    reported: [remaining === undefined ? quota : { ...quota, remaining }],
  };
}

/** By the provider's name. */
export const QUIRKS: Readonly<Record<string, Quirks>> = {
  google: { request: { messages: withThoughtSignature } },
  nim: { request: { fields: withTemperatureUpTo1 } },
  openrouter: { account: { path: '/key', read: readKeyStatus } },
};
