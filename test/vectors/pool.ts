/** Pools, records and failures as plain data, turned into what the decisions take. */

import * as z from 'zod/mini';
import { type AccountRecord, EMPTY_ACCOUNT, readAccountRecord } from '../../src/core/records/account.ts';
import type { RouteRecords } from '../../src/core/ledger/reserve.ts';
import {
  type Failure,
  type FailureKind,
  type Scope,
  FAILURE_EFFECTS,
  type Trip,
} from '../../src/core/failure.ts';
import type { TokenEstimate, Preferences, Records } from '../../src/core/routing/question.ts';
import type { Limit, ReportedQuota } from '../../src/core/limits/limit.ts';
import type { Candidate, CandidateModel, PoolAccount, PoolProvider, Stage } from '../../src/core/pool.ts';
import { EMPTY_PROVIDER, type ProviderRecord, readProviderRecord } from '../../src/core/records/provider.ts';
import { STRATEGIES } from '../../src/core/routing/strategy.ts';

const counted = {
  id: z.string(),
  unit: z.enum(['requests', 'tokens']),
  per: z.enum(['account', 'account-model']),
  /** Absent: none is known. */
  max: z.pipe(
    z.optional(z.number()),
    z.transform((max) => max ?? Number.POSITIVE_INFINITY),
  ),
  marginMs: z.prefault(z.number(), 0),
  counts: z.exactOptional(z.enum(['input', 'total', 'reserved'])),
  countsCached: z.exactOptional(z.boolean()),
  isOwn: z.exactOptional(z.boolean()),
  assumed: z.exactOptional(z.boolean()),
};

export const limitSchema: z.ZodMiniType<Limit> = z.discriminatedUnion('kind', [
  z.strictObject({ ...counted, kind: z.literal('sliding-window'), windowMs: z.number() }),
  z.strictObject({ ...counted, kind: z.literal('fixed-window') }),
  z.strictObject({ ...counted, kind: z.literal('token-bucket'), windowMs: z.number() }),
  z.strictObject({ ...counted, kind: z.literal('daily'), timeZone: z.string() }),
  z.strictObject({ ...counted, kind: z.literal('monthly'), timeZone: z.string() }),
  z.strictObject({ ...counted, kind: z.literal('concurrency') }),
]);

export const reportedQuotaSchema: z.ZodMiniType<ReportedQuota> = z.strictObject({
  unit: z.enum(['requests', 'tokens']),
  window: z.enum(['second', 'minute', 'hour', 'day', 'month']),
  limit: z.exactOptional(z.number()),
  remaining: z.exactOptional(z.number()),
  resetAt: z.exactOptional(z.number()),
});

export const tripSchema: z.ZodMiniType<Trip> = z.strictObject({
  threshold: z.number(),
  cooldownMs: z.number(),
  maxCooldownMs: z.number(),
  firstPauseMs: z.exactOptional(z.number()),
  lastResortMs: z.exactOptional(z.number()),
});

const SCOPES: Readonly<Record<Scope, true>> = {
  provider: true,
  account: true,
  key: true,
  model: true,
  'account-model': true,
  request: true,
};

export const kindSchema: z.ZodMiniType<FailureKind> = z.custom<FailureKind>(
  (value) => typeof value === 'string' && Object.hasOwn(FAILURE_EFFECTS, value),
);
const scopeSchema = z.custom<Scope>((value) => typeof value === 'string' && Object.hasOwn(SCOPES, value));

export const failureSchema: z.ZodMiniType<Failure> = z.strictObject({
  kind: kindSchema,
  scope: scopeSchema,
  message: z.prefault(z.string(), 'refused'),
  status: z.exactOptional(z.number()),
  retryAt: z.exactOptional(z.number()),
  reportedLimit: z.exactOptional(z.number()),
  parameters: z.exactOptional(z.array(z.string())),
  capabilities: z.exactOptional(z.array(z.string())),
  contextLength: z.exactOptional(z.number()),
  uncounted: z.exactOptional(z.boolean()),
  oversized: z.exactOptional(z.boolean()),
  unit: z.exactOptional(z.enum(['requests', 'tokens'])),
  reported: z.exactOptional(z.array(reportedQuotaSchema)),
  identity: z.exactOptional(z.string()),
  escalates: z.exactOptional(z.boolean()),
});

const modelSchema = z.strictObject({
  id: z.string(),
  ctx: z.exactOptional(z.number()),
  preferred: z.exactOptional(z.boolean()),
});

const providerSchema = z.strictObject({
  name: z.string(),
  priority: z.prefault(z.number(), 0),
  accounts: z.array(
    z.strictObject({
      id: z.string(),
      keys: z.array(z.string()),
      limits: z.prefault(z.array(limitSchema), []),
    }),
  ),
  models: z.array(z.union([z.string(), modelSchema])),
  trips: z.prefault(z.record(z.string(), tripSchema), {}),
  maxTokensWhenUnset: z.exactOptional(z.number()),
});
export type ProviderData = z.output<typeof providerSchema>;

/** `{ providers: [{ name, priority?, accounts: [{ id, keys, limits? }], models, trips? }] }`. */
export const poolSchema = z.strictObject({ providers: z.array(providerSchema) });

