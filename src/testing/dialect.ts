/** The interface of a dialect, which holds all differences between providers. */

import type { ChatRequest } from './chat-request.ts';
import type { Completion } from './answers/completion.ts';
import type { JsonObject, Reply, SimulatedRequest } from './exchange.ts';
import type { EmbeddingQuirks } from './embeddings.ts';
import type { StreamEvent } from './answers/stream-event.ts';
import type { FaultTarget } from './faults/fault-script.ts';
import type { Account } from './keyring.ts';
import type { Wording } from './requirements/requirement.ts';
import type { Capability, Limits, ModelOptions, ProviderName, QuotaStyle } from './options.ts';
import type { ExceededLimit, QuotaRule } from './quotas/quotas.ts';

/** The facts about a request that a refusal can mention. */
export interface RequestFacts extends FaultTarget {
  readonly path: string;
  readonly owner: Account | undefined;
  /** The model id as spelt in the request. Empty if there is none. */
  readonly modelId: string;
  /** The model, if the provider has it. Aliases are not resolved. */
  readonly known: ModelOptions | undefined;
}

/** The reasons to refuse a request, with the facts that each refusal can mention. */
export interface RefusalFacts {
  'unknown-path': unknown;
  forbidden: unknown;
  'missing-key': unknown;
  'bad-credentials': unknown;
  unauthorized: unknown;
  leaked: unknown;
  'echo-key': { readonly status?: number | undefined };
  'out-of-credits': unknown;
  'unreadable-body': { readonly detail: string };
  'missing-model': unknown;
  'bad-request': { readonly detail: string };
  retired: unknown;
  'unknown-model': unknown;
  'not-entitled': { readonly as: 'limit-zero' | 'closed' };
  /** At least one limit. Daily limits come first. */
  'rate-limited': { readonly exceeded: readonly ExceededLimit[]; readonly style: QuotaStyle };
  'server-error': { readonly status: number };
  congested: { readonly retryAfterSeconds: number | undefined };
  moderated: { readonly chat: ChatRequest };
  'unsupported-parameters': { readonly parameters: readonly string[] };
  'unsupported-capability': { readonly capability: Capability };
  /** The model insists on another form of the request. */
  disliked: Wording;
  'context-too-long': { readonly context: number; readonly chat: ChatRequest };
}

export type RefusalReason = keyof RefusalFacts;

/** Total, so that a new reason does not compile until every dialect has an answer for it. */
export type Refusals = {
  readonly [Reason in RefusalReason]: (facts: RefusalFacts[Reason], request: RequestFacts) => Reply;
};

/** The key of a request, or the reason why it has none. */
export type Credential = { readonly key: string } | { readonly problem: 'missing-key' | 'bad-credentials' };

/** The use of one quota of an account. `used` may exceed `limit`. */
export interface Balance {
  readonly used: number;
  readonly limit: number;
}

/** Answers a request about the key itself. `quota` reads a quota of its account. */
export type AccountRoute = (request: RequestFacts, quota: (limit: keyof Limits) => Balance) => Reply;

/** One provider's paths, credentials, limits, formats and refusals. */
export interface Dialect {
  readonly name: ProviderName;
  /** The provider's real base URL. Paths are relative to it. */
  readonly baseUrl: string;
  /** Whether the model list is public. */
  readonly listsWithoutKey: boolean;
  /** Whether the model list still has retired models. */
  readonly listsRetired: boolean;
  readonly models: readonly ModelOptions[];
  /** Parameters that every model refuses. */
  readonly refuses: readonly string[];
  quotas(style: QuotaStyle): readonly QuotaRule[];
  usualLimits(tier: string, model: string): Limits;
  makeKey(random: () => number): string;
  credentialOf(request: SimulatedRequest): Credential;
  /** Normalises a model id to its form in {@link ModelOptions}. */
  modelIdOf(id: string): string;
  /** Whether the model is free of charge, and thus under the limits of the free tier. */
  isFree(model: ModelOptions): boolean;
  /** Returns the model that answers requests for this one. */
  resolve(model: ModelOptions, all: readonly ModelOptions[]): ModelOptions;
  listModels(models: readonly ModelOptions[]): Reply;
  /** Serialises a completion. */
  complete(completion: Completion): { readonly body: JsonObject; readonly headers: Reply['headers'] };
  /** Serialises a completion as a stream: all events up to `[DONE]`, comments included. */
  stream(
    completion: Completion,
    includeUsage: boolean,
  ): { readonly events: Iterable<StreamEvent>; readonly headers: Reply['headers'] };
  /** The text of keep-alive comments. */
  readonly keepAlive: string;
  /** The value of `error` when a stream fails midway. */
  readonly streamError: JsonObject;
  readonly embeddings: EmbeddingQuirks;
  /** Routes about the key itself, by method and path, e.g. `GET /key`. */
  readonly accountRoutes: Readonly<Record<string, AccountRoute>>;
  readonly refuse: Refusals;
}

/** The credential of a provider that accepts only a bearer token. */
export function bearerCredential(request: SimulatedRequest): Credential {
  const key = bearerOf(request);
  return key === undefined ? { problem: 'missing-key' } : { key };
}

/** The key in `Authorization: Bearer <key>`. */
export function bearerOf({ headers }: SimulatedRequest): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
}
