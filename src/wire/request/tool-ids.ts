/** Tool calls and their results: each call with an id of its own, each result directly after its call. */

import { elementsOf, isJsonObject, member } from '../../core/json.ts';
import type { ChatMessage } from './chat-request.ts';
import { mapSame } from './copy-on-change.ts';

type Messages = readonly ChatMessage[];

function idsOf({ tool_calls: calls }: ChatMessage): readonly unknown[] {
  return elementsOf(calls).map((call) => member(call, 'id'));
}

/** All ids of calls and results. */
export function toolIdsOf(messages: Messages): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const message of messages) {
    for (const id of [...idsOf(message), message.tool_call_id]) if (typeof id === 'string') ids.add(id);
  }
  return ids;
}

function isOfTools({ role, tool_calls: calls }: ChatMessage): boolean {
  return role === 'tool' || calls !== undefined;
}

/** Whether nothing has to change, which is usual. */
function areSound(messages: Messages): boolean {
  const known = new Set<unknown>();
  let open: ReadonlySet<unknown> = new Set();
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.has(message.tool_call_id)) return false;
      continue;
    }
    const ids = message.tool_calls === undefined ? [] : idsOf(message);
    open = new Set(ids);
    for (const id of ids) {
      if (typeof id !== 'string' || id === '' || known.has(id)) return false;
      known.add(id);
    }
  }
  return true;
}

/** Gives the calls of a conversation ids of their own, in order. */
class CallIds {
  readonly #taken: Set<string>;
  readonly #used = new Set<string>();
  /** By the id as given: the calls of its latest turn that have no result yet. */
  readonly #waiting = new Map<string, { readonly ids: string[]; answered: number }>();
  /** By the beginning of an id: the number that was last tried at its end. */
  readonly #numbers = new Map<string, number>();

  constructor(messages: Messages) {
    this.#taken = new Set(toolIdsOf(messages));
  }

  rename(message: ChatMessage): ChatMessage {
    if (message.role === 'tool') return this.#renameResult(message);
    const { tool_calls: calls } = message;
    if (!Array.isArray(calls)) return message;
    for (const id of idsOf(message)) this.#waiting.delete(textOf(id));
    const renamed = mapSame<unknown>(calls, (call) => this.#renameCall(call));
    return renamed === calls ? message : { ...message, tool_calls: renamed };
  }

  #renameCall(call: unknown): unknown {
    if (!isJsonObject(call)) return call;
    const given = textOf(member(call, 'id'));
    const id = given === '' || this.#used.has(given) ? this.#next(given || 'call') : given;
    this.#used.add(id);
    const waiting = this.#waiting.get(given);
    if (waiting === undefined) this.#waiting.set(given, { ids: [id], answered: 0 });
    else waiting.ids.push(id);
    return id === given ? call : { ...call, id };
  }

  #renameResult(message: ChatMessage): ChatMessage {
    const given = message.tool_call_id;
    const waiting = this.#waiting.get(textOf(given));
    const id = waiting?.ids[waiting.answered] ?? given;
    if (waiting !== undefined) waiting.answered += 1;
    return id === given ? message : { ...message, tool_call_id: id };
  }

  #next(base: string): string {
    let number = (this.#numbers.get(base) ?? 1) + 1;
    while (this.#taken.has(`${base}_${number}`)) number += 1;
    this.#numbers.set(base, number);
    const id = `${base}_${number}`;
    this.#taken.add(id);
    return id;
  }
}

function textOf(id: unknown): string {
  return typeof id === 'string' ? id : '';
}

/** Moves later results to their calls. */
function withResultsAfterCalls(messages: Messages): Messages {
  const places = new Map<unknown, number[]>();
  for (const [place, { role, tool_call_id: id }] of messages.entries()) {
    if (role !== 'tool') continue;
    const known = places.get(id);
    if (known === undefined) places.set(id, [place]);
    else known.push(place);
  }
  const placed = new Set<number>();
  const ordered: ChatMessage[] = [];
  for (const [place, message] of messages.entries()) {
    if (placed.has(place)) continue;
    ordered.push(message);
    const later = message.role === 'tool' ? [] : idsOf(message).flatMap((id) => places.get(id) ?? []);
    for (const next of new Set(later.toSorted((a, b) => a - b))) {
      const result = messages[next];
      if (next <= place || placed.has(next) || result === undefined) continue;
      placed.add(next);
      ordered.push(result);
    }
  }
  return ordered.every((message, place) => message === messages[place]) ? messages : ordered;
}

/**
 * Renames calls whose id is missing or taken by an earlier call, and their results in order. Moves results directly
 * after their calls.
 */
export function withSoundToolIds(messages: Messages): Messages {
  if (!messages.some(isOfTools) || areSound(messages)) return messages;
  const ids = new CallIds(messages);
  return withResultsAfterCalls(mapSame(messages, (message) => ids.rename(message)));
}
