/** OpenAI's `chat.completion` object. */

import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import type { TokenUsage } from '../../wire/response/token-usage.ts';
import { withOrigin } from '../../wire/origin.ts';
import { choiceIn } from '../../wire/response/message.ts';
import { messageOf as sentMessage } from '../../wire/response/stream-part.ts';
import { sentCall } from '../answers.ts';
import type { Answer } from '../chat-backend.ts';
import type { Answers } from '../several.ts';
import { olderReason, withFunctionCall } from './functions.ts';

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

function choiceOf(answer: Answer, index: number, isOlder: boolean): JsonObject {
  const { raw, finishReason = 'stop' } = answer;
  const message = messageOf(answer, sentMessage(raw));
  return {
    index,
    message: isOlder ? withFunctionCall(message) : message,
    logprobs: objectOr(choiceIn(member(raw, 'choices')))['logprobs'] ?? null,
    finish_reason: isOlder ? olderReason(finishReason) : finishReason,
  };
}

/** @param isOlder - Whether calls have the form of `function_call`. */
export function completionObject(
  { answers, usage }: Answers,
  { id, created }: Stamp,
  isOlder: boolean,
): JsonObject {
  const [first, ...others] = answers;
  const sent = others.length === 0 ? objectOr(member(first?.raw, 'usage')) : {};
  return {
    id,
    object: 'chat.completion',
    created,
    model: first?.model ?? '',
    choices: answers.map((answer, index) => choiceOf(answer, index, isOlder)),
    ...(usage === undefined ? {} : { usage: usageObject(usage, sent) }),
  };
}
