/** The state of one simulated provider, and requests as its rules see them. */

import { isChatProblem, type ChatProblem, type ChatRequest } from './chat-request.ts';
import type { Outcome } from './calls.ts';
import type { ReplyFunction } from './answers/completion.ts';
import type { Dialect, RefusalFacts, RequestFacts } from './dialect.ts';
import { type EmbedRequest, isEmbedProblem } from './embeddings.ts';
import type { Reply, StreamReply } from './exchange.ts';
import type { FaultScript } from './faults/fault-script.ts';
import type { Keyring } from './keyring.ts';
import type { Continuation, Latency, Limits, ModelOptions, ProviderOptions, QuotaStyle } from './options.ts';
import type { QuotaRule, Quotas, Spending } from './quotas/quotas.ts';

export interface ProviderState {
  readonly dialect: Dialect;
  readonly keyring: Keyring;
  readonly models: readonly ModelOptions[];
  readonly limits: Limits;
  readonly latencyMs: Latency;
  readonly continues: Continuation;
  readonly requirements: NonNullable<ProviderOptions['requirements']>;
  readonly script: FaultScript;
  readonly quotas: Quotas;
  readonly style: QuotaStyle;
  readonly reply: ReplyFunction;
  /** A seeded random number in [0, 1). */
  random(): number;
  /** The number of the next completion, from 1. */
  nextSerial(): number;
}

export interface IncomingRequest extends RequestFacts {
  readonly method: string;
  /** The reason why there is no key, if there is none. */
  readonly credentialProblem: 'missing-key' | 'bad-credentials' | undefined;
  /** The body. `undefined` unless the route is `chat`. */
  readonly chat: ChatRequest | ChatProblem | undefined;
  /** The body. `undefined` unless the route is `embeddings`. */
  readonly embed: EmbedRequest | ChatProblem | undefined;
}

/** A request for embeddings with a known account, a known model and a valid body. */
export interface IncomingEmbed extends IncomingRequest {
  readonly owner: NonNullable<RequestFacts['owner']>;
  readonly known: ModelOptions;
  readonly embed: EmbedRequest;
}

/** A chat request with a known account, a known model and a valid body. */
export interface IncomingChat extends IncomingRequest {
  readonly owner: NonNullable<RequestFacts['owner']>;
  readonly known: ModelOptions;
  readonly chat: ChatRequest;
}

export interface RuleResult {
  readonly outcome: Outcome;
  readonly reply: Reply | StreamReply;
  readonly delayMs?: number;
  readonly fault?: 'reset' | 'hang' | 'cut';
  /** Whether the answer stated a price above 0. */
  readonly billed?: boolean | undefined;
}

const NO_REPLY: Reply = { status: 0, headers: {}, body: '' };

export function noAnswer(fault: 'reset' | 'hang'): RuleResult {
  return { outcome: fault, reply: NO_REPLY, fault };
}

/** A refusal in the provider's own format. */
export function refuse<Reason extends Exclude<keyof RefusalFacts, 'rate-limited'>>(
  { dialect }: ProviderState,
  request: RequestFacts,
  reason: Reason,
  facts: RefusalFacts[Reason],
): RuleResult {
  return { outcome: reason, reply: dialect.refuse[reason](facts, request) };
}

export function isIncomingChat(incoming: IncomingRequest): incoming is IncomingChat {
  const { owner, known, chat } = incoming;
  return owner !== undefined && known !== undefined && chat !== undefined && !isChatProblem(chat);
}

export function isIncomingEmbed(incoming: IncomingRequest): incoming is IncomingEmbed {
  const { owner, known, embed } = incoming;
  return owner !== undefined && known !== undefined && embed !== undefined && !isEmbedProblem(embed);
}

/** The value of a limit: from a fault, else from the model, the options, or the provider's usual limits. */
export function limitOf(
  state: ProviderState,
  { owner, known, ...target }: RequestFacts & Pick<IncomingChat, 'owner'>,
  { limit, setBy }: QuotaRule,
): number | undefined {
  const changed = state.script.active(['limits'], { ...target, route: 'chat' }).find((fault) => {
    const source = fault.model === undefined ? 'provider' : 'model';
    return fault[limit] !== undefined && setBy.includes(source);
  });
  if (changed !== undefined) return changed[limit];
  const own = setBy.includes('model') ? known?.limits?.[limit] : undefined;
  if (own !== undefined || !setBy.includes('provider')) return own;
  return state.limits[limit] ?? state.dialect.usualLimits(owner.tier, limitedModelOf(known))[limit];
}

export function spendingOf(incoming: IncomingChat | IncomingEmbed): Spending {
  const { owner, known, now } = incoming;
  const spender = { account: owner.name, model: limitedModelOf(known), now };
  if (isIncomingEmbed(incoming)) {
    const { promptTokens, inputs } = incoming.embed;
    return { ...spender, promptTokens, maxTokens: 0, inputs: inputs.length };
  }
  const { promptTokens, maxTokens } = incoming.chat;
  return { ...spender, promptTokens, maxTokens };
}

/** The id of the model whose limits apply. Empty if there is none. */
function limitedModelOf(known: ModelOptions | undefined): string {
  return known?.aliasOf ?? known?.id ?? '';
}
