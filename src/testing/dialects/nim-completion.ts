/** Chat completions in the format of NVIDIA NIM's model servers. */

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

/** Reasoning is in `reasoning_content`. `tool_calls` is always present. */
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

/** In later fragments of a tool call, the id and name are `null`. */
function withNulls(call: CallFragment): JsonObject {
  return { id: null, type: 'function', ...call, function: { name: null, ...call.function } };
}

function choices(fields: JsonObject, reason: string | null = null): readonly JsonObject[] {
  const delta = { role: null, content: null, reasoning_content: null, tool_calls: null, ...fields };
  const stop = reason === 'stop' ? 1 : null;
  return [{ index: 0, delta, logprobs: null, finish_reason: reason, matched_stop: stop }];
}

/**
 * Every chunk has every field, `null` if empty. The role is `null` from the second chunk on. The usage comes last, without
 * a choice (recorded 2026-06-28 with `deepseek-v4-flash`). Tool calls follow the format of the same model server, SGLang.
 */
export function* nimEvents(completion: Completion, includeUsage: boolean): Generator<StreamEvent> {
  const { now, model, text, reasoning, finishReason } = completion;
  const chunk = (choiceList: readonly JsonObject[], usage: JsonObject | null = null): JsonObject => ({
    id: idOf(completion),
    object: 'chat.completion.chunk',
    created: createdAt(now),
    model,
    choices: choiceList,
    usage,
  });
  yield dataEvent('opening', chunk(choices({ role: 'assistant', content: '' })));
  for (const token of tokensOf(reasoning)) {
    yield dataEvent('token', chunk(choices({ reasoning_content: token })));
  }
  for (const token of tokensOf(text)) yield dataEvent('token', chunk(choices({ content: token })));
  for (const call of callFragmentsOf(completion, callId(completion))) {
    yield dataEvent('token', chunk(choices({ tool_calls: [withNulls(call)] })));
  }
  yield dataEvent('finish', chunk(choices({}, finishReason)));
  if (includeUsage) {
    const details = { prompt_tokens_details: null, reasoning_tokens: countTokens(reasoning ?? '') };
    yield dataEvent('usage', chunk([], { ...usageOf(completion), ...details }));
  }
  yield DONE;
}
