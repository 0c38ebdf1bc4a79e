/** A chat completion as Google's OpenAI-compatible route writes it. */

import { createdAt, toolCallsOf, usageOf } from '../completion.ts';
import type { Completion } from '../completion.ts';
import type { JsonObject } from '../exchange.ts';

function choiceOf(completion: Completion): JsonObject {
  const { text, finishReason } = completion;
  if (finishReason === 'content_filter') {
    return { index: 0, finish_reason: 'content_filter: PROHIBITED_CONTENT' };
  }
  const calls = toolCallsOf(completion, () => '');
  const message = {
    role: 'assistant',
    ...(text !== null && { content: text }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return { finish_reason: finishReason, index: 0, message };
}

/**
 * A blocked answer has no message at all, the reason follows the word `content_filter`; tool calls come with an empty
 * id and without `content` (recorded 2026-08).
 */
export function googleCompletion(completion: Completion): JsonObject {
  return {
    choices: [choiceOf(completion)],
    created: createdAt(completion.now),
    id: `simulated-${completion.serial}`,
    model: completion.model,
    object: 'chat.completion',
    usage: usageOf(completion),
  };
}
