/** Function names that every provider takes. Some refuse a digit at the start, other signs, or more than 64 characters. */

import { elementsOf, isJsonObject, member } from '../../core/json.ts';
import type { ChatMessage, ChatRequest } from './chat-request.ts';
import { mapSame } from './copy-on-change.ts';

const MAX_LENGTH = 64;
const LAWFUL = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

function nameIn(value: unknown): unknown {
  return member(member(value, 'function'), 'name');
}

/** All function names of a request: those of its tools first, so that a name stays the same as the conversation grows. */
function namesOf({ messages, fields }: ChatRequest): ReadonlySet<string> {
  const found = [
    ...elementsOf(fields['tools']).map(nameIn),
    nameIn(fields['tool_choice']),
    ...messages.flatMap(({ role, name, tool_calls: calls }) => [
      role === 'tool' ? name : undefined,
      ...elementsOf(calls).map(nameIn),
    ]),
  ];
  return new Set(found.filter((name) => typeof name === 'string'));
}

/** Finds lawful names. */
class LawfulNames {
  readonly #taken: Set<string>;
  /** By the beginning of a name: the first number that may be free. Counting from 2 each time would take the square. */
  readonly #next = new Map<string, number>();

  constructor(taken: ReadonlySet<string>) {
    this.#taken = new Set(taken);
  }

  nameFor(given: string): string {
    const signs = given.replaceAll(/[^A-Za-z0-9_-]/g, '_');
    const name = (/^[A-Za-z_]/.test(signs) ? signs : `_${signs}`).slice(0, MAX_LENGTH);
    let next = name;
    let number = this.#next.get(name) ?? 2;
    for (; this.#taken.has(next); number += 1) {
      const suffix = `_${number}`;
      next = name.slice(0, MAX_LENGTH - suffix.length) + suffix;
    }
    this.#next.set(name, number);
    this.#taken.add(next);
    return next;
  }
}

/** By each unlawful name of a request: the lawful one that is sent in its place. No two names become one. */
export function lawfulNamesOf(request: ChatRequest): ReadonlyMap<string, string> {
  const names = namesOf(request);
  const lawful = new Map<string, string>();
  const found = new LawfulNames(names);
  for (const name of names) if (!LAWFUL.test(name)) lawful.set(name, found.nameFor(name));
  return lawful;
}

/** The request with lawful names in its tools, its choice of a tool, and its calls and results. */
export function withLawfulNames(request: ChatRequest): ChatRequest {
  const lawful = lawfulNamesOf(request);
  if (lawful.size === 0) return request;
  const sent = (name: unknown): string | undefined =>
    typeof name === 'string' ? lawful.get(name) : undefined;
  const renamed = (value: unknown): unknown => {
    const name = sent(nameIn(value));
    const called = member(value, 'function');
    if (name === undefined || !isJsonObject(value) || !isJsonObject(called)) return value;
    return { ...value, function: { ...called, name } };
  };
  const renamedAll = (list: unknown): unknown =>
    Array.isArray(list) ? mapSame<unknown>(list, renamed) : list;
  const messages = mapSame(request.messages, (message): ChatMessage => {
    const name = message.role === 'tool' ? sent(message.name) : undefined;
    const result = name === undefined ? message : { ...message, name };
    const { tool_calls: calls } = result;
    if (!Array.isArray(calls)) return result;
    const changed = mapSame<unknown>(calls, renamed);
    return changed === calls ? result : { ...result, tool_calls: changed };
  });
  const { tools, tool_choice: choice } = request.fields;
  const changes = { tools: renamedAll(tools), tool_choice: renamed(choice) };
  const isSame = changes.tools === tools && changes.tool_choice === choice;
  return { messages, fields: isSame ? request.fields : { ...request.fields, ...changes } };
}
