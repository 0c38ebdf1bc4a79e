/** Details of a refusal beside its kind: the refused fields, the context length, the account. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { member, valuesAt } from '../../core/json.ts';
import { hashKey } from '../key.ts';
import { patternOf } from '../pattern.ts';
import type { IdentityRule } from '../spec.ts';
import { positive } from './refused-quota.ts';
import type { Refusal } from './rules.ts';

const { fields, fieldLists, answerLengths, contextLengths, paths } = table.details;
const FIELD_PATTERNS = fields.map((source) => new RegExp(source, 'gi'));
const FIELD_LISTS = fieldLists.map((source) => new RegExp(source, 'i'));
const ANSWER_PATTERNS = answerLengths.map((source) => new RegExp(source, 'i'));
const CONTEXT_PATTERNS = contextLengths.map((source) => new RegExp(source, 'i'));

/** No field that could be left out: a refusal that names one of these means its content. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  'body',
  'contents',
  'json_object',
  'json_schema',
  'messages',
  'model',
  'stream',
]);
const MOST_FIELDS = 32;

/** The names in a list such as `a, b`. Other words after a name end the list: `'a' is not supported. Use 'b'.` */
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

/** The request fields that an `unsupported` refusal names. */
// spec 7.7
export function refusedFields(refusal: Refusal): readonly string[] {
  const { message } = refusal;
  const names = FIELD_PATTERNS.flatMap((pattern) =>
    [...message.matchAll(pattern)].map(([, name = '']) => name),
  );
  for (const pattern of FIELD_LISTS) names.push(...listedFields(pattern.exec(message)?.[1] ?? ''));
  if (names.length === 0) {
    const param = member(member(refusal.json, 'error'), 'param');
    if (typeof param === 'string' && /^[A-Za-z_]\w*$/.test(param)) names.push(param);
  }
  // A word that begins a sentence is written with a capital.
  const written = names.map((name) => (/^[A-Z][a-z_]*$/.test(name) ? name.toLowerCase() : name));
  return [...new Set(written)].filter((name) => !ESSENTIAL.has(name)).slice(0, MOST_FIELDS);
}

/** The model's context length in tokens that a `context_too_long` refusal reports. */
// spec 7.7
export function reportedContextLength({ message, json }: Refusal): number | undefined {
  const reported = [
    ...paths.contextLength.flatMap(({ path }) => valuesAt(json, path)),
    ...CONTEXT_PATTERNS.map((pattern) => pattern.exec(message)?.[1]),
  ];
  return reported.map(positive).find((length) => length !== undefined);
}

/** The model's largest answer in tokens that an `unsupported` refusal reports. */
// spec 7.7
export function reportedMaxOutput({ message }: Refusal): number | undefined {
  return ANSWER_PATTERNS.map((pattern) => positive(pattern.exec(message)?.[1])).find(
    (length) => length !== undefined,
  );
}

interface Identity {
  readonly name: string;
  readonly hash: string;
}

const LONGEST_NAME = 200;
/** A shorter name could be a part of another word, which `withoutName` would replace. */
const SHORTEST_NAME = 3;

function nameIn({ pattern }: IdentityRule, text: string): string | undefined {
  return pattern === undefined ? text : patternOf(pattern).exec(text)?.[1];
}

/** The account that a refusal names. */
// spec 7.7
export function identityIn(refusal: Refusal, rules: readonly IdentityRule[]): Identity | undefined {
  for (const rule of rules) {
    const values = rule.path === undefined ? [refusal.message] : valuesAt(refusal.json, rule.path);
    for (const value of values) {
      const name = typeof value === 'string' ? nameIn(rule, value)?.trim() : undefined;
      if (name !== undefined && name.length >= SHORTEST_NAME && name.length <= LONGEST_NAME)
        return { name, hash: hashKey(name) };
    }
  }
  return undefined;
}

/** Replaces an account's name by six digits of its hash. */
export function withoutName(text: string, identity: Identity | undefined): string {
  return identity === undefined ? text : text.replaceAll(identity.name, `#${identity.hash.slice(0, 6)}`);
}
