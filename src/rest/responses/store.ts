/**
 * Keeps answers for an hour, so that a later request can continue one by its id alone. Keeps them in memory and, if
 * there is one, in an archive that all processes of a user share. Both contain prompts.
 */

import { elementsOf, isJsonObject, type JsonObject, member, parseJson } from '../../core/json.ts';
import type { RestPorts } from '../protocol.ts';
import { typeOf } from './input.ts';

/** An answer, and the conversation up to and including it. */
export interface StoredResponse {
  readonly response: JsonObject;
  /** Items before the answer. Turns of one conversation share them. */
  readonly input: readonly JsonObject[];
  readonly output: readonly JsonObject[];
}

interface Entry extends StoredResponse {
  readonly expiresAt: number;
  readonly characters: number;
  /** Whether the archive has it as well. If so, it is gone once the archive has removed it. */
  readonly isArchived: boolean;
}

interface StoredItem {
  readonly item: JsonObject;
  readonly responseId: string;
}

const LIFETIME_MS = 60 * 60 * 1000;
/** The most characters of all requests and answers. The oldest are removed first. */
const MAX_CHARACTERS = 32_000_000;

/** The id of an item contains that of its response. */
const ITEM_ID = /^[a-z]+_(.+)_\d+$/;

function idOf({ id }: JsonObject): string | undefined {
  return typeof id === 'string' ? id : undefined;
}

/** An answer in the archive, unless the text is that of another one or of something else. */
function archivedIn(text: string, id: string): Omit<Entry, 'isArchived'> | undefined {
  const value = parseJson(text);
  const response = member(value, 'response');
  const expiresAt = member(value, 'expiresAt');
  if (!isJsonObject(response) || typeof expiresAt !== 'number' || idOf(response) !== id) return undefined;
  const itemsOf = (name: string): readonly JsonObject[] =>
    elementsOf(member(value, name)).filter(isJsonObject);
  return {
    response,
    input: itemsOf('input'),
    output: itemsOf('output'),
    expiresAt,
    characters: text.length,
  };
}

export type StorePorts = Pick<RestPorts, 'now' | 'archive' | 'redact'>;

/**
 * Keeps answers in the order of their creation, in which they also expire. Only answers from the archive break this
 * order.
 */
export class ResponseStore {
  readonly #ports: StorePorts;
  readonly #entries = new Map<string, Entry>();
  /** By the id of an answer's item. */
  readonly #items = new Map<string, StoredItem>();
  #characters = 0;

  constructor(ports: StorePorts) {
    this.#ports = ports;
  }

  /** @param characters - The length of the request and its answer, as texts. */
  put(id: string, stored: StoredResponse, characters: number): void {
    if (characters > MAX_CHARACTERS) return;
    const { now, archive, redact } = this.#ports;
    const expiresAt = now() + LIFETIME_MS;
    // No key of the pool goes into a file, not even one that a prompt contains.
    const isArchived =
      archive?.write(id, redact(JSON.stringify({ expiresAt, ...stored })), expiresAt) ?? false;
    this.#keep(id, { ...stored, characters, expiresAt, isArchived });
  }

  get(id: string): StoredResponse | undefined {
    this.#tidy();
    const { archive } = this.#ports;
    const entry = this.#entries.get(id);
    if (archive === undefined || entry?.isArchived === false) return entry;
    if (!archive.has(id)) {
      this.#forget(id);
      return undefined;
    }
    return entry ?? this.#read(id);
  }

  item(id: string): JsonObject | undefined {
    const responseId = this.#items.get(id)?.responseId ?? id.replace(ITEM_ID, 'resp_$1');
    if (this.get(responseId) === undefined) return undefined;
    return this.#items.get(id)?.item;
  }

  delete(id: string): boolean {
    this.#tidy();
    const wasArchived = this.#ports.archive?.remove(id) ?? false;
    return this.#forget(id) || wasArchived;
  }

  #read(id: string): StoredResponse | undefined {
    const text = this.#ports.archive?.read(id);
    const found = text === undefined ? undefined : archivedIn(text, id);
    if (found !== undefined) this.#keep(id, { ...found, isArchived: true });
    return found;
  }

  #keep(id: string, entry: Entry): void {
    this.#entries.set(id, entry);
    this.#characters += entry.characters;
    for (const item of entry.output) {
      const itemId = idOf(item);
      if (itemId !== undefined) this.#items.set(itemId, { item, responseId: id });
    }
    this.#tidy();
  }

  #forget(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    this.#characters -= entry.characters;
    for (const item of entry.output) this.#items.delete(idOf(item) ?? '');
    return true;
  }

  #tidy(): void {
    const now = this.#ports.now();
    for (const [id, { expiresAt }] of this.#entries) {
      if (expiresAt > now && this.#characters <= MAX_CHARACTERS) return;
      this.#forget(id);
    }
  }
}

/** The item that a reference names, or the item itself. Undefined if a reference leads nowhere. */
export function resolved(item: JsonObject, store: ResponseStore): JsonObject | undefined {
  return typeOf(item) === 'item_reference' ? store.item(idOf(item) ?? '') : item;
}
