/** Turns what a provider answered into a failure: what it means, for whom, and when to come back. Never throws. */

import type { Failure, FailureKind } from '../core/failure.ts';
import { type RetryHints, readRetryHints } from '../core/retry-after.ts';
import type { Headers } from '../ports.ts';
import { readChatResponse, type RefusedAnswer } from '../wire/chat-response.ts';
import { readErrorBody } from '../wire/error-body.ts';
import { refusedFields, statedContextLength, statedLimitOf } from './refusal-details.ts';
import { findRule, type Refusal, type Verdict, verdictOfAnswer, verdictOfStatus } from './refusal-rules.ts';
import type { RefusalRule } from './spec.ts';

/** A provider's whole answer. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Takes keys out of the message, read as it is but not yet shortened: half a key would not be recognised as one. */
  readonly redact?: (text: string) => string;
}

const MESSAGE_KEPT = 300;

/**
 * What an unsuccessful answer means. The provider's rules are tried in order, then the shared ones of
 * `spec/refusals.json`, then the status alone decides. An answer with status 200 is judged by its content.
 */
export function classify(reply: Reply, rules: readonly RefusalRule[], now: number): Failure {
  if (reply.status === 200) {
    const answer = readChatResponse(reply.body);
    if (!answer.ok) return classifyAnswer(answer, reply, { rules, now });
    // Only who asked knows why a good answer failed it.
    return { ...verdictOfAnswer('malformed'), message: 'the answer could not be used', status: reply.status };
  }
  const body = readErrorBody(reply.body);
  const refusal: Refusal = {
    status: reply.status,
    headers: reply.headers,
    json: body.json,
    message: reply.redact?.(body.message) ?? body.message,
  };
  // What a page says was not said by the API, so the rules do not apply to it.
  const rule = body.html ? undefined : findRule(refusal, rules);
  const verdict = rule ?? verdictOfStatus(body.html ? 'page' : 'answer', reply.status);
  return failureOf(verdict, refusal, { status: reply.status, now });
}

/** What an answer with status 200 means that `readChatResponse` refused. */
export function classifyAnswer(
  refused: RefusedAnswer,
  reply: Reply,
  given: { readonly rules: readonly RefusalRule[]; readonly now: number },
): Failure {
  const body = readErrorBody(reply.body);
  const refusal: Refusal = {
    status: refused.status,
    headers: reply.headers,
    json: body.json,
    message: refused.message,
  };
  const verdict =
    refused.problem === 'error'
      ? (findRule(refusal, given.rules) ?? verdictOfStatus('inside', refused.status))
      : verdictOfAnswer(refused.problem);
  return failureOf(verdict, refusal, { status: reply.status, now: given.now });
}

/** Kinds for which a hint is believed; a hint beside others misleads (Google sends `retry in 40s` with `limit: 0`). */
const HINTED: ReadonlySet<FailureKind> = new Set(['rate_limited', 'model_busy', 'server_error', 'timeout']);
/** Kinds that speak of a window whose end a reset clock shows. */
const CLOCKED: ReadonlySet<FailureKind> = new Set(['rate_limited', 'quota_exhausted', 'model_busy']);

function retryAtOf(kind: FailureKind, { retryAt, resetAt }: RetryHints): number | undefined {
  const hint = HINTED.has(kind) ? retryAt : undefined;
  return hint ?? (CLOCKED.has(kind) ? resetAt : undefined);
}

function failureOf(
  {
    kind,
    scope,
    capabilities,
    parameters: meant = [],
  }: Verdict & Pick<RefusalRule, 'capabilities' | 'parameters'>,
  refusal: Refusal,
  answer: { readonly status: number; readonly now: number },
): Failure {
  const { headers, json, message } = refusal;
  const hints = readRetryHints({ status: answer.status, headers, json, message }, answer.now);
  const retryAt = retryAtOf(kind, hints);
  const limited = kind === 'rate_limited' || kind === 'quota_exhausted';
  const statedLimit = limited ? statedLimitOf(refusal, kind) : undefined;
  const parameters = kind === 'unsupported' ? [...new Set([...meant, ...refusedFields(refusal)])] : [];
  const contextLength = kind === 'context_too_long' ? statedContextLength(refusal) : undefined;
  return {
    kind,
    scope,
    message: shortened(message) || wordless(answer.status),
    status: answer.status,
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(statedLimit === undefined ? {} : { statedLimit }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(contextLength === undefined ? {} : { contextLength }),
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
