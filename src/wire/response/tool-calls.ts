/** Assembles tool calls from the deltas of a stream, whichever way these say what belongs together. */

import { isJsonObject, type JsonObject, jsonText, member } from '../../core/json.ts';
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

/** What all pieces of one call say. */
type Announced = Pick<ToolCallPart, 'index' | 'id' | 'name'>;

/** A call as far as it has come. */
interface OpenCall {
  /** What the provider calls it. */
  wireIndex: number | undefined;
  wireId: string | undefined;
  /** Set by the first piece that is handed out, which waits for the name. */
  announced: Announced | undefined;
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

/**
 * Whether a delta with the index of `call` begins another one: Ollama numbers all parallel calls 0
 * (ollama/ollama#15457, 2026). A new id alone does not: some send one with every piece.
 */
function beginsAnother(call: OpenCall, id: string | undefined, name: string | undefined): boolean {
  const isNew = id !== undefined && call.wireId !== undefined && id !== call.wireId;
  return isNew && name !== undefined && call.announced !== undefined;
}

function pieceOf(call: Announced, argumentsDelta: string, extra: JsonObject | undefined): ToolCallPart {
  const part: ToolCallPart = { type: 'tool-call', ...call, argumentsDelta };
  return extra === undefined ? part : { ...part, extra };
}

/** Whether nothing but metadata has come of a call, so that it may belong to whichever delta comes next. */
function isBlank(call: OpenCall): boolean {
  return (
    call.announced === undefined &&
    call.wireIndex === undefined &&
    call.wireId === undefined &&
    !call.hasArguments
  );
}

/** The tool calls of one stream. */
export class ToolCallAssembly {
  readonly #calls: OpenCall[] = [];
  #count = 0;

  /** How many calls were handed out. */
  get count(): number {
    return this.#count;
  }

  /** The pieces in a delta's `tool_calls`; `undefined` when its shape is unknown. */
  read(value: unknown): readonly ToolCallPart[] | undefined {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value) || !value.every(isJsonObject)) return undefined;
    return value.map((element) => this.#add(readDelta(element))).filter((part) => part !== undefined);
  }

  /**
   * The pieces that the stream owes at its end: `{}` as the arguments of calls that have none. `undefined` when a call
   * has no name.
   */
  end(): readonly ToolCallPart[] | undefined {
    const parts: ToolCallPart[] = [];
    for (const { announced, wireId, hasArguments } of this.#calls) {
      if (announced === undefined && (wireId !== undefined || hasArguments)) return undefined;
      if (announced !== undefined && !hasArguments) parts.push(pieceOf(announced, '{}', undefined));
    }
    return parts;
  }

  #add(delta: Delta): ToolCallPart | undefined {
    const { argumentsDelta, extra, name } = delta;
    const call = this.#callOf(delta) ?? this.#open();
    call.wireIndex ??= delta.index;
    call.wireId ??= delta.id;
    call.hasArguments ||= argumentsDelta.trim() !== '';
    if (call.announced !== undefined) {
      const says = argumentsDelta !== '' || extra !== undefined;
      return says ? pieceOf(call.announced, argumentsDelta, extra) : undefined;
    }
    call.heldArguments += argumentsDelta;
    if (extra !== undefined) call.heldExtra = { ...call.heldExtra, ...extra };
    return name === undefined ? undefined : this.#announce(call, name);
  }

  #announce(call: OpenCall, name: string): ToolCallPart {
    const index = this.#count;
    this.#count += 1;
    call.announced = { index, id: call.wireId ?? `call_${index}`, name };
    return pieceOf(call.announced, call.heldArguments, call.heldExtra);
  }

  /** The call that a delta goes on with; `undefined` when it begins one. */
  #callOf({ index, id, name }: Delta): OpenCall | undefined {
    const last = this.#calls.at(-1);
    if (last === undefined || isBlank(last)) return last;
    if (index !== undefined) {
      const call = this.#calls.findLast(({ wireIndex }) => wireIndex === index);
      return call !== undefined && beginsAnother(call, id, name) ? undefined : call;
    }
    if (id !== undefined) return this.#calls.find(({ wireId }) => wireId === id);
    // Google numbers no calls and may leave ids empty, but names each once (googleapis/python-genai#2868, 2026-08-17).
    return name === undefined || last.announced === undefined ? last : undefined;
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
