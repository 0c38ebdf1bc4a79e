/** Whether a model takes what a call asks, as far as that is known. */

import type { Question } from './plan.ts';
import type { CandidateModel } from './pool.ts';
import { modelOf, type ProviderRecord } from './provider-record.ts';

/** What a call asks of a model. */
export interface Needs {
  /** The request's length in characters. */
  readonly size: number;
  /** Capabilities without which the request cannot be served, e.g. `tools`. */
  readonly capabilities: readonly string[];
  /** Fields of the request without which its answer would be another one, e.g. `response_format`. */
  readonly fields?: readonly string[] | undefined;
  /** A context length in tokens that a refusal stated and that was too short for a request no longer than this one. */
  readonly outgrown?: number | undefined;
}

/** Why it is known that a model does not take what the call asks; undefined when nothing speaks against it. */
export function unfit(
  record: ProviderRecord,
  model: CandidateModel,
  needs: Needs,
): 'context_too_long' | 'unsupported' | undefined {
  const known = modelOf(record, model.id);
  const ctx = known.ctx ?? model.ctx;
  if (known.tooLong !== undefined && needs.size >= known.tooLong) return 'context_too_long';
  if (ctx !== undefined && needs.outgrown !== undefined && ctx <= needs.outgrown) return 'context_too_long';
  const refused = needs.fields?.some((field) => known.refuses?.includes(field)) === true;
  const lacking = known.lacks?.some((capability) => needs.capabilities.includes(capability)) === true;
  return refused || lacking ? 'unsupported' : undefined;
}

/** The largest context length that a provider stated and that was too short for a request of `size` characters, or 0. */
function outgrownAt({ models }: ProviderRecord, size: number): number {
  let outgrown = 0;
  for (const { tooLong, ctx } of Object.values(models)) {
    if (tooLong !== undefined && ctx !== undefined && size >= tooLong) outgrown = Math.max(outgrown, ctx);
  }
  return outgrown;
}

/** The question with what is known of its length: what one model was too small for, no model of its size is asked. */
export function informed(question: Question): Question {
  const { stages, records, needs } = question;
  let outgrown = 0;
  for (const stage of stages) {
    for (const { provider } of stage)
      outgrown = Math.max(outgrown, outgrownAt(records.provider(provider), needs.size));
  }
  return outgrown === 0 ? question : { ...question, needs: { ...needs, outgrown } };
}
