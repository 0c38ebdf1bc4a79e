import { isSignal, nativeSignal } from '../../abort.ts';
import * as z from 'zod/mini';
import { check } from '../../check.ts';
import type { Failure, FailureKind } from '../../core/failure.ts';
import { parseJson } from '../../core/json.ts';
import type { ReportedQuota } from '../../core/limits/limit.ts';
import type { FreeReason } from '../../core/model.ts';
import { readAccountRecord } from '../../core/records/account.ts';
import { withProvenKey, withProvenProvider } from '../../core/records/proof.ts';
import { readProviderRecord } from '../../core/records/provider.ts';
import type { Candidate } from '../../core/pool.ts';
import { networkFailure } from '../../engine/network-failure.ts';
import { FreeLLMError } from '../../errors.ts';
import type { AccountState } from '../../providers/quirks.ts';
import { classify, classifyAnswer } from '../../providers/refusals/classify.ts';
import type { Provider } from '../../providers/provider.ts';
import { sendBeside, type SideOutcome } from '../../providers/side-request.ts';
import { readCost } from '../../wire/response/price.ts';
import { readAnswer } from '../../wire/response/whole-answer.ts';
import type { Pool } from '../pool.ts';
import { type KeyQuota, quotasOf, withReported } from './quotas.ts';
import { type KeyRequest, keyRequestFor, type Subject } from './request.ts';
import { type CheckRequest, type KeyVerdict, verdictOf } from './verdict.ts';

