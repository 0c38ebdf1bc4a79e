/** Turns an unsuccessful answer into a failure: its kind, its scope and when to retry. Never throws. */

import { type Failure, FAILURE_EFFECTS } from '../../core/failure.ts';
import { readTimestamp } from './moments.ts';
import { type RetryHints, readRetryHints } from './retry-hints.ts';
import type { Headers } from '../../ports.ts';
import type { RefusedAnswer } from '../../wire/response/chat-response.ts';
import { readErrorBody, readUpstream } from '../../wire/response/error-body.ts';
import {
  identityIn,
  refusedFields,
  reportedContextLength,
  reportedMaxOutput,
  withoutName,
} from './details.ts';
import {
  findRequestRule,
  findRule,
  type Refusal,
  type Verdict,
  verdictOfAnswer,
  verdictOfStatus,
} from './rules.ts';
import { type RefusedQuota, refusedQuota } from './refused-quota.ts';
import { patternOf } from '../pattern.ts';
import type { ProviderSpec, RefusalRule } from '../spec.ts';
import { DAY_MS, MINUTE_MS } from '../../core/time.ts';

/** A provider's complete answer. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Masks keys in the message before it is shortened, since half a key would not be recognised. */
  readonly redact?: (text: string) => string;
}

/** The parts of a provider's data that describe its refusals. */
export type RefusalSpec = Pick<ProviderSpec, 'refusals' | 'quotaHeaders' | 'identity'>;

const MESSAGE_KEPT = 300;

/**
 * Classifies an answer with a status other than 200. The provider's rules are tried in order, then the shared rules of
 * `spec/refusals.json`. If no rule holds, the status decides.
 */
// spec 7.1, 7.3
export function classify(reply: Reply, spec: RefusalSpec, now: number): Failure {
  const body = readErrorBody(reply.body);
  const refusal: Refusal = {
    status: reply.status,
    headers: reply.headers,
    json: body.json,
    message: reply.redact?.(body.message) ?? body.message,
  };
  const answered = { status: reply.status, spec, now };
  // An HTML page comes from a proxy and not from the API, so the rules do not apply.
  if (body.html) return failureOf(verdictOfStatus('page', reply.status), refusal, answered);
  const relayed = relayedBy(refusal, reply);
  const rule = relayed?.rule ?? findRule(refusal, spec.refusals);
  return failureOf(rule ?? verdictOfStatus('answer', reply.status), refusal, answered, relayed?.refusal);
}

/** Classifies an answer with status 200 that `readChatResponse` refused. */
// spec 7.6
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
  const answered = { status: reply.status, ...given };
  if (refused.problem !== 'error') return failureOf(verdictOfAnswer(refused.problem), refusal, answered);
  const relayed = relayedBy(refusal, reply);
  const rule = relayed?.rule ?? findRule(refusal, given.spec.refusals) ?? withoutStatus(refusal);
  const verdict = rule ?? verdictOfStatus('inside', refused.status);
  return failureOf(verdict, refusal, answered, relayed?.refusal);
}

/** The rule for an error that states no status: only what is wrong with the request can be read from its words. */
function withoutStatus(refusal: Refusal): RefusalRule | undefined {
  return refusal.status === undefined ? findRequestRule({ ...refusal, status: BAD_REQUEST }) : undefined;
}

const BAD_REQUEST = 400;

/**
 * The refusal that a gateway relays, with the rule that it meets. Only rules about the request count: what a model's host
 * says about a key or a quota is not about the caller's.
 */
// spec 7.16
function relayedBy(
  refusal: Refusal,
  { redact }: Reply,
): { readonly rule: RefusalRule; readonly refusal: Refusal } | undefined {
  const inner = readUpstream(refusal);
  if (inner === undefined) return undefined;
  const { status = BAD_REQUEST } = refusal;
  const relayed: Refusal = {
    status: inner.status ?? (status >= 400 && status < 500 ? status : BAD_REQUEST),
    headers: {},
    json: inner.json,
    message: redact?.(inner.message) ?? inner.message,
  };
  const rule = findRequestRule(relayed);
  return rule === undefined ? undefined : { rule, refusal: relayed };
}

/** A longer wait is shortened to this: the answer may be garbled, and one request a day costs little. */
const LONGEST_WAIT_MS = DAY_MS;
/** A shorter hint is ignored when a daily quota refused: Google sends `retry in 15s` to `59s` then (2026-09). */
const SHORT_HINT_MS = 5 * MINUTE_MS;

/** A verdict with the other members of its rule. */
type Ruling = Verdict & Partial<Omit<RefusalRule, keyof Verdict>>;

interface Answered {
  /** The HTTP status. */
  readonly status: number;
  readonly spec: RefusalSpec;
  readonly now: number;
}

