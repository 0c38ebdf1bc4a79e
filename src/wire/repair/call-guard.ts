/** Passes on the parts of a stream, but holds tool calls back until it is certain that they are sound. */

import type { ToolCall, ToolCallIds } from '../response/chat-response.ts';
import { PartCollector, type StreamPart } from '../response/stream-part.ts';
import { extraOf, type ToolCallPart } from '../response/tool-calls.ts';
import { CallGate } from './call-gate.ts';
import { type CallableTools, callsOf, soundCalls, UnsoundCall } from './sound-calls.ts';

const NO_CALLS: CallableTools = { declared: new Map(), check: () => undefined };

function partOf(call: ToolCall, index: number): ToolCallPart {
  const { name, arguments: argumentsDelta } = call.function;
  const part: ToolCallPart = { type: 'tool-call', index, id: call.id, name, argumentsDelta };
  const extra = extraOf(call);
  return extra === undefined ? part : { ...part, extra };
}

export class CallGuard {
  readonly #tools: CallableTools;
  readonly #idOf: ToolCallIds;
  readonly #gate: CallGate;
  readonly #calls = new PartCollector();
  #hasCalls = false;
  #isDone = false;

  /** @param continues - Whether the stream continues an answer, which then is a text. */
  constructor(tools: CallableTools, idOf: ToolCallIds, continues: boolean) {
    this.#tools = tools;
    this.#idOf = idOf;
    this.#gate = new CallGate(continues ? NO_CALLS.declared : tools.declared);
  }

  /**
   * The parts that may be handed out.
   * @throws UnsoundCall if a call is none of a declared tool.
   */
  pass(parts: readonly StreamPart[]): readonly StreamPart[] {
    return this.#tools.declared.size === 0 ? parts : parts.flatMap((part) => this.#passOne(part));
  }

  #passOne(part: StreamPart): readonly StreamPart[] {
    switch (part.type) {
      case 'text':
        return textParts(this.#gate.add(part.text));
      case 'tool-call':
        this.#calls.add(part);
        this.#hasCalls = true;
        return textParts(this.#gate.open());
      case 'usage':
        return [...this.#end(), part];
      case 'finish':
        return [
          ...this.#end(),
          this.#hasCalls && part.reason === 'stop' ? { ...part, reason: 'tool_calls' } : part,
        ];
      case 'reasoning':
      case 'extra':
      case 'logprobs':
        return [part];
    }
  }

  #end(): readonly StreamPart[] {
    if (this.#isDone) return [];
    this.#isDone = true;
    if (this.#hasCalls) return this.#sound(this.#calls.answer().toolCalls);
    const found = this.#gate.end();
    if (found.kind === 'broken') throw new UnsoundCall('its text cannot be read as a call');
    if (found.kind === 'prose') return textParts(this.#gate.open());
    this.#hasCalls = true;
    return this.#sound(callsOf(found.calls, this.#idOf));
  }

  #sound(calls: readonly ToolCall[]): readonly StreamPart[] {
    return soundCalls(calls, this.#tools).map(partOf);
  }
}

function textParts(text: string): readonly StreamPart[] {
  return text === '' ? [] : [{ type: 'text', text }];
}
