import { isJsonObject, type JsonObject, jsonText, member, parseJson, setMembers } from '../../core/json.ts';
import { nonBlank, NUMBERED_CALLS, type ToolCallIds } from './chat-response.ts';
import { JsonScan } from './json-scan.ts';

/** A piece of a tool call. The `argumentsDelta` of all pieces with the same `index` concatenate to the arguments. */
export interface ToolCallPart {
  readonly type: 'tool-call';
  /** Numbers the calls of an answer from 0, whatever the provider's numbers are. The same in all pieces of a call. */
  readonly index: number;
  /** Made up if the first piece has none. The same in all pieces of a call. */
  readonly id: string;
  readonly name: string;
  /** Empty in a piece that only carries `extra`. */
  readonly argumentsDelta: string;
  /** Fields beyond OpenAI's, e.g. `extra_content`, which Google needs back unchanged. */
  readonly extra?: JsonObject;
}

/** One element of a delta's `tool_calls`. */
interface Delta {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly typed: boolean;
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
  name: string | undefined;
  /** Set when the name is whole: its first arguments or another call have arrived. */
  header: CallHeader | undefined;
  arguments: string;
  /** Not yet handed out. */
  heldArguments: string;
  /** Where in their JSON the arguments are. */
  readonly scan: JsonScan;
  heldExtra: Record<string, unknown> | undefined;
  /** The number of the delta that it was last sent in. */
  sentIn: number;
  /** Whether its name came once more, alone, after its arguments were complete. */
  isNamedAgain: boolean;
}

const OPENAI_FIELDS: ReadonlySet<string> = new Set(['index', 'id', 'type', 'function']);

/** The fields of a call beyond OpenAI's; undefined if there are none. */
export function extraOf(call: JsonObject): JsonObject | undefined {
  const extra = Object.entries(call).filter(([name]) => !OPENAI_FIELDS.has(name));
  return extra.length === 0 ? undefined : Object.fromEntries(extra);
}

/** The number of a call, which some servers send as a text. */
function indexOf(value: unknown): number | undefined {
  const index = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof index === 'number' ? index : undefined;
}

/** The JSON text of arguments. Servers that send an object send `{}` before the real ones. */
function argumentsIn(given: unknown): string {
  if (isJsonObject(given)) return Object.keys(given).length === 0 ? '' : jsonText(given);
  return typeof given === 'string' ? given : '';
}

function readDelta(value: JsonObject): Delta {
  const called = member(value, 'function');
  return {
    index: indexOf(member(value, 'index')),
    id: nonBlank(member(value, 'id')),
    name: nonBlank(member(called, 'name')),
    typed: nonBlank(member(value, 'type')) !== undefined,
    argumentsDelta: argumentsIn(member(called, 'arguments')),
    extra: extraOf(value),
  };
}

