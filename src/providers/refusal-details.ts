/** What a refusal tells besides its meaning: the refused fields, the real limit, the context length. */

import type { FailureKind } from '../core/failure.ts';
import { member, valuesAt } from '../core/json-path.ts';
import { statedHeader } from '../core/retry-after.ts';
import type { Refusal } from './refusal-rules.ts';

/** How each server names a refused field of the request's top level (recorded 2026-08 to 2026-10). */
const FIELD_PATTERNS: readonly RegExp[] = [
  // Google. With `at '…'` behind it, the name is a field deep inside another one.
  /Unknown name "([A-Za-z_]\w*)"(?! at ')/g,
  // NIM. `body -> messages -> 0 -> name` is a field inside `messages`.
  /\bbody -> ([A-Za-z_]\w*)(?! ->|\w)/g,
  /'loc': \('body', '([A-Za-z_]\w*)'\)/g,
  /\b(?:parameter|property|field|argument) [`'"]([A-Za-z_]\w*)[`'"]/gi,
  /[`'"]([A-Za-z_]\w*)[`'"] (?:is|are) (?:not supported|unsupported|not permitted|not allowed)/gi,
  /^([a-z]+_\w+) is not supported/g,
];

/** Lists such as `Unsupported parameter(s): a, b`. */
const FIELD_LIST =
  /(?:unsupported parameters?(?:\(s\))?|unrecognized request arguments? supplied|unknown parameters?): ?([^\n]{1,500})/i;

/** A request is nothing without these: whoever refuses one of them means its content. */
const ESSENTIAL: ReadonlySet<string> = new Set(['body', 'messages', 'model', 'stream', 'contents']);
const MOST_FIELDS = 32;

/** The names in `a, b` or `'a' is not supported. Use 'b' instead.`: what follows a name ends the list. */
function listedFields(list: string): readonly string[] {
  const names: string[] = [];
  for (const item of list.split(',', MOST_FIELDS)) {
    const [, name, rest = ''] = /^\s*[`'"]?([A-Za-z_]\w*)[`'"]?([^,]*)$/.exec(item) ?? [];
    if (name === undefined) break;
    names.push(name);
    if (rest.trim() !== '') break;
  }
  return names;
}

/** The fields of the request that an `unsupported` refusal names, in the order of their appearance. */
export function refusedFields(refusal: Refusal): readonly string[] {
  const { message } = refusal;
  const names = FIELD_PATTERNS.flatMap((pattern) =>
    [...message.matchAll(pattern)].map(([, name = '']) => name),
  );
  names.push(...listedFields(FIELD_LIST.exec(message)?.[1] ?? ''));
  if (names.length === 0) {
    const param = member(member(refusal.json, 'error'), 'param');
    if (typeof param === 'string' && /^[A-Za-z_]\w*$/.test(param)) names.push(param);
  }
  return [...new Set(names)].filter((name) => !ESSENTIAL.has(name)).slice(0, MOST_FIELDS);
}

const CONTEXT_PATTERNS: readonly RegExp[] = [
  /maximum context length (?:is|of) (\d[\d,]{0,12}) tokens/i,
  /maximum number of tokens allowed \((\d[\d,]{0,12})\)/i,
  /context (?:length|window|size) (?:is|of)(?: only)? (\d[\d,]{0,12}) tokens/i,
  /\bwhile limit is (\d[\d,]{0,12})/i,
];

/** The model's context length in tokens, as a `context_too_long` refusal states it. */
export function statedContextLength({ message }: Refusal): number | undefined {
  for (const pattern of CONTEXT_PATTERNS) {
    const length = positive(pattern.exec(message)?.[1]?.replaceAll(',', ''));
    if (length !== undefined) return length;
  }
  return undefined;
}

function positive(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const digits = typeof text === 'string' ? /^\s*(\d{1,12})\s*(?:$|[,;])/.exec(text)?.[1] : undefined;
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

/** Google's own statement: of the violated quotas the one that counts requests in the window that refused. */
function googleLimit(refusal: Refusal, kind: FailureKind): number | undefined {
  const violations = valuesAt(refusal.json, 'error.details.*.violations.*');
  for (const violation of violations) {
    const id = member(violation, 'quotaId');
    if (typeof id !== 'string' || !/requests/i.test(id)) continue;
    const daily = /perday|daily/i.test(id);
    const limit = positive(member(violation, 'quotaValue'));
    if (daily === (kind === 'quota_exhausted') && limit !== undefined) return limit;
  }
  if (violations.length > 1) return undefined;
  const lines = [...refusal.message.matchAll(/_requests, limit: (\d{1,12})/g)];
  return lines.length === 1 ? positive(lines[0]?.[1]) : undefined;
}

/**
 * The provider's real limit of requests in the window that refused, where the answer states it. Limits on tokens
 * are left out: they must not become a limit on requests.
 */
export function statedLimitOf(refusal: Refusal, kind: FailureKind): number | undefined {
  return (
    positive(/\blimited to (\d{1,9}) requests? per minute/i.exec(refusal.message)?.[1]) ??
    googleLimit(refusal, kind) ??
    positive(statedHeader(refusal, 'x-ratelimit-limit')) ??
    positive(member(refusal.json, 'limit'))
  );
}
