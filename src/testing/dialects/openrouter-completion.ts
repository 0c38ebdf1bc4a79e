/** Chat completions in OpenRouter's format. */

import { createdAt, toolCallsOf, usageOf, type Completion } from '../answers/completion.ts';
import type { JsonObject } from '../exchange.ts';
import { commentEvent, dataEvent, DONE, type StreamEvent } from '../answers/stream-event.ts';
import { callFragmentsOf, tokensOf } from '../answers/tokens.ts';

export const PROCESSING = 'OPENROUTER PROCESSING';
export const DISCONNECTED: JsonObject = { code: 502, message: 'Provider disconnected unexpectedly' };
/** The number of chunks between two comments. */
const CHUNKS_BETWEEN_COMMENTS = 8;

export function generationId({ now, serial }: Completion): string {
  return `gen-${createdAt(now)}-${String(serial).padStart(20, '0')}`;
}

function callId({ serial }: Completion): (index: number) => string {
  return (index) => `call_${serial}_${index}`;
}

function costOf(completion: Completion): JsonObject {
  return { cost: 0, ...usageOf(completion), is_byok: false };
}

export function openrouterCompletion(completion: Completion): JsonObject {
  const { model, now, finishReason, text, reasoning = null } = completion;
  const calls = toolCallsOf(completion, callId(completion)).map((call, index) => ({ index, ...call }));
  return {
    id: generationId(completion),
    provider: 'Simulated',
    model,
    object: 'chat.completion',
    created: createdAt(now),
    choices: [
      {
        logprobs: null,
        finish_reason: finishReason,
        native_finish_reason: finishReason,
        index: 0,
        message: {
          role: 'assistant',
          content: text,
          refusal: null,
          reasoning,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
      },
    ],
    usage: costOf(completion),
  };
}

function deltasOf(completion: Completion): JsonObject[] {
  const { reasoning, text } = completion;
  return [
    ...tokensOf(reasoning).map((token) => {
      const detail = { type: 'reasoning.text', text: token, format: 'unknown', index: 0 };
      return { content: '', role: 'assistant', reasoning: token, reasoning_details: [detail] };
    }),
    ...tokensOf(text).map((token) => ({ content: token, role: 'assistant' })),
    ...callFragmentsOf(completion, callId(completion)).map((call) => {
      return { content: null, role: 'assistant', tool_calls: [call] };
    }),
  ];
}

/**
 * Comments come before the first chunk, between chunks and before the last one. Every delta has the role. The finish
 * reason comes once alone and once with the usage, which is always sent (recorded 2026-04 to 2026-10). A chunk with the
 * finish reason `error` has the error next to the choices.
 */
export function* openrouterEvents(completion: Completion): Generator<StreamEvent> {
  const { model, now, finishReason } = completion;
  const chunk = (delta: JsonObject, reason: string | null = null): JsonObject => ({
    id: generationId(completion),
    object: 'chat.completion.chunk',
    created: createdAt(now),
    model,
    provider: 'Simulated',
    ...(reason === 'error' && { error: DISCONNECTED }),
    choices: [{ index: 0, delta, finish_reason: reason, native_finish_reason: reason }],
  });
  yield commentEvent(PROCESSING);
  yield commentEvent(PROCESSING);
  for (const [index, delta] of deltasOf(completion).entries()) {
    if (index > 0 && index % CHUNKS_BETWEEN_COMMENTS === 0) yield commentEvent(PROCESSING);
    yield dataEvent('token', chunk(delta));
  }
  yield commentEvent(PROCESSING);
  const finish = chunk({ content: '', role: 'assistant' }, finishReason);
  yield dataEvent('finish', finish);
  yield dataEvent('usage', { ...finish, usage: costOf(completion) });
  yield DONE;
}
