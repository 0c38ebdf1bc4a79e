import { isJsonObject, type JsonObject, jsonText, member, setMember } from '../../core/json.ts';

/** Members that are sent whole. Of any other text, each chunk has the next piece. */
const SENT_WHOLE: ReadonlySet<string> = new Set(['id', 'type', 'format', 'signature', 'name', 'object']);
/** Deeper objects are replaced. */
const MAX_DEPTH = 4;

/** Joins pieces of objects. It changes only objects that it has made itself: the pieces belong to the consumer. */
class Merger {
  /** Its own objects, each by itself. */
  #own = new WeakMap<object, Record<string, unknown>>();

  /** The value of a member when its next piece has arrived. */
  merged(name: string, before: unknown, value: unknown, depth = 0): unknown {
    if (value === undefined || value === null) return before;
    if (typeof before === 'string' && typeof value === 'string' && !SENT_WHOLE.has(name))
      return before + value;
    if (!isJsonObject(before) || !isJsonObject(value) || depth >= MAX_DEPTH) return value;
    return this.object(before, value, depth + 1);
  }

  object(before: JsonObject, value: JsonObject, depth = 0): JsonObject {
    const joined = this.#ownCopyOf(before);
    for (const name of Object.keys(value))
      setMember(joined, name, this.merged(name, member(before, name), value[name], depth));
    return joined;
  }

  /** What was joined so far stays as it is from now on. */
  release(): void {
    this.#own = new WeakMap();
  }

  #ownCopyOf(object: JsonObject): Record<string, unknown> {
    const own = this.#own.get(object);
    if (own !== undefined) return own;
    const copy = { ...object };
    this.#own.set(copy, copy);
    return copy;
  }
}

/** A list that arrives in pieces. An element that is sent again is kept once. */
class List {
  readonly elements: unknown[] = [];
  readonly #merger: Merger;
  readonly #seen = new Set<string>();
  /** By index and type: where a piece of reasoning is that may go on. */
  readonly #open = new Map<string, number>();

  constructor(merger: Merger) {
    this.#merger = merger;
  }

  add(value: readonly unknown[], isReasoning: boolean): void {
    for (const element of value) {
      if (isReasoning && isJsonObject(element) && this.#continued(element)) continue;
      const text = jsonText(element);
      if (this.#seen.has(text)) continue;
      this.#seen.add(text);
      this.elements.push(element);
    }
  }

  /** Appends a piece of reasoning to the block with its index, type and id, as OpenRouter's clients do. */
  #continued(piece: JsonObject): boolean {
    const { index, type, id } = piece;
    const key = jsonText([index, type]);
    const last = this.elements.length - 1;
    const at = this.#open.get(key);
    const before = at === undefined || (index === undefined && at !== last) ? undefined : this.elements[at];
    const isSame =
      isJsonObject(before) && before['type'] === type && (id ?? before['id']) === (before['id'] ?? id);
    // Encrypted blocks come whole.
    if (!isSame || at === undefined || type === 'reasoning.encrypted') {
      this.#open.set(key, last + 1);
      return false;
    }
    this.elements[at] = this.#merger.object(before, piece);
    return true;
  }
}

/** Joins the extra fields of the deltas of one message. */
// spec 14.9
export class ExtraFields {
  readonly #fields = new Map<string, unknown>();
  readonly #merger = new Merger();

  add(fields: JsonObject): void {
    for (const [name, value] of Object.entries(fields)) {
      const before = this.#fields.get(name);
      if (Array.isArray(value)) {
        const list = before instanceof List ? before : new List(this.#merger);
        list.add(value, name === 'reasoning_details');
        this.#fields.set(name, list);
      } else if (!(before instanceof List)) this.#fields.set(name, this.#merger.merged(name, before, value));
    }
  }

  drop(name: string): void {
    this.#fields.delete(name);
  }

  /** The fields so far. */
  get(): JsonObject {
    const entries = [...this.#fields].map(
      ([name, value]) => [name, value instanceof List ? [...value.elements] : value] as const,
    );
    this.#merger.release();
    return Object.fromEntries(entries);
  }
}
