/** Finds the rule that recognises a refusal: `refusals` of `spec/providers/*.json` and of `spec/refusals.json`. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { type FailureKind, isFailureKind, isScope, type Scope } from '../../core/failure.ts';
import { isJsonObject, jsonText, valuesAt } from '../../core/json.ts';
import { patternOf } from '../pattern.ts';
import type { RefusalRule } from '../spec.ts';

/** What a refusal means. */
export interface Verdict {
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** A guess about one model: a second model that meets it speaks for the whole account. */
  readonly escalates?: boolean;
}

/** A refusal, read. */
export interface Refusal {
  /** The status that counts: the answer's, or inside an answer with status 200 the error's own, if it has one. */
  readonly status: number | undefined;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body in the form of `readErrorBody`; `undefined` when it is not JSON. */
  readonly json: unknown;
  readonly message: string;
}

/** A verdict for every status between two, both included. */
interface StatusVerdict extends Verdict {
  readonly from: number;
  readonly to: number;
}

function isVerdict(row: unknown): row is Verdict {
  if (!isJsonObject(row)) return false;
  return isFailureKind(row['kind']) && isScope(row['scope']);
}

function isRule(row: unknown): row is RefusalRule {
  return isVerdict(row) && 'name' in row && typeof row.name === 'string';
}

function isStatusVerdict(row: unknown): row is StatusVerdict {
  return (
    isVerdict(row) &&
    'from' in row &&
    typeof row.from === 'number' &&
    'to' in row &&
    typeof row.to === 'number'
  );
}

// The literal types of a JSON module say what is there today, not what may be.
function rowsOf(rows: readonly unknown[]): readonly unknown[] {
  return rows;
}

/** What holds for every provider, after its own rules. */
export const SHARED_RULES: readonly RefusalRule[] = rowsOf(table.refusals).filter(isRule);

/** `answer`: the API refused; `page`: an edge or a proxy did; `inside`: an error inside an answer with status 200. */
export type Situation = 'answer' | 'page' | 'inside';

const STATUS_VERDICTS: Readonly<Record<Situation, readonly StatusVerdict[]>> = {
  answer: rowsOf(table.statuses).filter(isStatusVerdict),
  page: rowsOf(table.pages).filter(isStatusVerdict),
  inside: rowsOf(table.inside).filter(isStatusVerdict),
};

/** Where nothing else speaks: mild, and about the provider only. */
const UNKNOWN: Verdict = { kind: 'server_error', scope: 'provider' };

/** What a refusal means by its status alone, when no rule recognises it; a missing status counts as 0. */
export function verdictOfStatus(situation: Situation, status = 0): Verdict {
  const row = STATUS_VERDICTS[situation].find(({ from, to }) => from <= status && status <= to);
  if (row === undefined) return UNKNOWN;
  const { kind, scope, escalates = false } = row;
  return escalates ? { kind, scope, escalates } : { kind, scope };
}

const answers: Readonly<Record<string, unknown>> = table.answers;

/** What a problem of an answer with status 200 means: `empty`, `malformed`, `html` or `content_filter`. */
export function verdictOfAnswer(problem: string): Verdict {
  const verdict = answers[problem];
  return isVerdict(verdict) ? { kind: verdict.kind, scope: verdict.scope } : UNKNOWN;
}

/** The first of the provider's rules, then of the shared ones, that holds. */
export function findRule(refusal: Refusal, rules: readonly RefusalRule[]): RefusalRule | undefined {
  const holding = (rule: RefusalRule): boolean => holds(rule, refusal);
  return rules.find(holding) ?? SHARED_RULES.find(holding);
}

function holds(rule: RefusalRule, refusal: Refusal): boolean {
  if (rule.status !== undefined && (refusal.status === undefined || !rule.status.includes(refusal.status)))
    return false;
  if (rule.path === undefined && rule.header === undefined && rule.pattern === undefined)
    return rule.status !== undefined;
  const texts = textsFor(rule, refusal);
  const pattern = rule.pattern === undefined ? undefined : patternOf(rule.pattern);
  return pattern === undefined ? texts.length > 0 : texts.some((text) => pattern.test(text));
}

function textsFor(rule: RefusalRule, refusal: Refusal): readonly string[] {
  if (rule.header !== undefined) {
    const value = refusal.headers[rule.header.toLowerCase()];
    return value === undefined ? [] : [value];
  }
  if (rule.path !== undefined) return valuesAt(refusal.json, rule.path).map(textOf);
  return refusal.message === '' ? [] : [refusal.message];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : jsonText(value);
}
