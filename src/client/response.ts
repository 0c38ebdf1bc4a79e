import { parseJson } from '../core/json.ts';
import type { AttemptReport } from '../errors.ts';
import type { Call } from '../engine/call.ts';
import type { ChatCompletion, ToolCall } from '../wire/response/chat-response.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';

/** A tool call of an answer. It can be passed unchanged in a later request. */
export interface AnsweredCall extends ToolCall {
  /** The parsed `function.arguments`: an object if the request declared the tool. `undefined` if it is no JSON. */
  readonly arguments: unknown;
}

/** A whole answer. */
export interface ChatResponse {
  /** The assistant's text. Empty if it only calls tools. */
  readonly text: string;
  /** The provider that served the call. */
  readonly provider: string;
  /** The concrete model. */
  readonly model: string;
  readonly toolCalls: readonly AnsweredCall[];
  /** Tokens of all attempts, if the provider reported them. */
  readonly usage: TokenUsage | undefined;
  /** `stop`, `length`, `tool_calls`, `content_filter`, or another reason that the provider gave. */
  readonly finishReason: string | undefined;
  /** The model's reasoning, sent apart from the text or in tags at its beginning. */
  readonly reasoning: string | undefined;
  /** Every request of this call in order. The last one brought the answer. */
  readonly attempts: readonly AttemptReport[];
  /** From the call to its answer, waiting included. */
  readonly latencyMs: number;
  /**
   * The provider's answer, unchanged. For a stream, freelm assembles the same shape from the parts, with the fields
   * that it does not read, e.g. `reasoning_details`.
   */
  readonly raw: unknown;
  /** Returns the text, e.g. for `String(response)`. */
  toString(): string;
}

/** An answer converted to a string is its text. In every other respect it looks like a plain object. */
class Answer {
  declare readonly text: string;

  toString(): string {
    return this.text;
  }
}

/** A whole answer, streamed or not. */
type Answered = Pick<ChatCompletion, 'text' | 'toolCalls' | 'usage' | 'reasoning'> & {
  readonly finishReason?: string | undefined;
  readonly raw?: unknown;
};

/** @param nowMs - monotonic */
export function toResponse(call: Call<unknown>, answer: Answered, nowMs: number): ChatResponse {
  const last = call.attempts.at(-1);
  const fields: Omit<ChatResponse, 'toString'> = {
    text: answer.text,
    provider: last?.provider ?? '',
    model: last?.model ?? '',
    toolCalls: answer.toolCalls.map((one) => ({ ...one, arguments: parseJson(one.function.arguments) })),
    usage: answer.usage,
    finishReason: answer.finishReason,
    reasoning: answer.reasoning,
    attempts: call.attempts,
    latencyMs: nowMs - call.startedMs,
    raw: answer.raw,
  };
  return Object.assign(new Answer(), fields);
}
