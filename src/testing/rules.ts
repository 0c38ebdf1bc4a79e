/** The way of a request through a provider: one rule after the other, until one decides. */

import { isChatProblem } from './chat-request.ts';
import { filteredCompletion } from './completion.ts';
import type { Balance } from './dialect.ts';
import {
  isChatArrival,
  limitOf,
  refuse,
  silence,
  spendingOf,
  type Arrival,
  type ChatArrival,
  type House,
  type Verdict,
} from './house.ts';
import { textReply } from './exchange.ts';
import type { FaultEffect } from './fault.ts';
import type { Capability, Limits, ModelOptions } from './options.ts';
import { withRateHeaders } from './rate-headers.ts';
import { completionVerdict, listVerdict } from './serving.ts';
import { streamReply } from './stream-answer.ts';

/** Decides about a request, or leaves it to the next rule. */
type Rule = (house: House, arrival: Arrival) => Verdict | undefined;
type ChatRule = (house: House, arrival: ChatArrival) => Verdict | undefined;

const GATEWAY_PAGE =
  '<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>';

function outage(fault: Extract<FaultEffect, { kind: 'outage' }>): Verdict {
  const { status = 502, as = 'html' } = fault;
  const bodies = {
    html: textReply(status, GATEWAY_PAGE.replaceAll('502', String(status)), 'text/html'),
    text: textReply(status, 'Service Temporarily Unavailable'),
    empty: { status, headers: {}, body: '' },
  };
  return { outcome: 'outage', reply: bodies[as] };
}

const edge: Rule = (house, arrival) => {
  const fault = house.script.strike(['reset', 'outage', 'forbidden'], arrival);
  if (fault === undefined) return undefined;
  if (fault.kind === 'reset') return silence('reset');
  return fault.kind === 'outage' ? outage(fault) : refuse(house, arrival, 'forbidden', {});
};

const credential: Rule = (house, arrival) => {
  if (arrival.route === 'models' && house.dialect.listsToAll) return undefined;
  if (arrival.credentialProblem !== undefined) {
    return refuse(house, arrival, arrival.credentialProblem, {});
  }
  const fault = house.script.strike(['unauthorized', 'leaked', 'echo-key'], arrival);
  if (fault?.kind === 'echo-key') return refuse(house, arrival, 'echo-key', fault);
  if (fault !== undefined) return refuse(house, arrival, fault.kind, {});
  if (arrival.owner === undefined) return refuse(house, arrival, 'unauthorized', {});
  return undefined;
};

const readable: Rule = (house, arrival) => {
  const { chat } = arrival;
  if (chat === undefined || !isChatProblem(chat)) return undefined;
  if (chat.kind === 'no-model') return refuse(house, arrival, 'missing-model', {});
  const reason = chat.kind === 'unreadable' ? 'unreadable-body' : 'bad-request';
  return refuse(house, arrival, reason, { detail: chat.detail });
};

const credit: Rule = (house, arrival) => {
  const { owner, known } = arrival;
  const unpaid = known !== undefined && !house.dialect.isFree(known) && owner?.tier === 'free';
  const broke = house.script.strike(['out-of-credits'], arrival) !== undefined;
  return broke || unpaid ? refuse(house, arrival, 'out-of-credits', {}) : undefined;
};

const entitlement: Rule = (house, arrival) => {
  const { known } = arrival;
  const fault = house.script.strike(['retired', 'unknown-model', 'not-entitled'], arrival);
  if (fault?.kind === 'not-entitled') {
    return refuse(house, arrival, 'not-entitled', { as: fault.as ?? 'limit-zero' });
  }
  if (fault !== undefined) return refuse(house, arrival, fault.kind, {});
  if (known === undefined || (known.output ?? 'text') !== 'text') {
    return refuse(house, arrival, 'unknown-model', {});
  }
  return known.closed === true ? refuse(house, arrival, 'not-entitled', { as: 'closed' }) : undefined;
};

const admission: ChatRule = (house, arrival) => {
  if (!house.dialect.isFree(arrival.known)) return undefined;
  const denials = house.quotas.admit(spendingOf(arrival), (rule) => limitOf(house, arrival, rule));
  const [first] = denials;
  if (first === undefined) return undefined;
  if (denials.some(({ limit }) => limit === 0)) {
    return refuse(house, arrival, 'not-entitled', { as: 'limit-zero' });
  }
  const day = denials.some(({ rule }) => rule.limit === 'rpd');
  const reply = house.dialect.refuse['rate-limited']({ denials, style: house.style }, arrival);
  return { outcome: day ? 'day-limit' : 'minute-limit', reply: withRateHeaders(house, arrival, reply) };
};

