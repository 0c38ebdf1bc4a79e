/** Matches refusals against the rules of `spec/providers/*.json` and `spec/refusals.json`. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { FAILURE_EFFECTS, type FailureKind, isFailureKind, isScope, type Scope } from '../../core/failure.ts';
import { isJsonObject, jsonText, valuesAt } from '../../core/json.ts';
import { patternOf } from '../pattern.ts';
import { type RefusalRule, SPECS } from '../spec.ts';

/** The meaning of a refusal. */
export interface Verdict {
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** The verdict is a guess about one model; if a second model gets it, the whole account is blocked. */
  readonly escalates?: boolean;
}

/** A parsed refusal. */
export interface Refusal {
  /** The answer's status; inside an answer with status 200, that of the error, if it has one. */
  readonly status: number | undefined;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as `readErrorBody` gives it; `undefined` if it is not JSON. */
  readonly json: unknown;
  readonly message: string;
}

/** A verdict for the statuses from `from` to `to`, both included. */
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

// A JSON module has the types of today's values, which would make the checks below look needless.
function rowsOf(rows: readonly unknown[]): readonly unknown[] {
  return rows;
}

/** Rules for every provider, tried after its own. */
export const SHARED_RULES: readonly RefusalRule[] = rowsOf(table.refusals).filter(isRule);

/** `answer`: the API refused. `page`: a proxy answered. `inside`: an error inside an answer with status 200. */
export type Situation = 'answer' | 'page' | 'inside';

const STATUS_VERDICTS: Readonly<Record<Situation, readonly StatusVerdict[]>> = {
  answer: rowsOf(table.statuses).filter(isStatusVerdict),
  page: rowsOf(table.pages).filter(isStatusVerdict),
  inside: rowsOf(table.inside).filter(isStatusVerdict),
};

/** The mildest verdict, if nothing else matches. */
const UNKNOWN: Verdict = { kind: 'server_error', scope: 'provider' };

/** The verdict by status alone, if no rule holds. A missing status counts as 0. */
// spec 7.3
export function verdictOfStatus(situation: Situation, status = 0): Verdict {
  const row = STATUS_VERDICTS[situation].find(({ from, to }) => from <= status && status <= to);
  if (row === undefined) return UNKNOWN;
  const { kind, scope, escalates = false } = row;
  return escalates ? { kind, scope, escalates } : { kind, scope };
}

const answers: Readonly<Record<string, unknown>> = table.answers;

/** The verdict on an unusable answer with status 200: `empty`, `malformed`, `html` or `content_filter`. */
// spec 7.6
export function verdictOfAnswer(problem: string): Verdict {
  const verdict = answers[problem];
  return isVerdict(verdict) ? { kind: verdict.kind, scope: verdict.scope } : UNKNOWN;
}

/** The rules for refusals that only one provider words so. They hold for all, because a gateway or a proxy relays them. */
const SHAPES: readonly RefusalRule[] = Object.values(SPECS).flatMap(({ refusals }) =>
  refusals.filter(({ anywhere }) => anywhere === true),
);

/**
 * The first rule that holds: the provider's own, then those of any provider for what only that one says, then the shared
 * ones. A rule of the provider that reads nothing but the status comes after what the words say about the request.
 */
// spec 7.3, 7.16
export function findRule(refusal: Refusal, rules: readonly RefusalRule[]): RefusalRule | undefined {
  const holding = (rule: RefusalRule): boolean => holds(rule, refusal);
  const worded = rules.find((rule) => !isStatusAlone(rule) && holding(rule)) ?? SHAPES.find(holding);
  if (worded !== undefined) return worded;
  const byStatus = rules.find(holding);
  return byStatus === undefined ? SHARED_RULES.find(holding) : (findRequestRule(refusal) ?? byStatus);
}

/** The first rule that holds of those about what the request contains or what the model made of it. */
// spec 7.16
export function findRequestRule(refusal: Refusal): RefusalRule | undefined {
  const holding = (rule: RefusalRule): boolean => isAboutRequest(rule) && holds(rule, refusal);
  return SHAPES.find(holding) ?? SHARED_RULES.find(holding);
}

function isAboutRequest({ kind }: RefusalRule): boolean {
  return FAILURE_EFFECTS[kind].aboutRequest === true;
}

function isStatusAlone({ path, header, pattern }: RefusalRule): boolean {
  return path === undefined && header === undefined && pattern === undefined;
}

/** As much as is kept of a message: patterns search no longer text. */
const TEXT_SEARCHED = 8192;

// spec 7.4
function holds(rule: RefusalRule, refusal: Refusal): boolean {
  if (rule.status !== undefined && (refusal.status === undefined || !rule.status.includes(refusal.status)))
    return false;
  if (isStatusAlone(rule)) return rule.status !== undefined;
  const texts = textsFor(rule, refusal);
  const pattern = rule.pattern === undefined ? undefined : patternOf(rule.pattern);
  return pattern === undefined ? texts.length > 0 : texts.some((text) => pattern.test(text));
}

function textsFor(rule: RefusalRule, refusal: Refusal): readonly string[] {
  if (rule.header !== undefined) {
    const value = refusal.headers[rule.header.toLowerCase()];
    return value === undefined ? [] : [value.slice(0, TEXT_SEARCHED)];
  }
  if (rule.path !== undefined) return valuesAt(refusal.json, rule.path).map(textOf);
  return [refusal.message];
}

function textOf(value: unknown): string {
  return (typeof value === 'string' ? value : jsonText(value)).slice(0, TEXT_SEARCHED);
}