/** Options of `checkKeys()`. */
export interface CheckKeysOptions {
  /** Bounds each request, in milliseconds. Default 10,000, at most 600,000. */
  readonly timeoutMs?: number | undefined;
  /** Aborts the check, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Also requests a chat of one token with each accepted key. This spends one request of its quota and detects accounts
   * without credit at providers that report it only then. Default false.
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
    signal: z.optional(z.custom<AbortSignal>(isSignal, 'must be an AbortSignal')),
    chat: z.optional(z.boolean('must be true or false')),
  },
  'must be an object',
);

/** The result of checking one key. */
export interface KeyCheck {
  readonly provider: string;
  /** The key, masked. */
  readonly key: string;
  readonly account: string;
  /** The tier whose limits freelm applies. */
  readonly tier: string;
  /** The tier of the account as its provider reports it. */
  readonly reportedTier: string | undefined;
  /** Whether the provider accepts the key; undefined if the check could not tell. */
  readonly works: boolean | undefined;
  /** The deciding request: the list of models, a chat of one token, or the account's status. */
  readonly request: CheckRequest;
  /** The HTTP status; undefined without an answer. */
  readonly status: number | undefined;
  readonly latencyMs: number;
  /** The failure that the answer means; undefined for a good answer. */
  readonly kind: FailureKind | undefined;
  /** The provider's error message, redacted. */
  readonly message: string | undefined;
  readonly quotas: readonly KeyQuota[];
  /** Why the account's calls are free. Undefined if they are billed. */
  readonly freeBecause: FreeReason | undefined;
  /** What the answer of a chat cost, if it stated a price. A price above 0 closes the model. */
  readonly cost: number | undefined;
  /** What to do; undefined if nothing. */
  readonly advice: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** OpenRouter's list has 0.5 MB (2026-08). */
const MAX_BYTES = 8 * 1024 * 1024;
/** Concurrent requests per provider. */
const CONCURRENCY = 4;

/** The outcome of one request. */
interface Answer {
  readonly kind: CheckRequest;
  /** Only of a chat. */
  readonly model: string | undefined;
  readonly status: number | undefined;
  readonly body: string;
  readonly failure: Failure | undefined;
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
  const answer = readAnswer(body);
  if (answer.ok) return undefined;
  const json = parseJson(body);
  // A chat of one token may be empty, and a list is no chat: an answer without an error is good.
  const isEmpty = answer.problem === 'empty' || answer.problem === 'out_of_tokens';
  const isGood = kind === 'chat' ? isEmpty : typeof json === 'object' && json !== null;
  if (isGood && answer.problem !== 'error') return undefined;
  return classifyAnswer(answer, reply, given);
}

async function ask(
  pool: Pool,
  provider: Provider,
  { kind, request, target }: KeyRequest,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CheckKeysOptions,
): Promise<Answer> {
  const { clock, transport, redact } = pool;
  const startedMs = clock.monotonicMs();
  const bounds = { clock, transport, redact, timeoutMs, signal, maxBytes: MAX_BYTES, readsRefusals: true };
  const outcome = await sendBeside(request, bounds);
  const latencyMs = clock.monotonicMs() - startedMs;
  const { response } = outcome;
  const reported = response === undefined || target === undefined ? [] : pool.chat.observe(response, target);
  const answer = { kind, model: target?.route.model, status: response?.status, reported, latencyMs };
  if (outcome.ok) return { ...answer, body: outcome.body, failure: failureOf(kind, outcome, pool, provider) };
  if (signal?.aborted === true) throw signal.reason;
  if (FreeLLMError.is(outcome.error)) throw outcome.error;
  const failure: Failure = outcome.timedOut
    ? { kind: 'timeout', scope: 'provider', message: `no complete answer within ${timeoutMs} ms` }
    : networkFailure(outcome.error, response !== undefined);
  return { ...answer, body: '', failure };
}

/** A public list proves nothing about a key. */
function verdictFor({ failure, kind }: Answer, { spec }: Provider): KeyVerdict {
  if (failure !== undefined) return verdictOf(failure, kind);
  const isPublic = kind === 'models' && spec.keyless !== true && spec.discovery?.needsKey === false;
  if (!isPublic) return { works: true, advice: undefined };
  return { works: undefined, advice: 'Its list of models is public: only a chat can prove the key.' };
}

function accountStateOf({ kind, failure, body }: Answer, { account }: Provider['spec']): AccountState {
  if (kind !== 'account' || failure !== undefined || account === undefined) return { reported: [] };
  return account.read(parseJson(body));
}

/** A refused key is replaced at the page where keys are made. */
function newKeyAdvice(
  advice: string | undefined,
  { failure }: Answer,
  { keysUrl }: Provider['spec'],
): string | undefined {
  const isRefused = failure?.kind === 'unauthorized' && keysUrl !== undefined;
  return isRefused && advice !== undefined ? `${advice} Keys are made at ${keysUrl}.` : advice;
}

/** With the wrong tier, a key wastes quota or is refused. */
function tierAdvice({ key, provider }: Subject, reported: string | undefined): string | undefined {
  if (reported === undefined || reported === key.tier) return undefined;
  const variable = provider.spec.env.tier;
  const setting = `tier: '${reported}'`;
  const how = variable === undefined ? setting : `${variable}=${reported} or ${setting}`;
  return `Its account has the tier ${reported}, but freelm applies the limits of ${key.tier}. Set ${how}.`;
}

/** What was refused to an accepted key may be repaired. spec 5.15 */
async function noteProof({ ledger }: Pool, { candidate, account, key: { keyId } }: Subject): Promise<void> {
  await ledger.rewrite(candidate.provider.recordId, (value) =>
    value === undefined ? value : withProvenProvider(readProviderRecord(value)),
  );
  await ledger.rewrite(account.recordId, (value) =>
    value === undefined ? value : withProvenKey(readAccountRecord(value), keyId),
  );
}

async function checkKey(pool: Pool, subject: Subject, options: CheckKeysOptions): Promise<KeyCheck> {
  const { provider, key, candidate, account } = subject;
  const first = await ask(
    pool,
    provider,
    keyRequestFor(pool, subject, provider.spec.check?.request ?? 'models'),
    options,
  );
  const asksChat =
    options.chat === true && first.kind !== 'chat' && verdictFor(first, provider).works !== false;
  const last = asksChat ? await ask(pool, provider, keyRequestFor(pool, subject, 'chat'), options) : first;
  const { works, advice } = verdictFor(last, provider);
  const state = accountStateOf(first, provider.spec);
  const records = pool.ledger.known([[candidate]]);
  const cost = last.kind === 'chat' ? readCost(parseJson(last.body)) : undefined;
  if (cost !== undefined && last.model !== undefined)
    await pool.ledger.notePrice(candidate.provider, last.model, cost);
  if (works === true) await noteProof(pool, subject);
  const quotas = quotasOf(candidate.models, account, records, pool.clock.now());
  return {
    provider: provider.name,
    key: key.mask,
    account: key.account,
    tier: key.tier,
    reportedTier: state.tier,
    works,
    request: last.kind,
    status: last.status,
    latencyMs: last.latencyMs,
    kind: last.failure?.kind,
    message: last.failure === undefined ? undefined : pool.redact(last.failure.message),
    freeBecause: account.freeBecause,
    cost,
    quotas: withReported(quotas, [...state.reported, ...last.reported]),
    advice: newKeyAdvice(advice, last, provider.spec) ?? tierAdvice(subject, state.tier),
  };
}

/** Maps items with bounded concurrency. */
async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  job: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await job(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, work));
  return results;
}

function subjectsOf(provider: Provider, candidate: Candidate): readonly Subject[] {
  return provider.keys.flatMap((key) => {
    const account = candidate.provider.accounts.find(({ keyIds }) => keyIds.includes(key.keyId));
    return account === undefined ? [] : [{ provider, key, candidate, account }];
  });
}

/**
 * Checks every key of a pool with the cheapest request that proves it, in the order of providers and keys. The records
 * learn prices from it, and which keys work.
 */
export async function checkKeys(pool: Pool, given: CheckKeysOptions): Promise<readonly KeyCheck[]> {
  check(schema, given, 'options');
  const options = given.signal === undefined ? given : { ...given, signal: nativeSignal(given.signal) };
  options.signal?.throwIfAborted();
  const providers = pool.everything().flatMap((candidate) => {
    const provider = pool.providers.get(candidate.provider.name);
    return provider === undefined ? [] : [subjectsOf(provider, candidate)];
  });
  const checks = await Promise.all(
    providers.map((subjects) => mapConcurrently(subjects, (subject) => checkKey(pool, subject, options))),
  );
  return checks.flat();
}
