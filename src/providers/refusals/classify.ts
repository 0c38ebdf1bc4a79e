/** Turns what a provider answered into a failure: what it means, for whom, and when to come back. Never throws. */

import type { Failure, FailureKind } from '../../core/failure.ts';
import { readTimestamp } from './moments.ts';
import { type RetryHints, readRetryHints } from './retry-hints.ts';
import type { Headers } from '../../ports.ts';
import type { RefusedAnswer } from '../../wire/response/chat-response.ts';
import { readErrorBody } from '../../wire/response/error-body.ts';
import { identityIn, refusedFields, statedContextLength, withoutName } from './details.ts';
import { findRule, type Refusal, type Verdict, verdictOfAnswer, verdictOfStatus } from './rules.ts';
import { type RefusedQuota, refusedQuota } from './refused-quota.ts';
import type { ProviderSpec, RefusalRule } from '../spec.ts';
import { DAY_MS, MINUTE_MS } from '../../core/time.ts';

/** A provider's whole answer. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Takes keys out of the message, read as it is but not yet shortened: half a key would not be recognised as one. */
  readonly redact?: (text: string) => string;
}

/** What is known of how a provider refuses. */
export type RefusalSpec = Pick<ProviderSpec, 'refusals' | 'quotaHeaders' | 'identity'>;

const MESSAGE_KEPT = 300;

/**
 * What an unsuccessful answer means. The provider's rules are tried in order, then the shared ones of
 * `spec/refusals.json`, then the status alone decides. An answer with status 200 is judged by its content.
 */
export function classify(reply: Reply, spec: RefusalSpec, now: number): Failure {
  const body = readErrorBody(reply.body);
  const refusal: Refusal = {
    status: reply.status,
    headers: reply.headers,
    json: body.json,
    message: reply.redact?.(body.message) ?? body.message,
  };
  // What a page says was not said by the API, so the rules do not apply to it.
  const rule = body.html ? undefined : findRule(refusal, spec.refusals);
  const verdict = rule ?? verdictOfStatus(body.html ? 'page' : 'answer', reply.status);
  return failureOf(verdict, refusal, { status: reply.status, spec, now });
}

/** What an answer with status 200 means that `readChatResponse` refused. */
export function classifyAnswer(
  refused: RefusedAnswer,
  reply: Reply,
  given: { readonly spec: RefusalSpec; readonly now: number },
): Failure {
  const body = readErrorBody(reply.body);
  const refusal: Refusal = {
    status: refused.status,
    headers: reply.headers,
    json: body.json,
    message: reply.redact?.(refused.message) ?? refused.message,
  };
  const verdict =
    refused.problem === 'error'
      ? (findRule(refusal, given.spec.refusals) ?? verdictOfStatus('inside', refused.status))
      : verdictOfAnswer(refused.problem);
  return failureOf(verdict, refusal, { status: reply.status, ...given });
}

/** Nobody waits longer for what an answer says: it may be garbled, and to ask once a day costs little. */
const LONGEST_WAIT_MS = DAY_MS;
/** A hint this short beside a day's quota is not about it: Google sends `retry in 15s` to `59s` with one. */
const SHORT_HINT_MS = 5 * MINUTE_MS;

/** Kinds for which a hint is believed; a hint beside others misleads (Google sends `retry in 40s` with `limit: 0`). */
const HINTED: ReadonlySet<FailureKind> = new Set(['rate_limited', 'model_busy', 'server_error', 'timeout']);
/** Kinds that speak of a window whose end a reset clock shows. */
const CLOCKED: ReadonlySet<FailureKind> = new Set(['rate_limited', 'quota_exhausted', 'model_busy']);

/** A verdict, with what the rule that gave it says besides. */
type Ruling = Verdict & Partial<Omit<RefusalRule, keyof Verdict>>;

/** What surrounds a refusal. */
interface Answered {
  /** The HTTP status. */
  readonly status: number;
  readonly spec: RefusalSpec;
  readonly now: number;
}