/** The hint, if it can be trusted for this kind of refusal. */
function hintOf({ kind, hinted = false }: Ruling, { retryAt }: RetryHints, now: number): number | undefined {
  const { hint } = FAILURE_EFFECTS[kind];
  // Beside some kinds a hint misleads: Google sends `retry in 40s` with `limit: 0`.
  if (hint === undefined || retryAt === undefined) return undefined;
  return hint === 'always' || hinted || retryAt - now >= SHORT_HINT_MS ? retryAt : undefined;
}

/** The moment in the message that the rule's `clock` finds. */
function clockOf({ clock }: Ruling, { message }: Refusal, now: number): number | undefined {
  if (clock === undefined) return undefined;
  const local = patternOf(clock.pattern).exec(message)?.[1];
  const moment = local === undefined ? undefined : readTimestamp(local + clock.offset);
  return moment === undefined || moment <= now ? undefined : moment;
}

// spec 7.7
function retryAtOf(
  ruling: Ruling,
  refusal: Refusal,
  quota: RefusedQuota,
  { status, now }: Answered,
): number | undefined {
  const hints = readRetryHints({ ...refusal, status }, now);
  const isClocked = FAILURE_EFFECTS[ruling.kind].clock === true;
  const named =
    clockOf(ruling, refusal, now) ??
    hintOf(ruling, hints, now) ??
    (isClocked ? (hints.resetAt ?? quota.resetAt) : undefined);
  if (named === undefined) return ruling.retryAfterMs === undefined ? undefined : now + ruling.retryAfterMs;
  return Math.min(named, now + LONGEST_WAIT_MS);
}

/** The refused request fields. An empty list in the rule means none, even if the message names some. */
function parametersOf({ kind, parameters: meant }: Ruling, refusal: Refusal): readonly string[] {
  if (FAILURE_EFFECTS[kind].remembers !== 'parameters' || meant?.length === 0) return [];
  return [...new Set([...(meant ?? []), ...refusedFields(refusal)])];
}

/** What a refusal reports of quotas. */
function quotaDetails(ruling: Ruling, refusal: Refusal, answered: Answered): Partial<Failure> {
  const { spec, now } = answered;
  const { kind, unit } = ruling;
  const quota = refusedQuota(refusal, { kind, unit, quotaHeaders: spec.quotaHeaders ?? [], now });
  const retryAt = retryAtOf(ruling, refusal, quota, answered);
  return {
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(quota.limit === undefined ? {} : { reportedLimit: quota.limit }),
    ...(quota.unit === undefined ? {} : { unit: quota.unit }),
    ...(quota.others.length > 0 ? { reported: quota.others } : {}),
  };
}

/** What a refusal reports of the model's capabilities. */
function modelDetails(ruling: Ruling, refusal: Refusal): Partial<Failure> {
  const { kind, capabilities } = ruling;
  const parameters = parametersOf(ruling, refusal);
  const isTooLong = FAILURE_EFFECTS[kind].remembers === 'size';
  const maxOutput = kind === 'unsupported' ? reportedMaxOutput(refusal) : undefined;
  const contextLength = isTooLong ? reportedContextLength(refusal) : undefined;
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(maxOutput === undefined ? {} : { maxOutput }),
  };
}

/** `meant` is the refusal that the ruling is about: the one that a gateway relays, or `refusal` itself. */
function failureOf(ruling: Ruling, refusal: Refusal, answered: Answered, meant: Refusal = refusal): Failure {
  const { kind, scope, escalates } = ruling;
  const { spec, status } = answered;
  const identity = identityIn(refusal, spec.identity ?? []);
  return {
    kind,
    scope,
    message: shortened(withoutName(refusal.message, identity)) || messageForStatus(status),
    status,
    ...quotaDetails(ruling, refusal, answered),
    ...(identity === undefined ? {} : { identity: identity.hash }),
    ...(escalates === true ? { escalates } : {}),
    ...modelDetails(ruling, meant),
  };
}

function messageForStatus(status: number): string {
  if (status >= 300 && status < 400)
    return `a redirect (HTTP ${status}) was refused: a key is sent nowhere else`;
  return `HTTP ${status} without a message`;
}

/** One line of at most 300 characters. It never cuts a word: half a key would not be recognised and masked. */
function shortened(message: string): string {
  const line = message.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= MESSAGE_KEPT) return line;
  const start = line.slice(0, MESSAGE_KEPT - 1).replace(/[\uD800-\uDBFF]$/, '');
  const isInsideWord = /[\w.-]/.test(line.charAt(start.length));
  const kept = isInsideWord ? start.replace(/[\w.-]+$/, '').trimEnd() : start;
  return kept === '' ? '' : `${kept}…`;
}
