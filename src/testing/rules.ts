/** The rules of a provider. They run in order until one of them returns a result. */

import { filteredCompletion } from './answers/completion.ts';
import type { Balance } from './dialect.ts';
import {
  isIncomingChat,
  isIncomingEmbed,
  limitOf,
  refuse,
  noAnswer,
  spendingOf,
  type IncomingRequest,
  type IncomingChat,
  type IncomingEmbed,
  type ProviderState,
  type RuleResult,
} from './provider-state.ts';
import { textReply, withRetryAfter } from './exchange.ts';
import type { FaultEffect } from './faults/fault.ts';
import { OFFENCES } from './requirements/offences.ts';
import { wordingOf } from './requirements/wordings.ts';
import type { Capability, Limits, ModelOptions } from './options.ts';
import { withRateHeaders } from './quotas/rate-headers.ts';
import { answerChat, answerEmbed, answerModelList } from './answers/answer.ts';
import { refusedEmbedding } from './embeddings.ts';
import { streamReply } from './answers/stream-answer.ts';

/** Returns a result, or `undefined` to pass the request on to the next rule. */
type Rule = (state: ProviderState, incoming: IncomingRequest) => RuleResult | undefined;
type ChatRule = (state: ProviderState, incoming: IncomingChat) => RuleResult | undefined;

const GATEWAY_PAGE =
  '<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>';

function outage(fault: Extract<FaultEffect, { kind: 'outage' }>): RuleResult {
  const { status = 502, as = 'html' } = fault;
  const bodies = {
    html: textReply(status, GATEWAY_PAGE.replaceAll('502', String(status)), 'text/html'),
    text: textReply(status, 'Service Temporarily Unavailable'),
    empty: { status, headers: {}, body: '' },
  };
  return { outcome: 'outage', reply: bodies[as] };
}

const edge: Rule = (state, incoming) => {
  const fault = state.script.trigger(['reset', 'outage', 'forbidden'], incoming);
  if (fault === undefined) return undefined;
  if (fault.kind === 'reset') return noAnswer('reset');
  return fault.kind === 'outage' ? outage(fault) : refuse(state, incoming, 'forbidden', {});
};

const credential: Rule = (state, incoming) => {
  if (incoming.route === 'models' && state.dialect.listsWithoutKey) return undefined;
  if (incoming.credentialProblem !== undefined) {
    return refuse(state, incoming, incoming.credentialProblem, {});
  }
  const fault = state.script.trigger(['unauthorized', 'leaked', 'echo-key'], incoming);
  if (fault?.kind === 'echo-key') return refuse(state, incoming, 'echo-key', fault);
  if (fault !== undefined) return refuse(state, incoming, fault.kind, {});
  if (incoming.owner === undefined) return refuse(state, incoming, 'unauthorized', {});
  return undefined;
};

const readable: Rule = (state, incoming) => {
  const chat = incoming.chat ?? incoming.embed;
  if (chat === undefined || !('kind' in chat)) return undefined;
  if (chat.kind === 'no-model') return refuse(state, incoming, 'missing-model', {});
  const reason = chat.kind === 'unreadable' ? 'unreadable-body' : 'bad-request';
  return refuse(state, incoming, reason, { detail: chat.detail });
};

const credit: Rule = (state, incoming) => {
  const { owner, known } = incoming;
  const unpaid = known !== undefined && !state.dialect.isFree(known) && owner?.tier === 'free';
  const broke = state.script.trigger(['out-of-credits'], incoming) !== undefined;
  return broke || unpaid ? refuse(state, incoming, 'out-of-credits', {}) : undefined;
};

const entitlement: Rule = (state, incoming) => {
  const { known } = incoming;
  const fault = state.script.trigger(['retired', 'unknown-model', 'not-entitled'], incoming);
  if (fault?.kind === 'not-entitled') {
    return refuse(state, incoming, 'not-entitled', { as: fault.as ?? 'limit-zero' });
  }
  if (fault !== undefined) return refuse(state, incoming, fault.kind, {});
  const output = incoming.route === 'embeddings' ? 'embeddings' : 'text';
  if (known === undefined || (known.output ?? 'text') !== output) {
    return refuse(state, incoming, 'unknown-model', {});
  }
  return known.closed === true ? refuse(state, incoming, 'not-entitled', { as: 'closed' }) : undefined;
};

function admission(state: ProviderState, incoming: IncomingChat | IncomingEmbed): RuleResult | undefined {
  if (!state.dialect.isFree(incoming.known)) return undefined;
  const exceeded = state.quotas.admit(spendingOf(incoming), (rule) => limitOf(state, incoming, rule));
  const [first] = exceeded;
  if (first === undefined) return undefined;
  if (exceeded.some(({ limit }) => limit === 0)) {
    return refuse(state, incoming, 'not-entitled', { as: 'limit-zero' });
  }
  const day = exceeded.some(({ rule }) => rule.limit === 'rpd');
  const reply = state.dialect.refuse['rate-limited']({ exceeded, style: state.style }, incoming);
  return { outcome: day ? 'day-limit' : 'minute-limit', reply: withRateHeaders(state, incoming, reply) };
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(ms / 1000);
}