/** A hint, where one is believed. */
function hintOf({ kind, hinted = false }: Ruling, { retryAt }: RetryHints, now: number): number | undefined {
  if (HINTED.has(kind) || retryAt === undefined) return retryAt;
  if (kind !== 'quota_exhausted') return undefined;
  return hinted || retryAt - now >= SHORT_HINT_MS ? retryAt : undefined;
}

/** The moment that the rule knows how to find in the message. */
function clockOf({ clock }: Ruling, { message }: Refusal, now: number): number | undefined {
  if (clock === undefined) return undefined;
  const local = new RegExp(clock.pattern, 'i').exec(message)?.[1];
  const moment = local === undefined ? undefined : readTimestamp(local + clock.offset);
  return moment === undefined || moment <= now ? undefined : moment;
}

function retryAtOf(
  ruling: Ruling,
  refusal: Refusal,
  quota: RefusedQuota,
  { status, now }: Answered,
): number | undefined {
  const hints = readRetryHints({ ...refusal, status }, now);
  const isClocked = CLOCKED.has(ruling.kind);
  const named =
    clockOf(ruling, refusal, now) ??
    hintOf(ruling, hints, now) ??
    (isClocked ? (hints.resetAt ?? quota.resetAt) : undefined);
  if (named === undefined) return ruling.retryAfterMs === undefined ? undefined : now + ruling.retryAfterMs;
  return Math.min(named, now + LONGEST_WAIT_MS);
}

/** The fields that are meant; an empty list of the rule's means that none is, whatever the message names. */
function parametersOf({ kind, parameters: meant }: Ruling, refusal: Refusal): readonly string[] {
  if (kind !== 'unsupported' || meant?.length === 0) return [];
  return [...new Set([...(meant ?? []), ...refusedFields(refusal)])];
}

/** What a refusal tells of quotas, and of whom they are. */
function quotaDetails(ruling: Ruling, refusal: Refusal, answered: Answered): Partial<Failure> {
  const { spec, now } = answered;
  const { kind, unit } = ruling;
  const quota = refusedQuota(refusal, { kind, unit, quotaHeaders: spec.quotaHeaders ?? [], now });
  const retryAt = retryAtOf(ruling, refusal, quota, answered);
  return {
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(quota.limit === undefined ? {} : { reportedLimit: quota.limit }),
    ...(quota.unit === undefined ? {} : { unit: quota.unit }),
    ...(quota.beside.length > 0 ? { reported: quota.beside } : {}),
  };
}

/** What a refusal tells of the model's abilities. */
function modelDetails(ruling: Ruling, refusal: Refusal): Partial<Failure> {
  const { kind, capabilities } = ruling;
  const parameters = parametersOf(ruling, refusal);
  const contextLength = kind === 'context_too_long' ? statedContextLength(refusal) : undefined;
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(contextLength === undefined ? {} : { contextLength }),
  };
}

function failureOf(ruling: Ruling, refusal: Refusal, answered: Answered): Failure {
  const { kind, scope, escalates } = ruling;
  const { spec, status } = answered;
  const identity = identityIn(refusal, spec.identity ?? []);
  return {
    kind,
    scope,
    message: shortened(withoutName(refusal.message, identity)) || wordless(status),
    status,
    ...quotaDetails(ruling, refusal, answered),
    ...(identity === undefined ? {} : { identity: identity.hash }),
    ...(escalates === true ? { escalates } : {}),
    ...modelDetails(ruling, refusal),
  };
}

function wordless(status: number): string {
  if (status >= 300 && status < 400)
    return `a redirect (HTTP ${status}) was refused: a key is sent nowhere else`;
  return `HTTP ${status} without a message`;
}

/** One line of at most 300 characters. Never cut inside a word: half a key would not be recognised as one. */
function shortened(message: string): string {
  const line = message.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= MESSAGE_KEPT) return line;
  const start = line.slice(0, MESSAGE_KEPT - 1).replace(/[\uD800-\uDBFF]$/, '');
  const isInsideWord = /[\w.-]/.test(line.charAt(start.length));
  const kept = isInsideWord ? start.replace(/[\w.-]+$/, '').trimEnd() : start;
  return kept === '' ? '' : `${kept}…`;
}
