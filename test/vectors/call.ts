/** Calls on a pool without a network: `plan` decides, `reserve` books, a script answers, `settle` learns. */

import * as z from 'zod/mini';
import { reserve } from '../../src/core/ledger/reserve.ts';
import { excludedUntil, isFinal, judge } from '../../src/core/routing/exclusion.ts';
import type { FailedAttempt, Target, Question } from '../../src/core/routing/question.ts';
import type { Failure } from '../../src/core/failure.ts';
import { plan } from '../../src/core/routing/plan.ts';
import type { Route } from '../../src/core/pool.ts';
import { settle } from '../../src/core/ledger/settle.ts';
import {
  candidatesOf,
  preferenceFields,
  preferencesOf,
  failureSchema,
  needsSchema,
  poolSchema,
  recordsSchema,
  stagesOf,
  stagesSchema,
  StoredRecords,
} from './pool.ts';

/** What a route answers; without a refusal it serves the call. */
const refusalSchema = z.strictObject({
  provider: z.exactOptional(z.string()),
  account: z.exactOptional(z.string()),
  keyId: z.exactOptional(z.string()),
  model: z.exactOptional(z.string()),
  /** How often; always when not given. */
  times: z.optional(z.number()),
  failure: failureSchema,
});
type ScriptedRefusal = z.output<typeof refusalSchema>;

export const callsSchema = z.strictObject({
  pool: poolSchema,
  stages: z.optional(stagesSchema),
  records: z.optional(recordsSchema),
  ...preferenceFields,
  needs: needsSchema,
  /** Fields of the request that can be left out. */
  optionalFields: z.prefault(z.array(z.string()), []),
  maxAttempts: z.prefault(z.number(), 12),
  maxWaitMs: z.prefault(z.number(), 0),
  refusals: z.prefault(z.array(refusalSchema), []),
  /** The moments at which the calls are made; each is the next turn. */
  calls: z.array(z.number()),
});
type Calls = z.output<typeof callsSchema>;

function concerns(refusal: ScriptedRefusal, { provider, account, keyId, model }: Route): boolean {
  return (
    (refusal.provider ?? provider) === provider &&
    (refusal.account ?? account) === account &&
    (refusal.keyId ?? keyId) === keyId &&
    (refusal.model ?? model) === model
  );
}

/** Answers attempts from a script. */
class Script {
  readonly #left: Map<ScriptedRefusal, number>;

  constructor(refusals: readonly ScriptedRefusal[]) {
    this.#left = new Map(refusals.map((refusal) => [refusal, refusal.times ?? Number.POSITIVE_INFINITY]));
  }

  answer(route: Route): Failure | undefined {
    for (const [refusal, left] of this.#left) {
      if (left <= 0 || !concerns(refusal, route)) continue;
      this.#left.set(refusal, left - 1);
      return refusal.failure;
    }
    return undefined;
  }
}

/** One step of a call: the route that was tried, the moment that was waited for, or how it ended. */
type Step =
  | { readonly attempt: readonly [provider: string, account: string, keyId: string, model: string] }
  | { readonly wait: number; readonly othersUntil?: number | undefined }
  | { readonly end: 'served' | Failure['kind'] }
  | { readonly end: 'give-up'; readonly reason: string; readonly readyAt: number };

interface World {
  readonly input: Calls;
  readonly question: Omit<Question, 'now' | 'records' | 'failedAttempts' | 'retryRoute' | 'waitUntil'>;
  readonly records: StoredRecords;
  readonly script: Script;
}

/** No attempt of these calls takes time, so that a lost probe does not come into it. */
const PROBE_MS = 30_000;

function attempt(
  { input, question, records, script }: World,
  target: Target,
  now: number,
): Failure | undefined {
  const { needs } = question;
  const { reservation, ...reserved } = reserve(records.of(target), target, needs, PROBE_MS, now);
  const failure = script.answer(target.route);
  const outcome =
    failure === undefined
      ? ({ kind: 'success', latencyMs: 1000 } as const)
      : ({ kind: 'failure', failure, size: input.needs.size } as const);
  records.store(target, settle(reserved, reservation, outcome, now));
  return failure;
}

function runCall(world: World, startedAt: number): readonly Step[] {
  const { input } = world;
  const steps: Step[] = [];
  const failedAttempts: FailedAttempt[] = [];
  let retryRoute: Route | undefined;
  let now = startedAt;
  for (;;) {
    const decision = plan({
      ...world.question,
      now,
      records: world.records.snapshot(),
      failedAttempts,
      retryRoute,
      waitUntil: startedAt + input.maxWaitMs,
    });
    if (decision.kind === 'give-up') {
      const { reason, readyAt } = decision;
      return [...steps, { end: 'give-up', reason, readyAt }];
    }
    if (decision.kind === 'wait') {
      const { until, othersUntil } = decision;
      steps.push({ wait: until, ...(othersUntil !== undefined && { othersUntil }) });
      now = decision.until;
      continue;
    }
    const { route, model } = decision.target;
    steps.push({ attempt: [route.provider, route.account, route.keyId, route.model] });
    const failure = attempt(world, decision.target, now);
    if (failure === undefined) return [...steps, { end: 'served' }];
    const refused = new Set(
      failedAttempts.flatMap((earlier) =>
        earlier.route.provider === route.provider && earlier.route.model === route.model
          ? (earlier.failure.parameters ?? [])
          : [],
      ),
    );
    const canChange = (): boolean =>
      failure.parameters?.some((name) => input.optionalFields.includes(name) && !refused.has(name)) === true;
    const judged = judge(failedAttempts, failure, world.question.needs, canChange);
    const entry = { route, failure, ctx: model.ctx, isOpinion: judged.isOpinion };
    if (isFinal(failedAttempts, entry)) return [...steps, { end: failure.kind }];
    retryRoute = judged.mayRetry ? route : undefined;
    const bounds = { waits: input.maxWaitMs > 0, deadline: Number.POSITIVE_INFINITY };
    failedAttempts.push({
      ...entry,
      excludedUntil: retryRoute === undefined ? excludedUntil(failedAttempts, entry, bounds, now) : 0,
    });
  }
}

/** Makes the calls one after the other; a list of steps for each. */
export function runCalls(input: Calls): readonly (readonly Step[])[] {
  const candidates = candidatesOf(input.pool);
  const records = new StoredRecords(input.records);
  const script = new Script(input.refusals);
  const stages = stagesOf(candidates, input.stages);
  return input.calls.map((now, index) => {
    const preferences = preferencesOf({ strategy: input.strategy, turn: input.turn + index });
    const { needs, maxAttempts } = input;
    return runCall({ input, records, script, question: { stages, preferences, needs, maxAttempts } }, now);
  });
}
