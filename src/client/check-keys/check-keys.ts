/** Asks the providers whether they take the pool's keys, by the cheapest request that tells. Nothing is learnt of it. */

import * as z from 'zod/mini';
import { check } from '../../check.ts';
import type { Failure, FailureKind } from '../../core/failure.ts';
import { parseJson } from '../../core/json.ts';
import type { ReportedQuota } from '../../core/limits/limit.ts';
import type { Candidate } from '../../core/pool.ts';
import { networkFailure } from '../../engine/network-failure.ts';
import { FreeLLMError } from '../../errors.ts';
import type { AccountState } from '../../providers/quirks.ts';
import { classify, classifyAnswer } from '../../providers/refusals/classify.ts';
import type { Provider } from '../../providers/provider.ts';
import { sendBeside, type SideOutcome } from '../../providers/side-request.ts';
import { readChatResponse } from '../../wire/response/chat-response.ts';
import type { Pool } from '../pool.ts';
import { corrected, type KeyQuota, pacedBy } from './quotas.ts';
import { type Question, questionFor, type Subject } from './request.ts';
import { type CheckRequest, type KeyVerdict, verdictOf } from './verdict.ts';

/** How keys are checked. */
export interface CheckKeysOptions {
  /** Bounds each request. Default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** Ends the check; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether each key that is taken is also asked for one token: it costs a request of its quota, and finds an account
   * without credit where the provider says so only then. Default false.
   */
  readonly chat?: boolean | undefined;
}

const schema = z.strictObject(
  {
    timeoutMs: z.optional(
      z
        .number('must be a number of milliseconds')
        .check(z.positive('must be greater than 0'), z.maximum(600_000, 'must be at most 600000')),
    ),
    signal: z.optional(
      z.custom<AbortSignal>((value) => value instanceof AbortSignal, 'must be an AbortSignal'),
    ),
    chat: z.optional(z.boolean('must be true or false')),
  },
  'must be an object',
);

