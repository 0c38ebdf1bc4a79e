/** Answers without streaming, and the faults in them. */

import type { Completion } from './completion.ts';
import { firstHalf, type JsonObject, type Reply } from '../exchange.ts';
import type { EmptyForm, Fault } from '../faults/fault.ts';
import type { IncomingChat, IncomingRequest, ProviderState, RuleResult } from '../provider-state.ts';
import { wholeReply } from './odd-answer.ts';

export const ANSWER_FAULTS = [
  'error-in-200',
  'empty',
  'malformed',
  'garbage',
  'cut',
  'content-filter',
] as const;
export type AnswerFault = Extract<Fault, { readonly kind: (typeof ANSWER_FAULTS)[number] }>;

export function withBody(reply: Reply, body: JsonObject): Reply {
  return { ...reply, body: JSON.stringify(body) };
}

/** The provider's own error body with the status 200. */
export function errorInside(state: ProviderState, incoming: IncomingRequest): Reply {
  const reply = state.dialect.refuse['server-error']({ status: 502 }, incoming);
  return { ...reply, status: 200 };
}

function failedChoice(reply: Reply): Reply {
  const message = { role: 'assistant', content: '' };
  const error = { code: 502, message: 'Provider disconnected mid-stream' };
  return withBody(reply, { choices: [{ index: 0, message, finish_reason: 'error', error }], usage: {} });
}

export function withoutContent(completion: Completion): Completion {
  return { ...completion, text: '', reasoning: undefined, toolCalls: [], completionTokens: 0 };
}

/** The completion of a model that spent all its tokens before the first word. */
export function outOfTokens(completion: Completion): Completion {
  return { ...withoutContent(completion), finishReason: 'length' };
}

export function withContentFiltered(completion: Completion): Completion {
  return { ...completion, text: '', toolCalls: [], finishReason: 'content_filter' };
}

export function plainReply({ dialect }: ProviderState, completion: Completion): Reply {
  const { body, headers } = dialect.complete(completion);
  return { status: 200, headers, body: JSON.stringify(body) };
}

function emptyReply(as: EmptyForm, state: ProviderState, completion: Completion): Reply {
  switch (as) {
    case 'length':
      return plainReply(state, outOfTokens(completion));
    case 'text':
      return plainReply(state, withoutContent(completion));
    case 'choices':
      return withBody(plainReply(state, completion), { object: 'chat.completion', choices: [] });
    case 'body':
      return { ...plainReply(state, completion), body: '' };
  }
}

function faultyAnswer(
  fault: AnswerFault,
  state: ProviderState,
  incoming: IncomingRequest,
  completion: Completion,
): RuleResult {
  const outcome = fault.kind;
  const sound = plainReply(state, completion);
  switch (fault.kind) {
    case 'error-in-200':
      return {
        outcome,
        reply: fault.as === 'choice' ? failedChoice(sound) : errorInside(state, incoming),
      };
    case 'empty':
      return { outcome, reply: emptyReply(fault.as ?? 'text', state, completion) };
    case 'malformed':
      return { outcome, reply: { ...sound, body: firstHalf(sound.body) } };
    case 'garbage':
      return { outcome, reply: withBody(sound, { choices: 'none', usage: [] }) };
    case 'cut':
      return { outcome, reply: sound, fault: 'cut' };
    case 'content-filter':
      return { outcome, reply: plainReply(state, withContentFiltered(completion)) };
  }
}

/** Sends a completion without streaming, with the first fault that applies. */
export function plainAnswer(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
): RuleResult {
  const fault = state.script.trigger(ANSWER_FAULTS, incoming);
  if (fault === undefined) return { outcome: 'served', reply: wholeReply(state, incoming, completion) };
  return faultyAnswer(fault, state, incoming, completion);
}
