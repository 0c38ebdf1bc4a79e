/** OpenAI's `chat.completion` object. */

import { elementsOf, isJsonObject, type JsonObject, member } from '../core/json.ts';
import type { TokenUsage } from '../wire/response/chat-response.ts';
import type { Answer } from './chat-backend.ts';

/** The fields that all objects of one answer share. */
export interface Stamp {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
}

export function usageObject({ promptTokens, completionTokens, totalTokens }: TokenUsage): JsonObject {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens };
}

function objectOr(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
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
    ...extraFields(raw),
    role: 'assistant',
    content: refusal !== null || (text === '' && toolCalls.length > 0) ? null : text,
    refusal,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  };
}

export function completionObject(answer: Answer, { id, created }: Stamp): JsonObject {
  const rawChoice = objectOr(elementsOf(member(answer.raw, 'choices'))[0]);
  const message = messageOf(answer, objectOr(rawChoice['message']));
  const usage =
    answer.usage === undefined
      ? {}
      : { usage: { ...objectOr(member(answer.raw, 'usage')), ...usageObject(answer.usage) } };
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
