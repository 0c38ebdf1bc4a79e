/** The answers that a provider gives gladly: completions and the model list. */

import { completionOf } from './completion.ts';
import { continueReply } from './continuation.ts';
import { jsonReply, type Reply } from '../exchange.ts';
import {
  limitOf,
  spendingOf,
  type IncomingRequest,
  type IncomingChat,
  type ProviderState,
  type RuleResult,
} from '../provider-state.ts';
import type { Latency } from '../options.ts';
import {
  errorInside,
  firstHalf,
  plainAnswer,
  ANSWER_FAULTS,
  withBody,
  type AnswerFault,
} from './plain-answer.ts';
import { withRateHeaders } from '../quotas/rate-headers.ts';
import { streamAnswer } from './stream-answer.ts';

function spanOf(state: ProviderState, latency: Latency): number {
  if (typeof latency === 'number') return latency;
  const [least, most] = latency;
  return least + Math.floor(state.random() * (most - least));
}

/** A chat request that nothing refuses. */
export function answerChat(state: ProviderState, incoming: IncomingChat): RuleResult {
  const { dialect, models } = state;
  const { chat, known, now, owner } = incoming;
  const model = dialect.resolve(known, models).id;
  const { messages, body, lastUserText, continuing } = chat;
  const reply = state.reply({
    provider: dialect.name,
    account: owner.name,
    model,
    lastUserText,
    continuing,
    messages,
    body,
  });
  const said = continueReply(reply, continuing, known.continues ?? state.continues);
  const completion = completionOf(said, chat, { serial: state.nextSerial(), now, model });
  state.quotas.answered(spendingOf(incoming), completion.completionTokens, (rule) =>
    limitOf(state, incoming, rule),
  );
  const answer = chat.stream ? streamAnswer : plainAnswer;
  const result = answer(state, incoming, completion);
  return {
    ...result,
    reply: withRateHeaders(state, incoming, result.reply),
    delayMs: spanOf(state, known.latencyMs ?? state.latencyMs),
  };
}

function faultyList(
  fault: AnswerFault,
  reply: Reply,
  state: ProviderState,
  incoming: IncomingRequest,
): RuleResult {
  const outcome = fault.kind;
  switch (fault.kind) {
    case 'error-in-200':
      return { outcome, reply: errorInside(state, incoming) };
    case 'empty':
      return {
        outcome,
        reply: fault.as === 'body' ? { ...reply, body: '' } : withBody(reply, { data: [] }),
      };
    case 'malformed':
      return { outcome, reply: { ...reply, body: firstHalf(reply.body) } };
    case 'garbage': {
      const data = [null, 42, 'model', {}, { id: 7 }, { id: '' }, [], { id: { id: 'nested' } }];
      return { outcome, reply: withBody(reply, { data }) };
    }
    case 'cut':
      return { outcome, reply, fault: 'cut' };
    case 'content-filter':
      return { outcome, reply: jsonReply(200, {}) };
  }
}

/** The model list, without what is hidden or, where the provider hides them, retired. */
export function answerModelList(state: ProviderState, incoming: IncomingRequest): RuleResult {
  const { dialect, models, script } = state;
  const retired = ({ id }: { readonly id: string }): boolean =>
    script.active(['retired', 'unknown-model'], { ...incoming, route: 'chat', model: id }).length > 0;
  const listed = models.filter(
    (model) => model.listed !== false && (dialect.listsRetired || !retired(model)),
  );
  const reply = dialect.listModels(listed);
  const fault = script.trigger(ANSWER_FAULTS, incoming);
  if (fault === undefined) return { outcome: 'served', reply };
  return faultyList(fault, reply, state, incoming);
}
