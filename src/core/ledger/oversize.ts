import type { Failure } from '../failure.ts';
import type { RequestNeeds } from '../routing/question.ts';
import type { Reservation } from './reserve.ts';

/** No limit of tokens per minute in use is smaller, so a shorter request cannot exceed one by itself. */
const SMALLEST_LIMIT = 2048;

/**
 * The failure, marked as `oversized` if a limit of tokens refused a request although nothing else had been sent: then
 * the request alone exceeds the limit, for every key. A request that would fit met the use of another client. spec 5.13
 */
export function withOversize(failure: Failure, reservation: Reservation, needs: RequestNeeds): Failure {
  const { kind, unit, reportedLimit = SMALLEST_LIMIT } = failure;
  if (kind !== 'rate_limited' || unit !== 'tokens' || !reservation.isAlone) return failure;
  const { prompt = 0, maxTokens = 0 } = needs.tokens?.() ?? {};
  return prompt + maxTokens > reportedLimit ? { ...failure, oversized: true } : failure;
}
