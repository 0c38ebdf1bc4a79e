/** What a refusal tells besides its meaning: the refused fields, the context length, whom it was counted against. */

import table from '../../../spec/refusals.json' with { type: 'json' };
import { member, valuesAt } from '../../core/json.ts';
import { hashKey } from '../key.ts';
import type { Refusal } from './rules.ts';
import type { IdentityRule } from '../spec.ts';
import { positive } from './refused-quota.ts';

const { fields, fieldLists, contextLengths, contextLengthPaths } = table.details;
const FIELD_PATTERNS = fields.map((source) => new RegExp(source, 'gi'));
const FIELD_LISTS = fieldLists.map((source) => new RegExp(source, 'i'));
const CONTEXT_PATTERNS = contextLengths.map((source) => new RegExp(source, 'i'));

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
  for (const pattern of FIELD_LISTS) names.push(...listedFields(pattern.exec(message)?.[1] ?? ''));
  if (names.length === 0) {
    const param = member(member(refusal.json, 'error'), 'param');
    if (typeof param === 'string' && /^[A-Za-z_]\w*$/.test(param)) names.push(param);
  }
  return [...new Set(names)].filter((name) => !ESSENTIAL.has(name)).slice(0, MOST_FIELDS);
}

/** The model's context length in tokens, as a `context_too_long` refusal states it. */
export function statedContextLength({ message, json }: Refusal): number | undefined {
  const stated = [
    ...contextLengthPaths.flatMap((path) => valuesAt(json, path)),
    ...CONTEXT_PATTERNS.map((pattern) => pattern.exec(message)?.[1]),
  ];
  return stated.map(positive).find((length) => length !== undefined);
}

/** The name of an account, and its hash. */
interface Identity {
  readonly name: string;
  readonly hash: string;
}

const LONGEST_NAME = 200;
/** A shorter name would be found in other words, too. */
const SHORTEST_NAME = 3;

const compiled = new WeakMap<IdentityRule, RegExp>();

function nameIn(rule: IdentityRule, text: string): string | undefined {
  if (rule.pattern === undefined) return text;
  let pattern = compiled.get(rule);
  if (pattern === undefined) {
    pattern = new RegExp(rule.pattern, 'i');
    compiled.set(rule, pattern);
  }
  return pattern.exec(text)?.[1];
}

/** Whom a refusal was counted against, where it says so. */
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

/** A text that shows of an account no more than six digits of its hash. */
export function withoutName(text: string, identity: Identity | undefined): string {
  return identity === undefined ? text : text.replaceAll(identity.name, `#${identity.hash.slice(0, 6)}`);
}
