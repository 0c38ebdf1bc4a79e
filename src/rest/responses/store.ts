/** Keeps answers for an hour, so that a later request can go on from one by its id alone. In memory: they hold prompts. */

import type { JsonObject } from '../../core/json.ts';
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
}

const LIFETIME_MS = 60 * 60 * 1000;
/** The most characters of all requests and answers. The oldest give way. */
const MAX_CHARACTERS = 32_000_000;

function idOf({ id }: JsonObject): string | undefined {
  return typeof id === 'string' ? id : undefined;
}

/** In the order of their time, which is also that of their end. */
export class ResponseStore {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  /** By the id of an answer's item. */
  readonly #items = new Map<string, JsonObject>();
  #characters = 0;

  /** @param now - Epoch ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param characters - The length of the request and its answer, as texts. */
  put(id: string, stored: StoredResponse, characters: number): void {
    if (characters > MAX_CHARACTERS) return;
    this.#entries.set(id, { ...stored, characters, expiresAt: this.#now() + LIFETIME_MS });
    this.#characters += characters;
    for (const item of stored.output) {
      const itemId = idOf(item);
      if (itemId !== undefined) this.#items.set(itemId, item);
    }
    this.#tidy();
  }

  get(id: string): StoredResponse | undefined {
    this.#tidy();
    return this.#entries.get(id);
  }

  item(id: string): JsonObject | undefined {
    this.#tidy();
    return this.#items.get(id);
  }

  delete(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    this.#characters -= entry.characters;
    for (const item of entry.output) this.#items.delete(idOf(item) ?? '');
    return true;
  }

  #tidy(): void {
    const now = this.#now();
    for (const [id, { expiresAt }] of this.#entries) {
      if (expiresAt > now && this.#characters <= MAX_CHARACTERS) return;
      this.delete(id);
    }
  }
}

/** The item that a reference names, or the item itself. Undefined if a reference leads nowhere. */
export function resolved(item: JsonObject, store: ResponseStore): JsonObject | undefined {
  return typeOf(item) === 'item_reference' ? store.item(idOf(item) ?? '') : item;
}
