/** What differs between providers: paths, credentials, windows, shapes and refusals. */

import type { ChatRequest } from './chat-request.ts';
import type { Completion } from './answers/completion.ts';
import type { JsonObject, Reply, SimulatedRequest } from './exchange.ts';
import type { StreamEvent } from './answers/stream-event.ts';
import type { FaultTarget } from './faults/fault-script.ts';
import type { Account } from './keyring.ts';
import type { Capability, Limits, ModelOptions, ProviderName, QuotaStyle } from './options.ts';
import type { ExceededLimit, QuotaRule } from './quotas/quotas.ts';

/** What is known of a request when it is refused. */
export interface RequestFacts extends FaultTarget {
  readonly path: string;
  readonly owner: Account | undefined;
  /** The model's id as the request spells it; empty when it names none. */
  readonly modelId: string;
  /** The model, where the provider has it; an alias is not resolved. */
  readonly known: ModelOptions | undefined;
}

/** Every reason to refuse a request, and what a refusal of that kind can tell. */
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
  /** At least one exceeded; those of a day come first. */
  'rate-limited': { readonly exceeded: readonly ExceededLimit[]; readonly style: QuotaStyle };
  'server-error': { readonly status: number };
  congested: { readonly retryAfterSeconds: number | undefined };
  moderated: { readonly chat: ChatRequest };
  'unsupported-parameters': { readonly parameters: readonly string[] };
  'unsupported-capability': { readonly capability: Capability };
  'context-too-long': { readonly context: number; readonly chat: ChatRequest };
}

export type RefusalReason = keyof RefusalFacts;

/** Total: a new reason does not compile until every dialect can say it. */
export type Refusals = {
  readonly [Reason in RefusalReason]: (facts: RefusalFacts[Reason], request: RequestFacts) => Reply;
};

/** The key that a request carries, or why it carries none. */
export type Credential = { readonly key: string } | { readonly problem: 'missing-key' | 'bad-credentials' };

/** Where one quota of an account stands; `used` may exceed `limit`. */
export interface Balance {
  readonly used: number;
  readonly limit: number;
}

/** Answers a question about the key; `quota` reads one of the account's quotas. */
export type AccountRoute = (request: RequestFacts, quota: (limit: keyof Limits) => Balance) => Reply;

/** One provider's way to do what all of them do. */
export interface Dialect {
  readonly name: ProviderName;
  /** Its real base URL, below which its paths are. */
  readonly baseUrl: string;
  /** Whether its model list needs no key. */
  readonly listsWithoutKey: boolean;
  /** Whether a retired model stays in the list. */
  readonly listsRetired: boolean;
  readonly models: readonly ModelOptions[];
  /** Parameters that no model accepts. */
  readonly refuses: readonly string[];
  /** What it counts. */
  quotas(style: QuotaStyle): readonly QuotaRule[];
  usualLimits(tier: string, model: string): Limits;
  makeKey(random: () => number): string;
  credentialOf(request: SimulatedRequest): Credential;
  /** The id under which {@link ModelOptions} knows a model. */
  modelIdOf(id: string): string;
  /** Whether calling the model is free of charge, and so under the limits of the free tier. */
  isFree(model: ModelOptions): boolean;
  /** The model that answers when this one is asked. */
  resolve(model: ModelOptions, all: readonly ModelOptions[]): ModelOptions;
  listModels(models: readonly ModelOptions[]): Reply;
  /** A served chat request. */
  complete(completion: Completion): { readonly body: JsonObject; readonly headers: Reply['headers'] };
  /** A served chat request that asks for a stream: all its events, from the first sign of life to `[DONE]`. */
  stream(
    completion: Completion,
    includeUsage: boolean,
  ): { readonly events: Iterable<StreamEvent>; readonly headers: Reply['headers'] };
  /** The comment that keeps a silent stream alive. */
  readonly keepAlive: string;
  /** What `error` holds when a stream fails in the middle. */
  readonly streamError: JsonObject;
  /** Routes about the key itself, by `GET /path`. */
  readonly accountRoutes: Readonly<Record<string, AccountRoute>>;
  readonly refuse: Refusals;
}

/** The key of `Authorization: Bearer <key>`. */
export function bearerOf({ headers }: SimulatedRequest): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
}
