/**
 * Notes which model gave what only itself understands, and keeps it from all others. The note is a member of the field
 * `extra_content`, in which providers have members of their own: clients that keep the field keep the note, too.
 */

import dialect from '../../spec/dialect.json' with { type: 'json' };
import { isJsonObject, member } from '../core/json.ts';
import type { ChatMessage } from './request/chat-request.ts';
import { mapSame, without } from './request/copy-on-change.ts';
import { PRIVATE_FIELDS } from './request/request-shape.ts';

/** Who gave an answer. */
export interface Origin {
  readonly provider: string;
  readonly model: string;
}

const FIELD = 'extra_content';
const NOTE = 'freelm';
const REASONING: ReadonlySet<string> = new Set(dialect.privateFields.reasoning);

function nameOf({ provider, model }: Origin): string {
  return `${provider}/${model}`;
}

/** The fields of a message or a call, with a note of who gave them if any of them is private. */
// spec 13.13
export function withOrigin<Fields extends object>(fields: Fields, origin: Origin): Fields {
  if (!Object.keys(fields).some((name) => PRIVATE_FIELDS.has(name) || REASONING.has(name))) return fields;
  const content = member(fields, FIELD);
  const others = isJsonObject(content) ? content : {};
  // A member for each model: pieces of a stream that are joined give the same note.
  const note = { [nameOf(origin)]: true };
  return content === undefined || isJsonObject(content)
    ? { ...fields, [FIELD]: { ...others, [NOTE]: note } }
    : fields;
}

/** The model that a request is written for. */
export interface Addressee extends Origin {
  /** Whether it wants its reasoning back. */
  readonly wantsReasoning: boolean;
}

/** Takes the note out. What another model gave for itself goes with it. */
function withoutNote<Noted extends object>(noted: Noted, addressee: Addressee): Noted {
  const content = member(noted, FIELD);
  const note = member(content, NOTE);
  if (!isJsonObject(content) || !isJsonObject(note)) return noted;
  const givers = Object.keys(note);
  const isOwn = givers.length === 1 && givers[0] === nameOf(addressee);
  const words = without(noted, (name) => REASONING.has(name) && !(isOwn && addressee.wantsReasoning));
  if (!isOwn) return without(words, (name) => PRIVATE_FIELDS.has(name));
  const rest = without(content, (name) => name === NOTE);
  if (Object.keys(rest).length === 0) return without(words, (name) => name === FIELD);
  return { ...words, [FIELD]: rest };
}

/** The messages for one model: without the notes, and without what other models gave for themselves. */
// spec 12.8
export function forModel(messages: readonly ChatMessage[], addressee: Addressee): readonly ChatMessage[] {
  return mapSame(messages, (given) => {
    const message = withoutNote(given, addressee);
    const { tool_calls: calls } = message;
    if (!Array.isArray(calls)) return message;
    const own = mapSame<unknown>(calls, (call) => (isJsonObject(call) ? withoutNote(call, addressee) : call));
    return own === calls ? message : { ...message, tool_calls: own };
  });
}

function isNoted(value: unknown): boolean {
  return member(member(value, FIELD), NOTE) !== undefined;
}

/** Whether messages have notes of who gave what. */
export function hasNotes(messages: readonly ChatMessage[]): boolean {
  return messages.some((message) => {
    const { tool_calls: calls } = message;
    return isNoted(message) || (Array.isArray(calls) && calls.some(isNoted));
  });
}
