/** The older form of tools: `functions`, `function_call`, and messages of functions. OpenAI replaced it in 2023. */

import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import type { ChatMessage } from '../../wire/request/chat-request.ts';
import { badBody } from '../body.ts';

/** The message of a function's result has no id: it belongs to the call before it. */
function callId(index: number): string {
  return `call_${index}`;
}

function messageOf(message: unknown, index: number, lastCall: number): unknown {
  if (!isJsonObject(message)) return message;
  const { function_call: called, ...rest } = message;
  if (message['role'] === 'function') return { ...message, role: 'tool', tool_call_id: callId(lastCall) };
  if (!isJsonObject(called)) return message;
  return { ...rest, tool_calls: [{ id: callId(index), type: 'function', function: called }] };
}

/** The messages with calls and results of functions as those of tools; the same list if there are none. */
export function withToolMessages(messages: readonly ChatMessage[]): readonly ChatMessage[];
export function withToolMessages(messages: readonly unknown[]): readonly unknown[] {
  const isOlder = messages.some(
    (message) => member(message, 'role') === 'function' || isJsonObject(member(message, 'function_call')),
  );
  if (!isOlder) return messages;
  let lastCall = 0;
  return messages.map((message, index) => {
    if (isJsonObject(member(message, 'function_call'))) lastCall = index;
    return messageOf(message, index, lastCall);
  });
}

/** Whether a request asks in the older form, and so gets its answer in it. */
export function asksForFunctions({ functions, tools }: JsonObject): boolean {
  if (!Array.isArray(functions) || functions.length === 0) return false;
  if (tools !== undefined) throw badBody('functions: must not be given beside tools. Send tools only.');
  return true;
}

/** The fields with tools in place of functions. An answer in the older form has one call. */
export function withTools(fields: JsonObject): JsonObject {
  const { functions, function_call: choice, ...rest } = fields;
  if (!Array.isArray(functions)) return fields;
  const chosen = isJsonObject(choice) ? { type: 'function', function: choice } : choice;
  return {
    ...rest,
    tools: functions.map((one: unknown) => ({ type: 'function', function: one })),
    ...(chosen === undefined ? {} : { tool_choice: chosen }),
    parallel_tool_calls: false,
  };
}

/** A message or a delta with its first call in the older form. */
export function withFunctionCall(message: JsonObject): JsonObject {
  const { tool_calls: calls, ...rest } = message;
  const first: unknown = Array.isArray(calls) ? calls[0] : undefined;
  const called = member(first, 'function');
  if (calls === undefined) return message;
  // Later calls have no place in the older form.
  if ((member(first, 'index') ?? 0) !== 0 || !isJsonObject(called)) return rest;
  return { ...rest, function_call: called };
}

/** The finish reason in the older form. */
export function olderReason(reason: string): string {
  return reason === 'tool_calls' ? 'function_call' : reason;
}
