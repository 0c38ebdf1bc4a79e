/** The `message` object of the Messages API. */

import type { JsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/json.ts';
import type { ToolCall } from '../../wire/response/chat-response.ts';
import type { TokenUsage } from '../../wire/response/token-usage.ts';
import { messageOf } from '../../wire/response/stream-part.ts';
import type { Answer } from '../chat-backend.ts';
import { NOTHING, type PrivateFields, privateFieldsOf, seal } from '../seal.ts';

const STOP_REASONS: ReadonlyMap<string, string> = new Map([
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['content_filter', 'refusal'],
]);

export function stopReasonOf(finishReason: string | undefined): string {
  return STOP_REASONS.get(finishReason ?? '') ?? 'end_turn';
}

/** What a stream's last event has of the usage. Tokens from a provider's cache are counted apart. */
export function lastUsage(usage: TokenUsage | undefined): JsonObject {
  const { promptTokens = 0, completionTokens = 0, cachedTokens = 0, reasoningTokens } = usage ?? {};
  return {
    input_tokens: promptTokens - cachedTokens,
    output_tokens: completionTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}

function usageObject(usage: TokenUsage | undefined): JsonObject {
  return {
    ...lastUsage(usage),
    cache_creation: null,
    inference_geo: null,
    service_tier: 'standard',
    speed: null,
  };
}

export function textBlock(text: string): JsonObject {
  // The AI SDK refuses a `citations` that is null.
  return { type: 'text', text };
}

export function thinkingBlock(thinking: string, signature: string): JsonObject {
  return { type: 'thinking', thinking, signature };
}

/** @param input - An object. A model without declared tools may write anything. */
export function toolUseBlock({ id, function: { name } }: ToolCall, input: unknown): JsonObject {
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } };
}

function isSame(a: PrivateFields, b: PrivateFields): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * The block that carries private fields, if there are others than those that a thinking block carries already.
 * @param sealed - Those that are carried already.
 */
export function privateBlock(fields: PrivateFields, sealed: PrivateFields = NOTHING): readonly JsonObject[] {
  return isSame(fields, sealed) ? [] : [{ type: 'redacted_thinking', data: seal(fields) }];
}

function contentOf({ text, reasoning = '', toolCalls, raw }: Answer): readonly JsonObject[] {
  const message = messageOf(raw);
  const ofMessage = privateFieldsOf(message);
  const thinking = reasoning === '' ? [] : [thinkingBlock(reasoning, seal(ofMessage))];
  return [
    ...thinking,
    ...(text === '' ? [] : [textBlock(text)]),
    ...privateBlock(privateFieldsOf(message, toolCalls), thinking.length === 0 ? NOTHING : ofMessage),
    ...toolCalls.map((call) => toolUseBlock(call, parseJson(call.function.arguments) ?? {})),
  ];
}

/** A message without its content, or with all of it. */
export function messageObject(
  id: string,
  answer: Pick<Answer, 'model' | 'usage'>,
  content: readonly JsonObject[] = [],
  stopReason: string | null = null,
): JsonObject {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content,
    stop_reason: stopReason,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: usageObject(answer.usage),
  };
}

export function wholeMessage(id: string, answer: Answer): JsonObject {
  return messageObject(id, answer, contentOf(answer), stopReasonOf(answer.finishReason));
}
