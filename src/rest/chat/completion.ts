/** OpenAI's `chat.completion` object. */

import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import type { TokenUsage } from '../../wire/response/chat-response.ts';
import { withOrigin } from '../../wire/origin.ts';
import { choiceIn } from '../../wire/response/message.ts';
import { messageOf as sentMessage } from '../../wire/response/stream-part.ts';
import { sentCall } from '../answers.ts';
import type { Answer } from '../chat-backend.ts';

/** The fields that all objects of one answer share. */
export interface Stamp {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
}

function objectOr(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/**
 * OpenAI's `usage`.
 * @param sent - The provider's own, whose other members stay.
 */
export function usageObject(usage: TokenUsage, sent: JsonObject = {}): JsonObject {
  const { cachedTokens: cached, reasoningTokens: reasoning } = usage;
  const ofPrompt = objectOr(sent['prompt_tokens_details']);
  const ofAnswer = objectOr(sent['completion_tokens_details']);
  return {
    ...sent,
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    ...(cached === undefined ? {} : { prompt_tokens_details: { ...ofPrompt, cached_tokens: cached } }),
    ...(reasoning === undefined
      ? {}
      : { completion_tokens_details: { ...ofAnswer, reasoning_tokens: reasoning } }),
    ...(usage.estimated === true ? { estimated: true } : {}),
  };
}

/** Keeps the fields that freelm does not read, e.g. images or citations. Null stands for an absent field. */
function extraFields(raw: JsonObject): JsonObject {
  const { tool_calls: _calls, function_call: _call, ...fields } = raw;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function messageOf(answer: Answer, raw: JsonObject): JsonObject {
  const { text, toolCalls, reasoning } = answer;
  const refusal = typeof raw['refusal'] === 'string' && raw['refusal'] === text ? text : null;
  return {
    ...withOrigin(extraFields(raw), answer),
    role: 'assistant',
    content: refusal !== null || (text === '' && toolCalls.length > 0) ? null : text,
    refusal,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(sentCall) }),
  };
}

export function completionObject(answer: Answer, { id, created }: Stamp): JsonObject {
  const rawChoice = objectOr(choiceIn(member(answer.raw, 'choices')));
  const message = messageOf(answer, sentMessage(answer.raw));
  const usage =
    answer.usage === undefined
      ? {}
      : { usage: usageObject(answer.usage, objectOr(member(answer.raw, 'usage'))) };
  return {
    id,
    object: 'chat.completion',
    created,
    model: answer.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: rawChoice['logprobs'] ?? null,
        finish_reason: answer.finishReason ?? 'stop',
      },
    ],
    ...usage,
  };
}
