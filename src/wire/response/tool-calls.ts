import { isJsonObject, type JsonObject, jsonText, member } from '../../core/json.ts';
import { nonBlank, NUMBERED_CALLS, type ToolCallIds } from './chat-response.ts';

/** A piece of a tool call. The `argumentsDelta` of all pieces with the same `index` concatenate to the arguments. */
export interface ToolCallPart {
  readonly type: 'tool-call';
  /** Numbers the calls of an answer from 0, whatever the provider's numbers are. The same in all pieces of a call. */
  readonly index: number;
  /** Made up if the first piece has none. The same in all pieces of a call. */
  readonly id: string;
  readonly name: string;
  /** Empty in a piece that only begins a call or only carries `extra`. */
  readonly argumentsDelta: string;
  /** Fields beyond OpenAI's, e.g. `extra_content`, which Google needs back unchanged. */
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

/** What all pieces of a call share. */
type CallHeader = Pick<ToolCallPart, 'index' | 'id' | 'name'>;

/** A call whose pieces are still arriving. */
interface OpenCall {
  /** The provider's own number and id. */
  wireIndex: number | undefined;
  wireId: string | undefined;
  /** Set when the name has arrived: the first piece waits for it. */
  header: CallHeader | undefined;
  /** Arrived before the name. */
  heldArguments: string;
  heldExtra: JsonObject | undefined;
  hasArguments: boolean;
}

const OPENAI_FIELDS: ReadonlySet<string> = new Set(['index', 'id', 'type', 'function']);

/** The fields of a call beyond OpenAI's; undefined if there are none. */
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
 * Whether a delta with the index of `call` begins another call: Ollama numbers all parallel calls 0
 * (ollama/ollama#15457, 2026). A new id alone is no sign of that: some providers send one with every piece.
 */
function beginsAnother(call: OpenCall, id: string | undefined, name: string | undefined): boolean {
  const isNew = id !== undefined && call.wireId !== undefined && id !== call.wireId;
  return isNew && name !== undefined && call.header !== undefined;
}

function pieceOf(header: CallHeader, argumentsDelta: string, extra: JsonObject | undefined): ToolCallPart {
  const part: ToolCallPart = { type: 'tool-call', ...header, argumentsDelta };
  return extra === undefined ? part : { ...part, extra };
}

/** Whether only metadata has arrived, so that the next delta belongs to the call. */
function isBlank(call: OpenCall): boolean {
  return (
    call.header === undefined &&
    call.wireIndex === undefined &&
    call.wireId === undefined &&
    !call.hasArguments
  );
}

/** Assembles the tool calls of one stream from its deltas, however these identify their call. */
// spec 14.3
export class ToolCallAssembly {
  readonly #idOf: ToolCallIds;
  readonly #calls: OpenCall[] = [];
  #count = 0;

  constructor(idOf: ToolCallIds = NUMBERED_CALLS) {
    this.#idOf = idOf;
  }

  /** How many calls have begun. */
  get count(): number {
    return this.#count;
  }

  /** The pieces in a delta's `tool_calls`; undefined for an unknown shape. */
  read(value: unknown): readonly ToolCallPart[] | undefined {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value) || !value.every(isJsonObject)) return undefined;
    return value.map((element) => this.#add(readDelta(element))).filter((part) => part !== undefined);
  }

  /**
   * The pieces still missing at the end: `{}` as the arguments of calls that have none. Undefined if a call has no
   * name.
   */
  end(): readonly ToolCallPart[] | undefined {
    const parts: ToolCallPart[] = [];
    for (const { header, wireId, hasArguments } of this.#calls) {
      if (header === undefined && (wireId !== undefined || hasArguments)) return undefined;
      if (header !== undefined && !hasArguments) parts.push(pieceOf(header, '{}', undefined));
    }
    return parts;
  }

  #add(delta: Delta): ToolCallPart | undefined {
    const { argumentsDelta, extra, name } = delta;
    const call = this.#callOf(delta) ?? this.#open();
    call.wireIndex ??= delta.index;
    call.wireId ??= delta.id;
    call.hasArguments ||= argumentsDelta.trim() !== '';
    if (call.header !== undefined) {
      const hasContent = argumentsDelta !== '' || extra !== undefined;
      return hasContent ? pieceOf(call.header, argumentsDelta, extra) : undefined;
    }
    call.heldArguments += argumentsDelta;
    if (extra !== undefined) call.heldExtra = { ...call.heldExtra, ...extra };
    return name === undefined ? undefined : this.#begin(call, name);
  }

  #begin(call: OpenCall, name: string): ToolCallPart {
    const index = this.#count;
    this.#count += 1;
    call.header = { index, id: call.wireId ?? this.#idOf(index), name };
    return pieceOf(call.header, call.heldArguments, call.heldExtra);
  }

  /** The call that a delta continues; undefined if it begins one. */
  #callOf({ index, id, name }: Delta): OpenCall | undefined {
    const last = this.#calls.at(-1);
    if (last === undefined || isBlank(last)) return last;
    if (index !== undefined) {
      const call = this.#calls.findLast(({ wireIndex }) => wireIndex === index);
      return call !== undefined && beginsAnother(call, id, name) ? undefined : call;
    }
    if (id !== undefined) return this.#calls.find(({ wireId }) => wireId === id);
    // Google sends no numbers and may send empty ids, but sends each name once (googleapis/python-genai#2868, 2026-08-17).
    return name === undefined || last.header === undefined ? last : undefined;
  }

  #open(): OpenCall {
    const call: OpenCall = {
      wireIndex: undefined,
      wireId: undefined,
      header: undefined,
      heldArguments: '',
      heldExtra: undefined,
      hasArguments: false,
    };
    this.#calls.push(call);
    return call;
  }
}
