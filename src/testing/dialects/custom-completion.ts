/** Chat completions in OpenAI's format. */

import { createdAt, toolCallsOf, usageOf, type Completion } from '../answers/completion.ts';
import type { JsonObject } from '../exchange.ts';
import { dataEvent, DONE, type StreamEvent } from '../answers/stream-event.ts';
import { callFragmentsOf, tokensOf } from '../answers/tokens.ts';

function callId({ serial }: Completion): (index: number) => string {
  return (index) => `call_${serial}_${index}`;
}

export function customCompletion(completion: Completion): JsonObject {
  const { serial, now, model, text, reasoning, finishReason } = completion;
  const calls = toolCallsOf(completion, callId(completion));
  const message = {
    role: 'assistant',
    content: text,
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return {
    id: `chatcmpl-${serial}`,
    object: 'chat.completion',
    created: createdAt(now),
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    usage: usageOf(completion),
  };
}

function choices(delta: JsonObject, reason: string | null = null): readonly JsonObject[] {
  return [{ index: 0, delta, logprobs: null, finish_reason: reason }];
}

/** The role comes only in the first chunk. The usage comes last, without a choice, and only on request. */
export function* customEvents(completion: Completion, includeUsage: boolean): Generator<StreamEvent> {
  const { serial, now, model, text, reasoning, finishReason } = completion;
  const chunk = (choiceList: readonly JsonObject[], usage: JsonObject | null = null): JsonObject => ({
    id: `chatcmpl-${serial}`,
    object: 'chat.completion.chunk',
    created: createdAt(now),
    model,
    choices: choiceList,
    ...(includeUsage && { usage }),
  });
  yield dataEvent('opening', chunk(choices({ role: 'assistant', content: '', refusal: null })));
  for (const token of tokensOf(reasoning)) {
    yield dataEvent('token', chunk(choices({ reasoning_content: token })));
  }
  for (const token of tokensOf(text)) yield dataEvent('token', chunk(choices({ content: token })));
  for (const call of callFragmentsOf(completion, callId(completion))) {
    yield dataEvent('token', chunk(choices({ tool_calls: [call] })));
  }
  yield dataEvent('finish', chunk(choices({}, finishReason)));
  if (includeUsage) yield dataEvent('usage', chunk([], usageOf(completion)));
  yield DONE;
}