const serverFault: Rule = (state, incoming) => {
  const fault = state.script.trigger(['hang', 'server-error'], incoming);
  if (fault === undefined) return undefined;
  if (fault.kind === 'hang') return noAnswer('hang');
  const { status = 500, retryAfterMs } = fault;
  const result = refuse(state, incoming, 'server-error', { status });
  return { ...result, reply: withRetryAfter(result.reply, secondsOf(retryAfterMs)) };
};

/** A provider that reports moderation in an answer with status 200 also does so in a stream. */
function moderated(state: ProviderState, incoming: IncomingChat): RuleResult {
  const { known, chat, now } = incoming;
  const result = refuse(state, incoming, 'moderated', { chat });
  if (!chat.stream || result.reply.status !== 200) return result;
  return { ...result, reply: streamReply(state, incoming, filteredCompletion(known.id, chat, now)) };
}

const upstream: ChatRule = (state, incoming) => {
  const fault = state.script.trigger(['congested', 'moderated'], incoming);
  if (fault === undefined) return undefined;
  if (fault.kind === 'moderated') return moderated(state, incoming);
  return congested(state, incoming, fault);
};

function congested(
  state: ProviderState,
  incoming: IncomingRequest,
  { retryAfterMs }: Extract<FaultEffect, { kind: 'congested' }>,
): RuleResult {
  return refuse(state, incoming, 'congested', { retryAfterSeconds: secondsOf(retryAfterMs) });
}

function lackingOf({ continues }: ProviderState, known: ModelOptions): readonly Capability[] {
  const lacks = known.lacks ?? ['vision'];
  return (known.continues ?? continues) === 'refuses-prefill' ? [...lacks, 'prefill'] : lacks;
}

const fitness: ChatRule = (state, incoming) => {
  const { known, chat } = incoming;
  const fault = state.script.trigger(['unsupported'], incoming);
  const refused = new Set([...state.dialect.refuses, ...(known.refuses ?? []), ...(fault?.parameters ?? [])]);
  const parameters = Object.keys(chat.body).filter((name) => refused.has(name));
  if (parameters.length > 0) return refuse(state, incoming, 'unsupported-parameters', { parameters });
  const lacks = new Set([...lackingOf(state, known), ...(fault?.capabilities ?? [])]);
  const capability = chat.needs.find((need) => lacks.has(need));
  if (capability !== undefined) return refuse(state, incoming, 'unsupported-capability', { capability });
  const { context = 131_072 } = known;
  return chat.promptTokens + chat.maxTokens > context
    ? refuse(state, incoming, 'context-too-long', { context, chat })
    : undefined;
};

function embedFitness(state: ProviderState, incoming: IncomingEmbed): RuleResult | undefined {
  const fault = state.script.trigger(['congested'], incoming);
  if (fault !== undefined) return congested(state, incoming, fault);
  const { embed, known } = incoming;
  const reply = refusedEmbedding(embed, known, state.dialect.embeddings);
  return reply === undefined ? undefined : { outcome: 'bad-request', reply };
}

const requirements: ChatRule = (state, incoming) => {
  const { known, chat } = incoming;
  for (const given of known.requirements ?? state.requirements) {
    const requirement = typeof given === 'string' ? { name: given } : given;
    const found = OFFENCES[requirement.name](chat);
    if (found.length > 0) return refuse(state, incoming, 'disliked', wordingOf(requirement, known.id, found));
  }
  return undefined;
};

/** Skips the rule if the request has no known account, known model or valid body. */
function forChat(rule: ChatRule): Rule {
  return (state, incoming) => (isIncomingChat(incoming) ? rule(state, incoming) : undefined);
}

/** Skips the rule if the request has no known account, known model or valid body. */
function forEmbed(rule: (state: ProviderState, incoming: IncomingEmbed) => RuleResult | undefined): Rule {
  return (state, incoming) => (isIncomingEmbed(incoming) ? rule(state, incoming) : undefined);
}

const accountRoute: Rule = (state, incoming) => {
  const route = state.dialect.accountRoutes[`${incoming.method} ${incoming.path}`];
  const { owner } = incoming;
  if (route === undefined || owner === undefined) return undefined;
  const spender = { account: owner.name, model: '', now: incoming.now };
  const quota = (limit: keyof Limits): Balance =>
    state.quotas.status(limit, spender, (rule) => limitOf(state, { ...incoming, owner }, rule)) ?? {
      used: 0,
      limit: 0,
    };
  return { outcome: 'served', reply: route(incoming, quota) };
};

const RULES: Readonly<Record<IncomingRequest['route'], readonly Rule[]>> = {
  chat: [
    edge,
    credential,
    readable,
    credit,
    entitlement,
    forChat(admission),
    serverFault,
    forChat(upstream),
    forChat(fitness),
    forChat(requirements),
    forChat(answerChat),
  ],
  embeddings: [
    edge,
    credential,
    readable,
    credit,
    entitlement,
    forEmbed(admission),
    serverFault,
    forEmbed(embedFitness),
    forEmbed(answerEmbed),
  ],
  models: [edge, credential, serverFault, answerModelList],
  account: [edge, credential, serverFault, accountRoute],
  unknown: [edge],
};

export function applyRules(state: ProviderState, incoming: IncomingRequest): RuleResult {
  for (const rule of RULES[incoming.route]) {
    const result = rule(state, incoming);
    if (result !== undefined) return result;
  }
  return refuse(state, incoming, 'unknown-path', {});
}
