/** The successful answers of a provider: completions and the model list. */

import { completionOf } from './completion.ts';
import { continueReply } from './continuation.ts';
import { embeddingReply } from '../embeddings.ts';
import { firstHalf, jsonReply, type Reply } from '../exchange.ts';
import {
  limitOf,
  spendingOf,
  type IncomingRequest,
  type IncomingChat,
  type IncomingEmbed,
  type ProviderState,
  type RuleResult,
} from '../provider-state.ts';
import type { Latency } from '../options.ts';
import { errorInside, plainAnswer, ANSWER_FAULTS, withBody, type AnswerFault } from './plain-answer.ts';
import { withRateHeaders } from '../quotas/rate-headers.ts';
import { streamAnswer } from './stream-answer.ts';

function drawLatency(state: ProviderState, latency: Latency): number {
  if (typeof latency === 'number') return latency;
  const [least, most] = latency;
  return least + Math.floor(state.random() * (most - least));
}

/** What an answer costs unless the fault says otherwise. */
const USUAL_COST = 0.00012;

/** Answers a chat request that no rule has refused. */
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
  const rest = continueReply(reply, continuing, known.continues ?? state.continues);
  const bill = state.script.trigger(['bills'], incoming);
  const cost = bill === undefined ? undefined : (bill.cost ?? USUAL_COST);
  const completion = completionOf(rest, chat, { serial: state.nextSerial(), now, model, cost });
  state.quotas.addAnswer(spendingOf(incoming), completion.completionTokens, (rule) =>
    limitOf(state, incoming, rule),
  );
  const answer = chat.stream ? streamAnswer : plainAnswer;
  const result = answer(state, incoming, completion);
  return {
    ...result,
    billed: (cost ?? 0) > 0,
    reply: withRateHeaders(state, incoming, result.reply),
    delayMs: drawLatency(state, known.latencyMs ?? state.latencyMs),
  };
}

const EMBED_FAULTS = ['malformed', 'cut', 'bad-vectors'] as const;

/** Answers a request for embeddings that no rule has refused. */
export function answerEmbed(state: ProviderState, incoming: IncomingEmbed): RuleResult {
  const { embed, known } = incoming;
  const fault = state.script.trigger(EMBED_FAULTS, incoming);
  const spoilt = fault?.kind === 'bad-vectors' ? fault : undefined;
  const reply = embeddingReply(embed, known, state.dialect.embeddings, spoilt);
  const delayMs = drawLatency(state, known.latencyMs ?? state.latencyMs);
  if (fault === undefined)
    return { outcome: 'served', reply: withRateHeaders(state, incoming, reply), delayMs };
  const outcome = fault.kind;
  if (fault.kind === 'malformed')
    return { outcome, reply: { ...reply, body: firstHalf(reply.body) }, delayMs };
  return { outcome, reply, delayMs, ...(fault.kind === 'cut' && { fault: 'cut' }) };
}

function listWithFault(
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

/** Answers with the model list. Leaves out unlisted models, and retired ones if the provider does. */
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
  return listWithFault(fault, reply, state, incoming);
}
