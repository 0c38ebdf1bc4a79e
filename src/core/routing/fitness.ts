/** Whether a model can serve a request, as far as is known. spec 11.3 */

import type { Question, RequestNeeds } from './question.ts';
import type { CandidateModel, PoolProvider } from '../pool.ts';
import { billsAll, knownOf, modelOf, type ProviderRecord, trusted } from '../records/provider.ts';

/** The smallest context length of models in use, in tokens. */
const SMALLEST_WINDOW = 2048;

/** Whether a model or its whole provider is known to be billed, and the user does not allow that. spec 11.8 */
export function isTooDear(provider: PoolProvider, record: ProviderRecord, model: CandidateModel): boolean {
  if (provider.maySpend === true) return false;
  const { billed = 0 } = modelOf(record, model.id);
  return model.costs === true || billed > 0 || billsAll(record);
}

/** Why a model is known to be unable to serve a request; undefined if it may be able. */
export function unfitReason(
  provider: PoolProvider,
  record: ProviderRecord,
  model: CandidateModel,
  needs: RequestNeeds,
  now: number,
): 'context_too_long' | 'unsupported' | 'would_cost_money' | undefined {
  const known = knownOf(record, model.id, now);
  if (isTooDear(provider, record, model)) return 'would_cost_money';
  const ctx = known.ctx ?? model.ctx;
  const text = longestText(needs);
  if (known.tooLong !== undefined && text.size >= known.tooLong) return 'context_too_long';
  if (ctx !== undefined && !hasRoom(ctx, text)) return 'context_too_long';
  const refused = needs.fields?.some((field) => known.refuses?.includes(field)) === true;
  const lacking = known.lacks?.some((capability) => needs.capabilities.includes(capability)) === true;
  return refused || lacking ? 'unsupported' : undefined;
}

/** What must fit into a model's context: the whole request, or the longest text of a batch. spec 17.4 */
function longestText(needs: RequestNeeds): RequestNeeds {
  const { batch } = needs;
  return batch === undefined ? needs : { ...needs, size: batch.longest, tokens: batch.longestTokens };
}

/** Whether a request fits into `ctx` tokens. If no model surely has room, the least estimate counts. */
function hasRoom(ctx: number, { size, tokens, isLarge, tooShortCtx = 0 }: RequestNeeds): boolean {
  if (ctx <= tooShortCtx) return false;
  // A text has hardly more tokens than characters, so most requests need no estimate.
  if (size <= ctx || tokens === undefined) return true;
  const { prompt, least } = tokens();
  return (isLarge === true ? least : prompt) <= ctx;
}

/** The largest reported context length that was too short for a request of `size` characters, or 0. */
function tooShortCtxAt({ models }: ProviderRecord, size: number, now: number): number {
  let tooShortCtx = 0;
  for (const record of Object.values(models)) {
    const { tooLong, ctx } = trusted(record, now);
    if (tooLong !== undefined && ctx !== undefined && size >= tooLong)
      tooShortCtx = Math.max(tooShortCtx, ctx);
  }
  return tooShortCtx;
}

/** Whether no model has room for the estimated request. */
function exceedsAll({ stages, needs }: Question): boolean {
  const models = stages.flatMap((stage) => stage.flatMap((candidate) => candidate.models));
  const text = longestText(needs);
  return models.every(({ ctx }) => ctx !== undefined && !hasRoom(ctx, text));
}

/** The question with what earlier refusals show about the request's length: it excludes all models up to that size. */
export function withKnownLength(question: Question): Question {
  const { stages, records, needs, now } = question;
  const { size } = longestText(needs);
  let tooShortCtx = 0;
  for (const stage of stages) {
    for (const { provider } of stage)
      tooShortCtx = Math.max(tooShortCtx, tooShortCtxAt(records.provider(provider), size, now));
  }
  const isLarge = size > SMALLEST_WINDOW && needs.tokens !== undefined && exceedsAll(question);
  if (tooShortCtx === 0 && !isLarge) return question;
  return { ...question, needs: { ...needs, isLarge, ...(tooShortCtx === 0 ? {} : { tooShortCtx }) } };
}
