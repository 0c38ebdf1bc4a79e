/** Makes the tool calls of an answer calls of the tools that the request declared, or refuses the answer. */

import { mapSame } from '../request/copy-on-change.ts';
import type {
  ChatAnswer,
  ChatCompletion,
  RefusedAnswer,
  ToolCall,
  ToolCallIds,
} from '../response/chat-response.ts';
import type { DeclaredTools } from '../request/declared-tools.ts';
import { declaredName, type WrittenCall } from './call-forms.ts';
import { MOST_REPAIRED } from './loose-json.ts';
import { type SchemaCheck, soundArguments } from './sound-arguments.ts';
import { writtenCalls } from './written-calls.ts';

/** The tools that an answer may call, with a check of each one's arguments. */
export interface CallableTools {
  readonly declared: DeclaredTools;
  readonly check: (name: string) => SchemaCheck | undefined;
}

/** A tool call that is no call of a declared tool. */
export class UnsoundCall extends Error {
  static override readonly name: string = 'UnsoundCall';
}

/** The refusal for an unsound call. A model whose tokens ran out within a call may be given more. */
export function refusedCall(message: string, finish: string | undefined): RefusedAnswer {
  if (finish === 'length')
    return {
      ok: false,
      problem: 'out_of_tokens',
      message: 'the answer used up its tokens within a tool call',
    };
  return { ok: false, problem: 'malformed', message: `the model's tool call was malformed: ${message}` };
}

/**
 * A call with the declared name and with arguments that fit the tool's schema.
 * @throws UnsoundCall if it calls no declared tool, or its arguments cannot be repaired.
 */
function soundCall(call: ToolCall, { declared, check }: CallableTools): ToolCall {
  const { name: given, arguments: text } = call.function;
  const name = declaredName(given, declared);
  if (name === undefined) throw new UnsoundCall('it names no declared tool');
  const read = soundArguments(text, declared.get(name) ?? {}, check(name));
  if (!read.ok) throw new UnsoundCall(read.message);
  return name === given && read.text === text
    ? call
    : { ...call, function: { ...call.function, name, arguments: read.text } };
}

/**
 * The calls of an answer, each of them sound.
 * @throws UnsoundCall as `soundCall`, and if too much of their arguments needs repairs.
 */
export function soundCalls(calls: readonly ToolCall[], tools: CallableTools): readonly ToolCall[] {
  let repaired = 0;
  return mapSame(calls, (call) => {
    const sound = soundCall(call, tools);
    const { arguments: text } = call.function;
    if (sound.function.arguments !== text) repaired += text.length;
    if (repaired > MOST_REPAIRED) throw new UnsoundCall('too much of the arguments needs repairs');
    return sound;
  });
}

/** Calls found in a text, with ids. */
export function callsOf(written: readonly WrittenCall[], idOf: ToolCallIds): readonly ToolCall[] {
  return written.map(({ name, arguments: text }, index) => ({
    id: idOf(index),
    type: 'function',
    function: { name, arguments: text },
  }));
}

function withWrittenCalls(
  completion: ChatCompletion,
  { declared }: CallableTools,
  idOf: ToolCallIds,
): ChatCompletion {
  const found = writtenCalls(completion.text, declared);
  if (found.kind === 'broken') throw new UnsoundCall('its text cannot be read as a call');
  if (found.kind === 'prose') return completion;
  const toolCalls = callsOf(found.calls, idOf);
  return { ...completion, text: found.text, toolCalls, finishReason: 'tool_calls' };
}

/** The answer with sound calls, also those that it wrote as text. */
// spec 13.9, 13.10
export function soundAnswer(completion: ChatCompletion, tools: CallableTools, idOf: ToolCallIds): ChatAnswer {
  if (tools.declared.size === 0) return { ok: true, completion };
  try {
    const found = completion.toolCalls.length > 0 ? completion : withWrittenCalls(completion, tools, idOf);
    const toolCalls = soundCalls(found.toolCalls, tools);
    return { ok: true, completion: toolCalls === found.toolCalls ? found : { ...found, toolCalls } };
  } catch (error) {
    if (error instanceof UnsoundCall) return refusedCall(error.message, completion.finishReason);
    throw error;
  }
}
