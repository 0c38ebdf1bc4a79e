/** The inside of one simulated provider: everything that its rules look at. */

import { isChatProblem, type ChatProblem, type ChatRequest } from './chat-request.ts';
import type { Outcome } from './calls.ts';
import type { ReplyFunction } from './answers/completion.ts';
import type { Dialect, RefusalFacts, RequestFacts } from './dialect.ts';
import type { Reply, StreamReply } from './exchange.ts';
import type { FaultScript } from './faults/fault-script.ts';
import type { Keyring } from './keyring.ts';
import type { Continuation, Latency, Limits, ModelOptions, QuotaStyle } from './options.ts';
import type { QuotaRule, Quotas, Spending } from './quotas/quotas.ts';

/** One simulated provider. */
export interface ProviderState {
  readonly dialect: Dialect;
  readonly keyring: Keyring;
  readonly models: readonly ModelOptions[];
  readonly limits: Limits;
  readonly latencyMs: Latency;
  readonly continues: Continuation;
  readonly script: FaultScript;
  readonly quotas: Quotas;
  readonly style: QuotaStyle;
  readonly reply: ReplyFunction;
  /** Chance, from the seed. */
  random(): number;
  /** Numbers the completions from 1. */
  nextSerial(): number;
}

/** A request as the rules see it. */
export interface IncomingRequest extends RequestFacts {
  readonly method: string;
  /** Why there is no key, when there is none. */
  readonly credentialProblem: 'missing-key' | 'bad-credentials' | undefined;
  /** The body of a chat request. */
  readonly chat: ChatRequest | ChatProblem | undefined;
}

/** A chat request that passed the door: its account, model and body are there. */
export interface IncomingChat extends IncomingRequest {
  readonly owner: NonNullable<RequestFacts['owner']>;
  readonly known: ModelOptions;
  readonly chat: ChatRequest;
}

/** What a rule decides. */
export interface RuleResult {
  readonly outcome: Outcome;
  readonly reply: Reply | StreamReply;
  readonly delayMs?: number;
  readonly fault?: 'reset' | 'hang' | 'cut';
}

const NO_REPLY: Reply = { status: 0, headers: {}, body: '' };

/** No answer at all. */
export function noAnswer(fault: 'reset' | 'hang'): RuleResult {
  return { outcome: fault, reply: NO_REPLY, fault };
}

/** A refusal in the provider's own words. */
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

/** The number of a limit for a request: a fault's, else the model's, the user's, the provider's usual one. */
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
  return state.limits[limit] ?? state.dialect.usualLimits(owner.tier, limiterOf(known))[limit];
}

/** What a chat request spends. */
export function spendingOf({ owner, known, chat, now }: IncomingChat): Spending {
  const { promptTokens, maxTokens } = chat;
  return { account: owner.name, model: limiterOf(known), promptTokens, maxTokens, now };
}

/** The model whose limits are spent; empty where there is none. */
function limiterOf(known: ModelOptions | undefined): string {
  return known?.aliasOf ?? known?.id ?? '';
}
