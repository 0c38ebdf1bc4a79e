/** Assembles tool calls from the deltas of a stream, whichever way these say what belongs together. */

import { isJsonObject, type JsonObject, jsonText, member } from '../core/json-path.ts';
import { nonBlank } from './chat-response.ts';

/** A piece of a tool call. Concatenated, the pieces of one `index` give its arguments. */
export interface ToolCallPart {
  readonly type: 'tool-call';
  /** Counts the calls of an answer from 0, whatever the provider counts. The same in all pieces of one call. */
  readonly index: number;
  /** As sent; `call_<index>` where the first piece had none. The same in all pieces of one call. */
  readonly id: string;
  readonly name: string;
  /** Empty in a piece that only announces a call, or only carries `extra`. */
  readonly argumentsDelta: string;
  /** Fields beyond OpenAI's, e.g. `extra_content`, which Google wants back unchanged. */
  readonly extra?: JsonObject;
}

/** One element of a delta's `tool_calls`. */
interface Delta {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly argumentsDelta: string;
  readonly extra: JsonObject | undefined;
}

/** A call as far as it has come. */
interface OpenCall {
  /** What the provider calls it. */
  wireIndex: number | undefined;
  wireId: string | undefined;
  /** Set by the first piece that is handed out, which waits for the name. */
  announced: { readonly index: number; readonly id: string; readonly name: string } | undefined;
  /** What came before the name. */
  heldArguments: string;
  heldExtra: JsonObject | undefined;
  hasArguments: boolean;
}

const OPENAI_FIELDS: ReadonlySet<string> = new Set(['index', 'id', 'type', 'function']);

/** The fields of a call that OpenAI's dialect does not know; `undefined` when there are none. */
export function extraOf(call: JsonObject): JsonObject | undefined {
  const extra = Object.entries(call).filter(([name]) => !OPENAI_FIELDS.has(name));
  return extra.length === 0 ? undefined : Object.fromEntries(extra);
}

function readDelta(value: JsonObject): Delta {
  const index = member(value, 'index');
  const called = member(value, 'function');
  const given = member(called, 'arguments');
  return {
    index: typeof index === 'number' ? index : undefined,
    id: nonBlank(member(value, 'id')),
    name: nonBlank(member(called, 'name')),
    argumentsDelta: isJsonObject(given) ? jsonText(given) : typeof given === 'string' ? given : '',
    extra: extraOf(value),
  };
}

/** Whether a call that has no name yet may be what this delta goes on with. */
function isUnclaimed(call: OpenCall | undefined): call is OpenCall {
  return call?.announced === undefined && call?.wireIndex === undefined && call?.wireId === undefined;
}

/** The tool calls of one stream. */
export class ToolCalls {
  readonly #calls: OpenCall[] = [];

  /** How many calls there are, those included that have no name yet. */
  get count(): number {
    return this.#calls.length;
  }

  /** The pieces in a delta's `tool_calls`; `undefined` when its shape is unknown. */
  read(value: unknown): readonly ToolCallPart[] | undefined {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value) || !value.every(isJsonObject)) return undefined;
    return value.map((element) => this.#add(readDelta(element))).filter((part) => part !== undefined);
  }

  /** The pieces that the stream owes at its end: arguments for calls without any; `undefined` when a call has no name. */
  end(): readonly ToolCallPart[] | undefined {
    const parts: ToolCallPart[] = [];
    for (const { announced, hasArguments } of this.#calls) {
      if (announced === undefined) return undefined;
      if (!hasArguments) parts.push({ type: 'tool-call', ...announced, argumentsDelta: '{}' });
    }
    return parts;
  }

  #add(delta: Delta): ToolCallPart | undefined {
    const call = this.#callOf(delta) ?? this.#open();
    call.wireIndex ??= delta.index;
    call.wireId ??= delta.id;
    call.hasArguments ||= delta.argumentsDelta.trim() !== '';
    if (call.announced !== undefined) return pieceOf(call.announced, delta.argumentsDelta, delta.extra);
    call.heldArguments += delta.argumentsDelta;
    call.heldExtra = delta.extra === undefined ? call.heldExtra : { ...call.heldExtra, ...delta.extra };
    if (delta.name === undefined) return undefined;
    const index = this.#calls.indexOf(call);
    call.announced = { index, id: call.wireId ?? `call_${index}`, name: delta.name };
    return { type: 'tool-call', ...call.announced, argumentsDelta: call.heldArguments, ...extraField(call.heldExtra) };
  }

  /** The call that a delta goes on with; `undefined` when it begins one. */
  #callOf({ index, id, name }: Delta): OpenCall | undefined {
    const last = this.#calls.at(-1);
    if (isUnclaimed(last)) return last;
    if (index !== undefined) {
      const call = this.#calls.findLast(({ wireIndex }) => wireIndex === index);
      // Ollama calls every one of parallel calls 0 (ollama/ollama#15457, 2026): a new id with a name begins one.
      const isOther = id !== undefined && name !== undefined && call?.wireId !== undefined && call.wireId !== id;
      return isOther && call.announced !== undefined ? undefined : call;
    }
    if (id !== undefined) return this.#calls.find(({ wireId }) => wireId === id);
    // Google numbers no calls and may leave ids empty, but sends the name once (googleapis/python-genai#2868, 2026-08).
    return name === undefined || last?.announced === undefined ? last : undefined;
  }

  #open(): OpenCall {
    const call: OpenCall = {
      wireIndex: undefined,
      wireId: undefined,
      announced: undefined,
      heldArguments: '',
      heldExtra: undefined,
      hasArguments: false,
    };
    this.#calls.push(call);
    return call;
  }
}
