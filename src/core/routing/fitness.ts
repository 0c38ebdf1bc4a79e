/** Whether a model takes what a call asks, as far as that is known. */

import type { Question, RequestNeeds } from './question.ts';
import type { CandidateModel } from '../pool.ts';
import { believed, knownOf, type ProviderRecord } from '../records/provider.ts';

/** No model in use has a smaller window, in tokens. */
const SMALLEST_WINDOW = 2048;

/** Why it is known that a model does not take what the call asks; undefined when nothing speaks against it. */
export function unfit(
  record: ProviderRecord,
  model: CandidateModel,
  needs: RequestNeeds,
  now: number,
): 'context_too_long' | 'unsupported' | undefined {
  const known = knownOf(record, model.id, now);
  const ctx = known.ctx ?? model.ctx;
  if (known.tooLong !== undefined && needs.size >= known.tooLong) return 'context_too_long';
  if (ctx !== undefined && !hasRoom(ctx, needs)) return 'context_too_long';
  const refused = needs.fields?.some((field) => known.refuses?.includes(field)) === true;
  const lacking = known.lacks?.some((capability) => needs.capabilities.includes(capability)) === true;
  return refused || lacking ? 'unsupported' : undefined;
}

/** Whether a request fits into a window of `ctx` tokens: surely, or where no model surely has room, perhaps. */
function hasRoom(ctx: number, { size, tokens, isLarge, outgrown = 0 }: RequestNeeds): boolean {
  if (ctx <= outgrown) return false;
  // No text has more tokens than characters to speak of: most requests need no estimate.
  if (size <= ctx || tokens === undefined) return true;
  const { prompt, least } = tokens();
  return (isLarge === true ? least : prompt) <= ctx;
}

/** The largest context length that a provider stated and that was too short for a request of `size` characters, or 0. */
function outgrownAt({ models }: ProviderRecord, size: number, now: number): number {
  let outgrown = 0;
  for (const record of Object.values(models)) {
    const { tooLong, ctx } = believed(record, now);
    if (tooLong !== undefined && ctx !== undefined && size >= tooLong) outgrown = Math.max(outgrown, ctx);
  }
  return outgrown;
}

/** Whether no model of the question has room for the request as it is estimated: then those that may have are asked. */
function outgrowsAll({ stages, needs }: Question): boolean {
  const models = stages.flatMap((stage) => stage.flatMap((candidate) => candidate.models));
  return models.every(({ ctx }) => ctx !== undefined && !hasRoom(ctx, needs));
}

/** The question with what is known of its length: what one model was too small for, no model of its size is asked. */
export function informed(question: Question): Question {
  const { stages, records, needs, now } = question;
  let outgrown = 0;
  for (const stage of stages) {
    for (const { provider } of stage)
      outgrown = Math.max(outgrown, outgrownAt(records.provider(provider), needs.size, now));
  }
  const isLarge = needs.size > SMALLEST_WINDOW && needs.tokens !== undefined && outgrowsAll(question);
  if (outgrown === 0 && !isLarge) return question;
  return { ...question, needs: { ...needs, isLarge, ...(outgrown === 0 ? {} : { outgrown }) } };
}
