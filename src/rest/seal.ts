/**
 * What a provider gave for itself with an answer, such as a signature, and wants back in the next turn. No protocol has a field
 * for it, but clients return some texts unharmed: the signatures of thinking blocks and the data of redacted ones (Messages),
 * and the encrypted content of reasoning (Responses). So these carry it as an opaque text.
 */

import { isJsonObject, type JsonObject, member, parseJson } from '../core/json.ts';
import { jsonExcess } from '../core/json-scan.ts';
import { PRIVATE_FIELDS } from '../wire/request/request-shape.ts';
import type { ToolCall } from '../wire/response/chat-response.ts';
import { extraFieldsOf } from '../wire/response/message.ts';
import { BODY_BOUNDS } from './body.ts';

export interface PrivateFields {
  /** Those of the message. */
  readonly message: JsonObject;
  /** Those of its tool calls, by the call's id. */
  readonly calls: Readonly<Record<string, JsonObject>>;
}

/** Marks texts that were made here. A client may also send those of other servers. */
const PREFIX = 'freelm.';

export const NOTHING: PrivateFields = { message: {}, calls: {} };

function privateIn(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => PRIVATE_FIELDS.has(name)));
}

function callsIn(calls: Iterable<readonly [id: string, fields: JsonObject]>): PrivateFields['calls'] {
  const entries = [...calls].map(([id, fields]) => [id, privateIn(fields)] as const);
  return Object.fromEntries(entries.filter(([, fields]) => Object.keys(fields).length > 0));
}

/** The private fields of an answer: of its message as the provider sent it, and of its calls. */
export function privateFieldsOf(message: JsonObject, calls: readonly ToolCall[] = []): PrivateFields {
  return {
    message: privateIn(extraFieldsOf(message) ?? {}),
    calls: callsIn(calls.map((call) => [call.id, call])),
  };
}

export function seal(fields: PrivateFields): string {
  return PREFIX + Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** The fields in a sealed text; undefined for any other text. Only private fields count, whatever a client sends. */
export function unseal(text: unknown): PrivateFields | undefined {
  if (typeof text !== 'string' || !text.startsWith(PREFIX)) return undefined;
  const json = Buffer.from(text.slice(PREFIX.length), 'base64url').toString();
  if (jsonExcess(json, BODY_BOUNDS) !== undefined) return undefined;
  const value = parseJson(json);
  const message = member(value, 'message');
  const calls = Object.entries(member(value, 'calls') ?? {}).flatMap(([id, fields]) =>
    isJsonObject(fields) ? [[id, fields] as const] : [],
  );
  return { message: isJsonObject(message) ? privateIn(message) : {}, calls: callsIn(calls) };
}
