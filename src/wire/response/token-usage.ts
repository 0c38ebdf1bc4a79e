import type { Draft } from '../../core/draft.ts';
import { member } from '../../core/json.ts';
import { readCost } from './price.ts';

/** Token counts of the provider. The total can exceed the sum: some providers count hidden reasoning only in the total. */
export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** The tokens of the prompt that the provider had in its cache, if it reports them. */
  readonly cachedTokens?: number;
  /** What the answer cost, if the provider states it. In its currency: US dollars so far. */
  readonly cost?: number;
  /** The tokens of the answer that were spent on reasoning, if the provider reports them. */
  readonly reasoningTokens?: number;
  /** Whether freelm estimated the counts, in full or in part, because the provider of a stream reported none. */
  readonly estimated?: true;
}

/** A count of tokens. Some servers send numbers as texts. */
function tokens(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isFinite(count) && count >= 0 ? count : undefined;
}

/** Reads the `usage` and the price of an answer or a chunk; undefined if it has neither counts nor a price. */
// spec 13.4, 13.5
export function readUsage(answer: unknown): TokenUsage | undefined {
  const value = member(answer, 'usage');
  const cost = readCost(answer);
  const cached = tokens(member(member(value, 'prompt_tokens_details'), 'cached_tokens'));
  const prompt = tokens(member(value, 'prompt_tokens'));
  const completion = tokens(member(value, 'completion_tokens'));
  const total = tokens(member(value, 'total_tokens'));
  const isCounted = prompt !== undefined || completion !== undefined || total !== undefined;
  if (!isCounted && cost === undefined) return undefined;
  const promptTokens = prompt ?? 0;
  const completionTokens = completion ?? 0;
  const totalTokens = total ?? promptTokens + completionTokens;
  const reasoning = tokens(member(member(value, 'completion_tokens_details'), 'reasoning_tokens'));
  const usage: Draft<TokenUsage> = { promptTokens, completionTokens, totalTokens };
  // Some providers report more cached tokens than the prompt has.
  if (cached !== undefined) usage.cachedTokens = Math.min(cached, promptTokens);
  if (reasoning !== undefined) usage.reasoningTokens = reasoning;
  if (cost !== undefined) usage.cost = cost;
  return usage;
}
