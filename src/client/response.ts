/** What a call answers. */

import type { AttemptReport } from '../errors.ts';
import type { Call } from '../engine/call.ts';
import type { ChatCompletion, TokenUsage, ToolCall } from '../wire/response/chat-response.ts';

/** A whole answer. */
export interface ChatResponse {
  /** The assistant's text; empty when it only calls tools. */
  readonly text: string;
  /** The provider that served the call. */
  readonly provider: string;
  /** The concrete model. */
  readonly model: string;
  readonly toolCalls: readonly ToolCall[];
  /** Tokens, where the provider tells. */
  readonly usage: TokenUsage | undefined;
  /** `stop`, `length`, `tool_calls`, `content_filter`, or what else the provider says. */
  readonly finishReason: string | undefined;
  /** The model's reasoning, where it is given apart. */
  readonly reasoning: string | undefined;
  /** Every upstream request of this call in order, the last one being the answer's. */
  readonly attempts: readonly AttemptReport[];
  /** From the call to its answer. */
  readonly latencyMs: number;
  /** The provider's answer as it came; undefined of a stream. */
  readonly raw: unknown;
}

/** What an answer amounts to, streamed or not. */
type Answered = Pick<ChatCompletion, 'text' | 'toolCalls' | 'usage' | 'reasoning'> & {
  readonly finishReason?: string | undefined;
  readonly raw?: unknown;
};

export function toResponse(call: Call<unknown>, answer: Answered, now: number): ChatResponse {
  const last = call.attempts.at(-1);
  return {
    text: answer.text,
    provider: last?.provider ?? '',
    model: last?.model ?? '',
    toolCalls: answer.toolCalls,
    usage: answer.usage,
    finishReason: answer.finishReason,
    reasoning: answer.reasoning,
    attempts: call.attempts,
    latencyMs: now - call.startedAt,
    raw: answer.raw,
  };
}