function startsValue(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

/** Whether two JSON texts have the same value. */
function isSameJson(a: string, b: string): boolean {
  if (a === b) return true;
  const [first, second] = [parseJson(a), parseJson(b)];
  return first !== undefined && second !== undefined && jsonText(first) === jsonText(second);
}

/** Whether a delta sends a complete call once more, as some servers do in their last chunk. */
function isRepeated(call: OpenCall, { name, argumentsDelta }: Delta, at: number): boolean {
  if (!call.scan.isComplete || call.sentIn === at || !startsValue(argumentsDelta)) return false;
  // The lengths bound the work: short pieces are not compared with long arguments.
  if (argumentsDelta.length * 4 < call.arguments.length) return false;
  return (name === undefined || name === call.name) && isSameJson(call.arguments, argumentsDelta);
}

/**
 * Whether a delta with the index or the id of `call` begins another call. Ollama numbers all parallel calls 0
 * (ollama/ollama#15457, 2026), others give all of them one id. A new id alone is no sign: some providers send one with
 * every piece, and some the name with every piece.
 */
function beginsAnother(call: OpenCall, { id, name, typed, argumentsDelta }: Delta): boolean {
  if (name === undefined || call.name === undefined) return false;
  const hasNewId = id !== undefined && call.wireId !== undefined && id !== call.wireId;
  const hasNewName = name !== call.name;
  if (call.scan.isComplete) return hasNewId || hasNewName || startsValue(argumentsDelta);
  if (call.scan.isBegun)
    return hasNewName || (hasNewId && (argumentsDelta === '' || startsValue(argumentsDelta)));
  return hasNewId || (hasNewName && typed);
}

/** Whether a delta with an unknown number and id, or without any, continues the last call. */
function continues({ name: known, scan }: OpenCall, { index, id, name, argumentsDelta }: Delta): boolean {
  const startsAnew = startsValue(argumentsDelta);
  if (known === undefined)
    return id === undefined && (name === undefined || index === undefined || !scan.isBegun);
  // Google sends neither numbers nor ids, but each name once (googleapis/python-genai#2868, 2026-08-17).
  if (name !== undefined) {
    const isInside = scan.isBegun && !scan.isComplete && !startsAnew;
    return name === known && isInside && argumentsDelta !== '';
  }
  const isNew = scan.isComplete
    ? index !== undefined || id !== undefined
    : index !== undefined && id !== undefined;
  return !(isNew && startsAnew);
}

/** A name that was sent in pieces. Some servers send the whole name with every piece. */
function joinedName(known: string | undefined, name: string): string {
  return known === undefined || name.startsWith(known) ? name : known + name;
}

function pieceOf(header: CallHeader, argumentsDelta: string, extra: JsonObject | undefined): ToolCallPart {
  const part: ToolCallPart = { type: 'tool-call', ...header, argumentsDelta };
  return extra === undefined ? part : { ...part, extra };
}

/** Whether only metadata has arrived, so that the next delta belongs to the call. */
function isBlank({ name, wireIndex, wireId, scan }: OpenCall): boolean {
  return name === undefined && wireIndex === undefined && wireId === undefined && !scan.isBegun;
}

/** Assembles the tool calls of one stream from its deltas, however these identify their call. */
// spec 14.3, 14.8
export class ToolCallAssembly {
  readonly #idOf: ToolCallIds;
  readonly #calls: OpenCall[] = [];
  readonly #byId = new Map<string, OpenCall>();
  readonly #byIndex = new Map<number, OpenCall>();
  readonly #ids = new Set<string>();
  #count = 0;
  #deltas = 0;

  constructor(idOf: ToolCallIds = NUMBERED_CALLS) {
    this.#idOf = idOf;
  }

  /** How many calls have a name. */
  get count(): number {
    return this.#calls.filter(({ name }) => name !== undefined).length;
  }

  /** How many calls there are, with and without a name. */
  get size(): number {
    return this.#calls.length;
  }

  /** The arguments of each call, as far as they have come. */
  get arguments(): readonly string[] {
    return this.#calls.map((call) => call.arguments);
  }

  /** Whether no call was cut within its arguments. */
  get isComplete(): boolean {
    return this.#calls.every(({ scan }) => scan.isComplete || !scan.isBegun);
  }

  /** The pieces in a delta's calls; undefined for an unknown shape. */
  read(value: unknown): readonly ToolCallPart[] | undefined {
    if (!Array.isArray(value) || !value.every(isJsonObject)) return undefined;
    // Usual: most deltas have no calls.
    if (value.length === 0) return [];
    this.#deltas += 1;
    return value.flatMap((element) => this.#add(readDelta(element)));
  }

  /**
   * The pieces still missing at the end: `{}` as the arguments of calls that have none. Undefined if a call has no
   * name.
   */
  end(): readonly ToolCallPart[] | undefined {
    const parts: ToolCallPart[] = [];
    for (const call of this.#calls) {
      if (call.name === undefined && (call.wireId !== undefined || call.scan.isBegun)) return undefined;
      if (call.name === undefined || call.scan.isBegun) continue;
      call.heldArguments = '{}';
      parts.push(this.#piece(call, call.name));
    }
    return parts;
  }

  #add(given: Delta): readonly ToolCallPart[] {
    const delta = this.#named(given);
    const found = this.#callOf(delta);
    const { argumentsDelta, extra } = delta;
    if (found?.header !== undefined && isRepeated(found, delta, this.#deltas))
      return extra === undefined ? [] : [pieceOf(found.header, '', extra)];
    const call = found ?? this.#open();
    // The name of the call before is whole now.
    const parts = found === undefined ? this.#announced() : [];
    this.#identify(call, delta);
    call.arguments += argumentsDelta;
    call.heldArguments += argumentsDelta;
    call.scan.read(argumentsDelta);
    if (extra !== undefined) call.heldExtra = setMembers(call.heldExtra ?? {}, extra);
    const hasContent = call.heldArguments !== '' || call.heldExtra !== undefined;
    if (call.name === undefined || !hasContent || !(call.scan.isBegun || call.header !== undefined))
      return parts;
    return [...parts, this.#piece(call, call.name)];
  }

  /** A second call of the same function at the same index may send its name alone, before its arguments. */
  #named(delta: Delta): Delta {
    const last = this.#calls.at(-1);
    const { name, argumentsDelta } = delta;
    if (last?.name === undefined || !last.scan.isComplete) return delta;
    if (name === last.name && argumentsDelta === '') last.isNamedAgain = true;
    const isAnnounced = name === undefined && last.isNamedAgain && startsValue(argumentsDelta);
    return isAnnounced ? { ...delta, name: last.name } : delta;
  }

  #identify(call: OpenCall, { index, id, name }: Delta): void {
    call.sentIn = this.#deltas;
    if (call.wireIndex === undefined && index !== undefined) {
      call.wireIndex = index;
      this.#byIndex.set(index, call);
    }
    if (call.wireId === undefined && id !== undefined) {
      call.wireId = id;
      this.#byId.set(id, call);
    }
    if (name !== undefined && call.header === undefined) call.name = joinedName(call.name, name);
  }

  #piece(call: OpenCall, name: string): ToolCallPart {
    call.header ??= this.#headerOf(name, call.wireId);
    const { header, heldArguments, heldExtra } = call;
    call.heldArguments = '';
    call.heldExtra = undefined;
    return pieceOf(header, heldArguments, heldExtra);
  }

  #announced(): readonly ToolCallPart[] {
    const before = this.#calls.at(-2);
    if (before?.name === undefined || before.header !== undefined) return [];
    return [this.#piece(before, before.name)];
  }

  #headerOf(name: string, wireId: string | undefined): CallHeader {
    const index = this.#count;
    this.#count += 1;
    const isTaken = wireId !== undefined && this.#ids.has(wireId);
    const id = this.#idOf(index, isTaken ? undefined : wireId);
    this.#ids.add(id);
    return { index, id, name };
  }

  /** The call that a delta continues; undefined if it begins one. */
  #callOf(delta: Delta): OpenCall | undefined {
    const last = this.#calls.at(-1);
    if (last === undefined || isBlank(last)) return last;
    const { index, id } = delta;
    const byId = id === undefined ? undefined : this.#byId.get(id);
    const call = byId ?? (index === undefined ? undefined : this.#byIndex.get(index));
    if (call === undefined) return continues(last, delta) ? last : undefined;
    const isAnother = beginsAnother(call, delta) && !isRepeated(call, delta, this.#deltas);
    return isAnother ? undefined : call;
  }

  #open(): OpenCall {
    const call: OpenCall = {
      wireIndex: undefined,
      wireId: undefined,
      name: undefined,
      header: undefined,
      arguments: '',
      heldArguments: '',
      scan: new JsonScan(),
      heldExtra: undefined,
      sentIn: 0,
      isNamedAgain: false,
    };
    this.#calls.push(call);
    return call;
  }
}
