/** Answers that are whole, but oddly written. */

import { isJsonObject, type JsonObject } from '../exchange.ts';
import { DONE, dataEvent, type StreamEvent } from './stream-event.ts';

/** Each applies to answers without streaming, to streams, or to both, as its comment says. */
export type Oddity =
  /** Both: no `usage`. */
  | 'no-usage'
  /** Both: a `null` before each choice. */
  | 'null-choice'
  /** Both: a `null` before each tool call. */
  | 'null-tool-call'
  /** Both: `reasoning_details`, in a stream in a chunk of its own after the last token. */
  | 'reasoning-details'
  /** Both: a JSON body, followed by `data: [DONE]`. */
  | 'json-then-done'
  /** Both: a compressed body, whatever the client accepts. */
  | 'gzip'
  | 'br'
  | 'deflate'
  /** Without streaming: a stream. */
  | 'stream-instead'
  /** Stream: no finish reason before `[DONE]`. */
  | 'no-finish-reason'
  /** Stream: `data: null` after each event. */
  | 'null-chunks'
  /** Stream: each fragment of a tool call has an index of its own. */
  | 'drifting-indexes'
  /** Stream: all tool calls have the index 0 and no id. */
  | 'one-index';

type Events = readonly StreamEvent[];

/** How an oddity changes the JSON of a whole answer or of a chunk, or the events of a stream. */
interface Form {
  readonly body?: (body: JsonObject) => JsonObject;
  /** Returns a function with the state of one stream. */
  readonly chunk?: () => (chunk: JsonObject) => JsonObject;
  readonly events?: (events: Events) => Events;
}

const DETAILS = [{ type: 'reasoning.text', text: 'Let me think.', format: 'unknown', index: 0 }];

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function withoutUsage(json: JsonObject): JsonObject {
  const { usage: _, ...rest } = json;
  return rest;
}

function withNullChoice(json: JsonObject): JsonObject {
  return { ...json, choices: [null, ...listOf(json['choices'])] };
}

/** Changes the message or delta of each choice. */
function inChoices(json: JsonObject, change: (message: JsonObject) => JsonObject): JsonObject {
  const choices = listOf(json['choices']).map((choice) => {
    if (!isJsonObject(choice)) return choice;
    const { message, delta } = choice;
    if (isJsonObject(message)) return { ...choice, message: change(message) };
    return isJsonObject(delta) ? { ...choice, delta: change(delta) } : choice;
  });
  return { ...json, choices };
}

/** Changes the list of tool calls of each choice. */
function inCalls(json: JsonObject, change: (calls: readonly unknown[]) => readonly unknown[]): JsonObject {
  return inChoices(json, (message) => {
    const calls = listOf(message['tool_calls']);
    return calls.length === 0 ? message : { ...message, tool_calls: change(calls) };
  });
}

function withNullCall(json: JsonObject): JsonObject {
  return inCalls(json, (calls) => [null, ...calls]);
}

function withDetails(events: Events): Events {
  const details = { choices: [{ index: 0, delta: { reasoning_details: DETAILS }, finish_reason: null }] };
  return events.flatMap((event, index) => {
    const isLast = event.kind === 'token' && !events.slice(index + 1).some(({ kind }) => kind === 'token');
    return isLast ? [event, dataEvent('token', details)] : [event];
  });
}

function drifting(): (chunk: JsonObject) => JsonObject {
  let index = -1;
  return (chunk) =>
    inCalls(chunk, (calls) =>
      calls.map((call) => {
        index += 1;
        return isJsonObject(call) ? { ...call, index } : call;
      }),
    );
}

function atOneIndex(chunk: JsonObject): JsonObject {
  return inCalls(chunk, (calls) =>
    calls.map((call) => {
      if (!isJsonObject(call)) return call;
      const { id: _, ...rest } = call;
      return { ...rest, index: 0 };
    }),
  );
}

/** Both, where the same change of the JSON does. */
function everywhere(change: (json: JsonObject) => JsonObject): Form {
  return { body: change, chunk: () => change };
}

const NULL_CHUNK = dataEvent('token', null);

/** Total, so that a new oddity does not compile until it has an entry here. The others are applied to the bytes. */
const FORMS: Readonly<Record<Exclude<Oddity, OddityOfBytes>, Form>> = {
  'no-usage': everywhere(withoutUsage),
  'null-choice': everywhere(withNullChoice),
  'null-tool-call': everywhere(withNullCall),
  'reasoning-details': {
    body: (body) => inChoices(body, (message) => ({ ...message, reasoning_details: DETAILS })),
    events: withDetails,
  },
  'no-finish-reason': {
    events: (events) => events.filter(({ kind }) => kind !== 'finish' && kind !== 'usage'),
  },
  'null-chunks': {
    events: (events) => events.flatMap((event) => (event === DONE ? [event] : [event, NULL_CHUNK])),
  },
  'drifting-indexes': { chunk: drifting },
  'one-index': { chunk: () => atOneIndex },
};

const OF_BYTES = ['json-then-done', 'gzip', 'br', 'deflate', 'stream-instead'] as const;
type OddityOfBytes = (typeof OF_BYTES)[number];
const ENCODINGS: ReadonlySet<Oddity> = new Set(['gzip', 'br', 'deflate']);

function isOfBytes(oddity: Oddity): oddity is OddityOfBytes {
  return OF_BYTES.some((name) => name === oddity);
}

/** Whether an oddity applies to an answer. */
export function suits(oddity: Oddity, isStream: boolean): boolean {
  if (isOfBytes(oddity)) return oddity !== 'stream-instead' || !isStream;
  const { body, chunk, events } = FORMS[oddity];
  return isStream ? (chunk ?? events) !== undefined : body !== undefined;
}

/** The JSON of an answer without streaming. */
export function oddBody(body: JsonObject, oddities: readonly Oddity[]): JsonObject {
  let odd = body;
  for (const oddity of oddities) if (!isOfBytes(oddity)) odd = FORMS[oddity].body?.(odd) ?? odd;
  return odd;
}

function oddEvent(event: StreamEvent, change: (chunk: JsonObject) => JsonObject): StreamEvent {
  if (event.kind === 'comment' || event.kind === 'done') return event;
  const chunk: unknown = JSON.parse(event.text.replace(/^data: /, ''));
  return isJsonObject(chunk) ? { ...event, text: `data: ${JSON.stringify(change(chunk))}` } : event;
}

/** The events of a stream. */
export function oddEvents(events: Iterable<StreamEvent>, oddities: readonly Oddity[]): Events {
  let odd: Events = [...events];
  for (const oddity of oddities) {
    if (isOfBytes(oddity)) continue;
    const { chunk, events: change } = FORMS[oddity];
    odd = change?.(odd) ?? odd;
    const changeChunk = chunk?.();
    if (changeChunk !== undefined) odd = odd.map((event) => oddEvent(event, changeChunk));
  }
  return odd;
}

/** The header of a compressed body. The transport compresses it. */
export function encodingHeaders(oddities: readonly Oddity[]): Readonly<Record<string, string>> {
  const encoding = oddities.find((oddity) => ENCODINGS.has(oddity));
  return encoding === undefined ? {} : { 'Content-Encoding': encoding };
}
