/** A chat request answered in one piece, and the faults that spoil such an answer. */

import type { Completion } from './completion.ts';
import type { JsonObject, Reply } from './exchange.ts';
import type { Fault } from './fault.ts';
import type { Arrival, House, Verdict } from './house.ts';

export const SPOILERS = ['error-in-200', 'empty', 'malformed', 'garbage', 'cut', 'content-filter'] as const;
export type Spoiler = Extract<Fault, { readonly kind: (typeof SPOILERS)[number] }>;

export function withBody(reply: Reply, body: JsonObject): Reply {
  return { ...reply, body: JSON.stringify(body) };
}

export function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

/** The provider's own error body, but with the status of a success. */
export function errorInside(house: House, arrival: Arrival): Reply {
  const reply = house.dialect.refuse['server-error']({ status: 502 }, arrival);
  return { ...reply, status: 200 };
}

function failedChoice(reply: Reply): Reply {
  const message = { role: 'assistant', content: '' };
  const error = { code: 502, message: 'Provider disconnected mid-stream' };
  return withBody(reply, { choices: [{ index: 0, message, finish_reason: 'error', error }], usage: {} });
}

/** Nothing was said. */
export function emptied(completion: Completion): Completion {
  return { ...completion, text: '', reasoning: undefined, toolCalls: [], completionTokens: 0 };
}

/** A filter stopped it. */
export function filtered(completion: Completion): Completion {
  return { ...completion, text: '', toolCalls: [], finishReason: 'content_filter' };
}

/** A sound answer. */
export function plainReply({ dialect }: House, completion: Completion): Reply {
  const { body, headers } = dialect.complete(completion);
  return { status: 200, headers, body: JSON.stringify(body) };
}

function emptyReply(as: 'text' | 'choices' | 'body', house: House, completion: Completion): Reply {
  switch (as) {
    case 'text':
      return plainReply(house, emptied(completion));
    case 'choices':
      return withBody(plainReply(house, completion), { object: 'chat.completion', choices: [] });
    case 'body':
      return { ...plainReply(house, completion), body: '' };
  }
}

function spoil(spoiler: Spoiler, house: House, arrival: Arrival, completion: Completion): Verdict {
  const outcome = spoiler.kind;
  const sound = plainReply(house, completion);
  switch (spoiler.kind) {
    case 'error-in-200':
      return {
        outcome,
        reply: spoiler.as === 'choice' ? failedChoice(sound) : errorInside(house, arrival),
      };
    case 'empty':
      return { outcome, reply: emptyReply(spoiler.as ?? 'text', house, completion) };
    case 'malformed':
      return { outcome, reply: { ...sound, body: firstHalf(sound.body) } };
    case 'garbage':
      return { outcome, reply: withBody(sound, { choices: 'none', usage: [] }) };
    case 'cut':
      return { outcome, reply: sound, fault: 'cut' };
    case 'content-filter':
      return { outcome, reply: plainReply(house, filtered(completion)) };
  }
}

/** A completion in one piece, spoilt by the first fault that strikes. */
export function plainAnswer(house: House, arrival: Arrival, completion: Completion): Verdict {
  const spoiler = house.script.strike(SPOILERS, arrival);
  if (spoiler === undefined) return { outcome: 'served', reply: plainReply(house, completion) };
  return spoil(spoiler, house, arrival, completion);
}