const trouble: Rule = (house, arrival) => {
  const fault = house.script.strike(['hang', 'server-error'], arrival);
  if (fault === undefined) return undefined;
  if (fault.kind === 'hang') return silence('hang');
  const { status = 500, retryAfterMs } = fault;
  const verdict = refuse(house, arrival, 'server-error', { status });
  if (retryAfterMs === undefined) return verdict;
  const headers = { ...verdict.reply.headers, 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) };
  return { ...verdict, reply: { ...verdict.reply, headers } };
};

/** Where a provider lets a filter speak in an answer, it does so in a stream, too. */
function moderated(house: House, arrival: ChatArrival): Verdict {
  const { known, chat, now } = arrival;
  const verdict = refuse(house, arrival, 'moderated', { chat });
  if (!chat.stream || verdict.reply.status !== 200) return verdict;
  return { ...verdict, reply: streamReply(house, arrival, filteredCompletion(known.id, chat, now)) };
}

const upstream: ChatRule = (house, arrival) => {
  const fault = house.script.strike(['congested', 'moderated'], arrival);
  if (fault === undefined) return undefined;
  if (fault.kind === 'moderated') return moderated(house, arrival);
  const { retryAfterMs } = fault;
  const retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1000);
  return refuse(house, arrival, 'congested', { retryAfterSeconds });
};

function lackingOf({ continues }: House, known: ModelOptions): readonly Capability[] {
  const lacks = known.lacks ?? ['vision'];
  return (known.continues ?? continues) === 'refuses-prefill' ? [...lacks, 'prefill'] : lacks;
}

const fitness: ChatRule = (house, arrival) => {
  const { known, chat } = arrival;
  const fault = house.script.strike(['unsupported'], arrival);
  const refused = new Set([...house.dialect.refuses, ...(known.refuses ?? []), ...(fault?.parameters ?? [])]);
  const parameters = Object.keys(chat.body).filter((name) => refused.has(name));
  if (parameters.length > 0) return refuse(house, arrival, 'unsupported-parameters', { parameters });
  const lacks = new Set([...lackingOf(house, known), ...(fault?.capabilities ?? [])]);
  const capability = chat.needs.find((need) => lacks.has(need));
  if (capability !== undefined) return refuse(house, arrival, 'unsupported-capability', { capability });
  const { context = 131_072 } = known;
  return chat.promptTokens + chat.maxTokens > context
    ? refuse(house, arrival, 'context-too-long', { context, chat })
    : undefined;
};

/** Rules that only a request with account, model and body gets to. */
function forChat(rule: ChatRule): Rule {
  return (house, arrival) => (isChatArrival(arrival) ? rule(house, arrival) : undefined);
}

const accountRoute: Rule = (house, arrival) => {
  const route = house.dialect.accountRoutes[`${arrival.method} ${arrival.path}`];
  const { owner } = arrival;
  if (route === undefined || owner === undefined) return undefined;
  const spender = { account: owner.name, model: '', now: arrival.now };
  const quota = (limit: keyof Limits): Balance =>
    house.quotas.standing(limit, spender, (rule) => limitOf(house, { ...arrival, owner }, rule)) ?? {
      used: 0,
      limit: 0,
    };
  return { outcome: 'served', reply: route(arrival, quota) };
};

const RULES: Readonly<Record<Arrival['route'], readonly Rule[]>> = {
  chat: [
    edge,
    credential,
    readable,
    credit,
    entitlement,
    forChat(admission),
    trouble,
    forChat(upstream),
    forChat(fitness),
    forChat(completionVerdict),
  ],
  models: [edge, credential, trouble, listVerdict],
  account: [edge, credential, trouble, accountRoute],
  unknown: [edge],
};

/** What a provider does with a request. */
export function judge(house: House, arrival: Arrival): Verdict {
  for (const rule of RULES[arrival.route]) {
    const verdict = rule(house, arrival);
    if (verdict !== undefined) return verdict;
  }
  return refuse(house, arrival, 'unknown-path', {});
}
