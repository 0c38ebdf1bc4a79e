/** Chat completions in the format of Google's OpenAI-compatible route. */

import { createdAt, toolCallsOf, usageOf, type Completion } from '../answers/completion.ts';
import type { JsonObject } from '../exchange.ts';
import { dataEvent, DONE, type StreamEvent } from '../answers/stream-event.ts';
import { tokensOf } from '../answers/tokens.ts';

/** The choice of a blocked answer. It has neither a message nor a delta. */
const BLOCKED: JsonObject = { index: 0, finish_reason: 'content_filter: PROHIBITED_CONTENT' };

/** A model signs the first of its calls, and wants the signature back with the conversation. */
function signedCalls(completion: Completion): readonly JsonObject[] {
  const extra = { google: { thought_signature: `signature-${completion.serial}` } };
  return toolCallsOf(completion, () => '').map((call, index) =>
    index === 0 ? { ...call, extra_content: extra } : call,
  );
}

function choiceOf(completion: Completion): JsonObject {
  const { text, finishReason } = completion;
  if (finishReason === 'content_filter') return BLOCKED;
  const calls = signedCalls(completion);
  const message = {
    role: 'assistant',
    ...(text !== null && { content: text }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return { finish_reason: finishReason, index: 0, message };
}

/** Tool calls have an empty id and no `content` (recorded 2026-08). */
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

/**
 * Every chunk has the usage so far, even without a request for it. A tool call is one delta without an index, and the
 * finish reason after it is `stop` (googleapis/python-genai#2868, 2026-08-17). As of Gemini 3, the finish reason has a
 * chunk of its own with an empty text (envoyproxy/ai-gateway#2399, 2026-07-20).
 */
export function* googleEvents(completion: Completion): Generator<StreamEvent> {
  const { serial, now, model, text, completionTokens, finishReason } = completion;
  const calls = signedCalls(completion).map((call) => ({ tool_calls: [call] }));
  const deltas = [...tokensOf(text).map((token) => ({ content: token })), ...calls];
  const chunk = (choice: JsonObject, spent: number): JsonObject => ({
    choices: [choice],
    created: createdAt(now),
    id: `simulated-${serial}`,
    model,
    object: 'chat.completion.chunk',
    usage: usageOf({ ...completion, completionTokens: spent }),
  });
  for (const [index, delta] of deltas.entries()) {
    const spent = Math.ceil((completionTokens * (index + 1)) / deltas.length);
    yield dataEvent('token', chunk({ delta: { role: 'assistant', ...delta }, index: 0 }, spent));
  }
  const reason = finishReason === 'tool_calls' ? 'stop' : finishReason;
  const last = { delta: { role: 'assistant', content: '' }, finish_reason: reason, index: 0 };
  yield dataEvent('finish', chunk(reason === 'content_filter' ? BLOCKED : last, completionTokens));
  yield DONE;
}