/** What became of the check of one key. */
export interface KeyCheck {
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  readonly account: string;
  /** The tier that the key is paced by. */
  readonly tier: string;
  /** The tier that the provider says the account has, where it says so. */
  readonly statedTier: string | undefined;
  /** Whether the provider takes the key; undefined: that could not be found out. */
  readonly works: boolean | undefined;
  /** What was asked: the list of models, a chat of one token, or the account's own page. */
  readonly request: CheckRequest;
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined;
  readonly latencyMs: number;
  /** What the answer means; undefined when it was a good one. */
  readonly kind: FailureKind | undefined;
  /** What the provider said. */
  readonly message: string | undefined;
  readonly quotas: readonly KeyQuota[];
  /** What to do about it; undefined: nothing. */
  readonly advice: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** OpenRouter's list has 0.5 MB (2026-08). */
const MAX_BYTES = 8 * 1024 * 1024;
/** Requests under way at once at one provider. */
const AT_ONCE = 4;

/** What came of one request. */
interface Answer {
  readonly kind: CheckRequest;
  readonly status: number | undefined;
  readonly body: string;
  readonly failure: Failure | undefined;
  /** Quotas that it states beside. */
  readonly reported: readonly ReportedQuota[];
  readonly latencyMs: number;
}

/** The failure that an answer means; undefined for a good answer. */
function failureOf(
  kind: CheckRequest,
  { response, body }: Extract<SideOutcome, { ok: true }>,
  pool: Pool,
  provider: Provider,
): Failure | undefined {
  const given = { spec: provider.spec, now: pool.clock.now() };
  const { status, headers } = response;
  const reply = { status, headers, body, redact: (text: string) => pool.redact(text) };
  if (status !== 200) return classify(reply, given.spec, given.now);
  const answer = readChatResponse(body);
  if (answer.ok) return undefined;
  const json = parseJson(body);
  // A chat of one token may be empty, and a list is no chat: an answer that holds no error is good.
  const isGood = kind === 'chat' ? answer.problem === 'empty' : typeof json === 'object' && json !== null;
  if (isGood && answer.problem !== 'error') return undefined;
  return classifyAnswer(answer, reply, given);
}

async function ask(
  pool: Pool,
  provider: Provider,
  { kind, request, target }: Question,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CheckKeysOptions,
): Promise<Answer> {
  const { clock, transport, redact } = pool;
  const startedAt = clock.now();
  const bounds = { clock, transport, redact, timeoutMs, signal, maxBytes: MAX_BYTES, readsRefusals: true };
  const outcome = await sendBeside(request, bounds);
  const latencyMs = clock.now() - startedAt;
  const { response } = outcome;
  const reported = response === undefined || target === undefined ? [] : pool.chat.observe(response, target);
  const answer = { kind, status: response?.status, reported, latencyMs };
  if (outcome.ok) return { ...answer, body: outcome.body, failure: failureOf(kind, outcome, pool, provider) };
  if (signal?.aborted === true) throw signal.reason;
  if (FreeLLMError.is(outcome.error)) throw outcome.error;
  const failure: Failure = outcome.timedOut
    ? { kind: 'timeout', scope: 'provider', message: `no complete answer within ${timeoutMs} ms` }
    : networkFailure(outcome.error, response !== undefined);
  return { ...answer, body: '', failure };
}

/** A list that anybody may read says nothing of a key. */
function verdictOn({ failure, kind }: Answer, { spec }: Provider): KeyVerdict {
  if (failure !== undefined) return verdictOf(failure, kind);
  const isPublic = kind === 'models' && spec.keyless !== true && spec.discovery?.needsKey === false;
  if (!isPublic) return { works: true, advice: undefined };
  return { works: undefined, advice: 'Its list of models is open to all: only a chat tells of the key.' };
}

/** What the account's own page tells. */
function accountOf({ kind, failure, body }: Answer, { account }: Provider['spec']): AccountState {
  if (kind !== 'account' || failure !== undefined || account === undefined) return { reported: [] };
  return account.read(parseJson(body));
}

/** A key that is paced by another tier than its account has wastes quota or runs into refusals. */
function tierAdvice({ key, provider }: Subject, stated: string | undefined): string | undefined {
  if (stated === undefined || stated === key.tier) return undefined;
  const variable = provider.spec.env.tier;
  const how = variable === undefined ? `tier: '${stated}'` : `${variable}=${stated}, or tier: '${stated}'`;
  return `Its account is of the tier ${stated} and is paced as ${key.tier}: set ${how}.`;
}

async function checkKey(pool: Pool, subject: Subject, options: CheckKeysOptions): Promise<KeyCheck> {
  const { provider, key, candidate, account } = subject;
  const first = await ask(
    pool,
    provider,
    questionFor(pool, subject, provider.spec.check?.request ?? 'models'),
    options,
  );
  const asksAgain =
    options.chat === true && first.kind !== 'chat' && verdictOn(first, provider).works !== false;
  const last = asksAgain ? await ask(pool, provider, questionFor(pool, subject, 'chat'), options) : first;
  const { works, advice } = verdictOn(last, provider);
  const state = accountOf(first, provider.spec);
  const sight = { records: pool.ledger.known([[candidate]]), now: pool.clock.now() };
  return {
    provider: provider.name,
    key: key.mask,
    account: key.account,
    tier: key.tier,
    statedTier: state.tier,
    works,
    request: last.kind,
    status: last.status,
    latencyMs: last.latencyMs,
    kind: last.failure?.kind,
    message: last.failure === undefined ? undefined : pool.redact(last.failure.message),
    quotas: corrected(pacedBy(candidate.models, account, sight), [...state.reported, ...last.reported]),
    advice: advice ?? tierAdvice(subject, state.tier),
  };
}

/** Does a job for each item, a few at a time; the results are in the order of the items. */
async function forEachOf<Item, Result>(
  items: readonly Item[],
  job: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await job(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return results;
}

function subjectsOf(provider: Provider, candidate: Candidate): readonly Subject[] {
  return provider.keys.flatMap((key) => {
    const account = candidate.provider.accounts.find(({ keyIds }) => keyIds.includes(key.keyId));
    return account === undefined ? [] : [{ provider, key, candidate, account }];
  });
}

/** Checks every key of a pool, in the order of its providers and keys. */
export async function checkKeys(pool: Pool, options: CheckKeysOptions): Promise<readonly KeyCheck[]> {
  check(schema, options, 'options');
  options.signal?.throwIfAborted();
  const providers = pool.everything().flatMap((candidate) => {
    const provider = pool.providers.get(candidate.provider.name);
    return provider === undefined ? [] : [subjectsOf(provider, candidate)];
  });
  const checks = await Promise.all(
    providers.map((subjects) => forEachOf(subjects, (subject) => checkKey(pool, subject, options))),
  );
  return checks.flat();
}