/** Which providers and models each step of the chain may use. */
export const stagesSchema = z.array(
  z.array(z.strictObject({ provider: z.string(), models: z.array(z.string()) })),
);

/** Parts of the stored records: of providers by name, of accounts by `provider/account`. */
export const recordsSchema = z.strictObject({
  providers: z.prefault(z.record(z.string(), z.record(z.string(), z.unknown())), {}),
  accounts: z.prefault(z.record(z.string(), z.record(z.string(), z.unknown())), {}),
});

const tokensSchema: z.ZodMiniType<() => TokenEstimate> = z.pipe(
  z.strictObject({
    prompt: z.number(),
    least: z.prefault(z.number(), 1),
    maxTokens: z.prefault(z.union([z.number(), z.undefined()]), undefined),
  }),
  z.transform((estimate) => () => estimate),
);

/** What a call asks of a model. */
export const needsSchema = z.prefault(
  z.strictObject({
    size: z.prefault(z.number(), 100),
    capabilities: z.prefault(z.array(z.string()), []),
    fields: z.exactOptional(z.array(z.string())),
    tokens: z.exactOptional(tokensSchema),
  }),
  {},
);

export const preferenceFields = {
  strategy: z.prefault(z.enum(['priority', 'round_robin', 'quota_aware', 'latency']), 'priority'),
  turn: z.prefault(z.number(), 0),
};

export function preferencesOf({
  strategy,
  turn,
}: {
  strategy: keyof typeof STRATEGIES;
  turn: number;
}): Preferences {
  return { order: STRATEGIES[strategy], preferCheapest: strategy === 'quota_aware', turn };
}

function toAccount(provider: string, { id, keys, limits }: ProviderData['accounts'][number]): PoolAccount {
  return { id, recordId: `${provider}/${id}`, keyIds: keys, limits: () => limits };
}

function toModel(model: ProviderData['models'][number]): CandidateModel {
  return typeof model === 'string' ? { id: model } : model;
}

/** A provider with all its models. */
export function candidateOf(data: ProviderData, index: number): Candidate {
  const { name, priority, accounts, trips, maxTokensWhenUnset } = data;
  const provider: PoolProvider = {
    name,
    recordId: name,
    index,
    priority,
    accounts: accounts.map((account) => toAccount(name, account)),
    maxTokensWhenUnset,
    trip: (kind) => trips[kind],
  };
  return { provider, models: data.models.map(toModel) };
}

export function candidatesOf(pool: z.output<typeof poolSchema>): Stage {
  return pool.providers.map(candidateOf);
}

/** What a list must contain. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}

/** The chain as the vector gives it; without one, everything is one step. */
export function stagesOf(
  candidates: Stage,
  stages: z.output<typeof stagesSchema> | undefined,
): readonly Stage[] {
  if (stages === undefined) return [candidates];
  return stages.map((stage) =>
    stage.map(({ provider: name, models }) => {
      const { provider, models: all } = found(
        candidates.find((candidate) => candidate.provider.name === name),
        `provider ${name}`,
      );
      return {
        provider,
        models: models.map((id) =>
          found(
            all.find((model) => model.id === id),
            `model ${id}`,
          ),
        ),
      };
    }),
  );
}

/** The stored records of a pool, kept in memory. */
export class StoredRecords implements Records {
  readonly #providers = new Map<string, ProviderRecord>();
  readonly #accounts = new Map<string, AccountRecord>();
  #snapshot: Records | undefined;

  constructor(data?: z.output<typeof recordsSchema>) {
    for (const [id, part] of Object.entries(data?.providers ?? {})) {
      this.#providers.set(id, readProviderRecord({ ...EMPTY_PROVIDER, ...part }));
    }
    for (const [id, part] of Object.entries(data?.accounts ?? {})) {
      this.#accounts.set(id, readAccountRecord({ ...EMPTY_ACCOUNT, ...part }));
    }
  }

  provider(provider: PoolProvider): ProviderRecord {
    return this.#providers.get(provider.recordId) ?? EMPTY_PROVIDER;
  }

  account(account: PoolAccount): AccountRecord {
    return this.#accounts.get(account.recordId) ?? EMPTY_ACCOUNT;
  }

  of(target: { provider: PoolProvider; account: PoolAccount }): RouteRecords {
    return { provider: this.provider(target.provider), account: this.account(target.account) };
  }

  store(target: { provider: PoolProvider; account: PoolAccount }, { provider, account }: RouteRecords): void {
    this.#providers.set(target.provider.recordId, provider);
    this.#accounts.set(target.account.recordId, account);
    this.#snapshot = undefined;
  }

  #copy(): Records {
    const providers = new Map(this.#providers);
    const accounts = new Map(this.#accounts);
    return {
      provider: ({ recordId }) => providers.get(recordId) ?? EMPTY_PROVIDER,
      account: ({ recordId }) => accounts.get(recordId) ?? EMPTY_ACCOUNT,
    };
  }

  /** The records as they are now, for a question. The same object until one is stored. */
  snapshot(): Records {
    this.#snapshot ??= this.#copy();
    return this.#snapshot;
  }
}

/** A value as JSON keeps it: nothing undefined; what never comes is null. */
export function plain(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? null : JSON.parse(text);
}
