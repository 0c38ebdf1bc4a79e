/** A chat completion as NVIDIA NIM's model servers write it, whole and as a stream. */

import { countTokens } from '../chat-request.ts';
import { createdAt, toolCallsOf, usageOf, type Completion } from '../answers/completion.ts';
import type { JsonObject } from '../exchange.ts';
import { dataEvent, DONE, type StreamEvent } from '../answers/stream-event.ts';
import { callFragmentsOf, tokensOf, type CallFragment } from '../answers/tokens.ts';

function idOf({ serial }: Completion): string {
  return `chatcmpl-${String(serial).padStart(32, '0')}`;
}

function callId({ serial }: Completion): (index: number) => string {
  return (index) => `chatcmpl-tool-${serial}-${index}`;
}

/** Reasoning stands beside the text in `reasoning_content`; `tool_calls` is always there. */
export function nimCompletion(completion: Completion): JsonObject {
  const { now, model, text, reasoning = null, finishReason } = completion;
  const message = {
    role: 'assistant',
    content: text,
    reasoning_content: reasoning,
    tool_calls: toolCallsOf(completion, callId(completion)),
  };
  return {
    id: idOf(completion),
    object: 'chat.completion',
    created: createdAt(now),
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason, stop_reason: null }],
    usage: { ...usageOf(completion), prompt_tokens_details: null },
    prompt_logprobs: null,
  };
}

/** A call that goes on has its id and name again, but as `null`. */
function nulled(call: CallFragment): JsonObject {
  return { id: null, type: 'function', ...call, function: { name: null, ...call.function } };
}

function choices(said: JsonObject, reason: string | null = null): readonly JsonObject[] {
  const delta = { role: null, content: null, reasoning_content: null, tool_calls: null, ...said };
  const stop = reason === 'stop' ? 1 : null;
  return [{ index: 0, delta, logprobs: null, finish_reason: reason, matched_stop: stop }];
}

/**
 * Every field is in every chunk, `null` where it has nothing to say, the role from the second chunk on included. The
 * usage comes last, with no choice (recorded 2026-06-28 with `deepseek-v4-flash`; tool calls as the same kind of model
 * server, SGLang, writes them).
 */
export function* nimEvents(completion: Completion, includeUsage: boolean): Generator<StreamEvent> {
  const { now, model, text, reasoning, finishReason } = completion;
  const chunk = (said: readonly JsonObject[], usage: JsonObject | null = null): JsonObject => ({
    id: idOf(completion),
    object: 'chat.completion.chunk',
    created: createdAt(now),
    model,
    choices: said,
    usage,
  });
  yield dataEvent('opening', chunk(choices({ role: 'assistant', content: '' })));
  for (const token of tokensOf(reasoning)) {
    yield dataEvent('token', chunk(choices({ reasoning_content: token })));
  }
  for (const token of tokensOf(text)) yield dataEvent('token', chunk(choices({ content: token })));
  for (const call of callFragmentsOf(completion, callId(completion))) {
    yield dataEvent('token', chunk(choices({ tool_calls: [nulled(call)] })));
  }
  yield dataEvent('finish', chunk(choices({}, finishReason)));
  if (includeUsage) {
    const thought = { prompt_tokens_details: null, reasoning_tokens: countTokens(reasoning ?? '') };
    yield dataEvent('usage', chunk([], { ...usageOf(completion), ...thought }));
  }
  yield DONE;
}
