/** The rules that recognise refusals: what they rest on, and that a vector shows each of them. */

import { describe, expect, it } from 'vitest';
import refusals from '../../spec/refusals.json' with { type: 'json' };
import { findRule, SHARED_RULES } from '../../src/providers/refusals/rules.ts';
import { type RefusalRule, SPECS } from '../../src/providers/spec.ts';
import { readChatResponse } from '../../src/wire/response/chat-response.ts';
import { readErrorBody } from '../../src/wire/response/error-body.ts';
import { REFUSAL_VECTORS, type RefusalInput, refusalsOf, textOf } from './refusal-vectors.ts';

/** A quantifier on a quantified group, or an unbounded one inside the pattern, can take exponential time. */
const SLOW_PATTERN = /[*+}]\)[*+{]|\.\*|\.\+/;

function isSound({ status, path, header, pattern }: RefusalRule): boolean {
  const hasCondition = [status, path, header, pattern].some((condition) => condition !== undefined);
  return hasCondition && (path === undefined || header === undefined) && !SLOW_PATTERN.test(pattern ?? '');
}

/** The provider's rule that decides a case. */
function decidingRule({ provider, status, headers = {}, body }: RefusalInput): RefusalRule | undefined {
  const { json, message } = readErrorBody(textOf(body));
  const answer = status === 200 ? readChatResponse(textOf(body)) : undefined;
  const reported = answer?.ok === false ? answer.status : status;
  return findRule({ status: reported, headers, json, message }, refusalsOf(provider).refusals);
}

describe('the rules of refusals', () => {
  const rules = Object.values(SPECS).map((spec) => [spec.name, spec.refusals] as const);
  const all = [...rules, ['everybody', SHARED_RULES] as const];

  it.each(all)('of %s have a condition and a pattern that takes linear time', (_, given) => {
    expect(given.filter((rule) => !isSound(rule))).toEqual([]);
    for (const { pattern = '' } of given) expect(() => new RegExp(pattern, 'i')).not.toThrow();
  });

  const shown = new Set(REFUSAL_VECTORS.map(({ input }) => decidingRule(input)));

  it.each(all)('of %s are each covered by a vector in spec/vectors/classify*.json', (_, given) => {
    expect(given.filter((rule) => !shown.has(rule)).map(({ name }) => name)).toEqual([]);
  });

  it('that are marked `anywhere` recognise what only one provider says', () => {
    const providersOf = new Map<string, readonly string[]>();
    for (const [name, given] of rules) {
      for (const { anywhere, status, path, header, pattern } of given) {
        const condition = JSON.stringify({ status, path, header, pattern });
        if (anywhere === true) providersOf.set(condition, [...(providersOf.get(condition) ?? []), name]);
      }
    }
    expect([...providersOf].filter(([, names]) => names.length > 1)).toEqual([]);
  });

  it('that only one provider words so hold at an endpoint of which nothing is known', () => {
    const relayed = REFUSAL_VECTORS.filter(({ input }) => decidingRule(input)?.anywhere === true);
    expect(relayed.length).toBeGreaterThan(80);
    for (const { input } of relayed)
      expect(decidingRule({ ...input, provider: undefined })).toBe(decidingRule(input));
  });

  it.each(all)('of %s disable a key only by a phrase or a code, never by a status alone', (_, given) => {
    const disabling = given.filter(({ kind }) => kind === 'unauthorized');
    expect(disabling.filter(({ pattern }) => pattern === undefined)).toEqual([]);
  });

  it('all pass the shape check when they are loaded', () => {
    expect(SHARED_RULES).toHaveLength(refusals.refusals.length);
  });

  it('find details with patterns that take linear time', () => {
    const { fields, fieldLists, contextLengths, quotas, units, windows } = refusals.details;
    const lists = [fields, fieldLists, contextLengths, quotas, Object.values(units), Object.values(windows)];
    expect(lists.flat().filter((pattern) => SLOW_PATTERN.test(pattern))).toEqual([]);
  });

  it.each(Object.values(SPECS).map((spec) => [spec.name, spec] as const))(
    'of %s find accounts and moments with patterns that take linear time',
    (_, { identity = [], refusals: given }) => {
      const patterns = [...identity, ...given.flatMap(({ clock }) => clock ?? [])].map(
        ({ pattern = '' }) => pattern,
      );
      expect(patterns.filter((pattern) => SLOW_PATTERN.test(pattern))).toEqual([]);
    },
  );
});
