/** A chat completion as NVIDIA NIM's model servers write it. */

import { createdAt, toolCallsOf, usageOf } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { JsonObject } from '../exchange.ts';

/** Reasoning stands beside the text in `reasoning_content`; `tool_calls` is always there. */
export function nimCompletion(completion: Completion): JsonObject {
  const { serial, now, model, text, reasoning = null, finishReason } = completion;
  const message = {
    role: 'assistant',
    content: text,
    reasoning_content: reasoning,
    tool_calls: toolCallsOf(completion, (index) => `chatcmpl-tool-${serial}-${index}`),
  };
  return {
    id: `chatcmpl-${String(serial).padStart(32, '0')}`,
    object: 'chat.completion',
    created: createdAt(now),
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason, stop_reason: null }],
    usage: { ...usageOf(completion), prompt_tokens_details: null },
    prompt_logprobs: null,
  };
}
