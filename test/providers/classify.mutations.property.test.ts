import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/providers/refusals/classify.ts';
import { SHARED_RULES } from '../../src/providers/refusals/rules.ts';
import { SPECS } from '../../src/providers/spec.ts';
import { failureIn, refusalsOf, REFUSAL_VECTORS, textOf } from './refusal-vectors.ts';

const NOW = 1_790_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const KEY = 'sk-test-0123456789abcdefghij';

type Change = (body: string) => string;

const FOREIGN: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  99_999_999_999_999,
  '',
  '\u0000\u001B[31m',
  '0',
  [],
  {},
  [[[]]],
  { message: { message: { message: 'x' } } },
  { __proto__: { code: 1 }, constructor: 'x', toString: 'y', hasOwnProperty: 1 },
];

const WRAPPERS: readonly Change[] = [
  (body) => JSON.stringify({ error: { message: body } }),
  (body) => JSON.stringify([{ error: JSON.stringify({ error: { metadata: { raw: body } } }) }]),
  (body) => JSON.stringify({ errors: [body, body] }),
  (body) => JSON.stringify({ detail: [{ loc: ['body', 'seed'], msg: body }] }),
  (body) => `data: ${body}\n\ndata: [DONE]\n\n`,
  (body) => `{"response":"a"}\n${body}`,
  (body) => `\uFEFF  ${body}\r\n`,
  (body) => `<!doctype html><title>${body}</title>`,
  (body) => '{"error":'.repeat(60) + body + '}'.repeat(60),
  (body) => '['.repeat(5000) + body,
  (body) => `{"choices":[{"error":${body}}]}`,
  (body) => JSON.stringify({ title: 'Unauthorized', status: 401, detail: body }),
  (body) => `event: error\ndata: ${body}\n\n`,
  (body) => body + body,
];

/** Replaces leaf or list number `at` of a parsed body. */
function replaced(value: unknown, at: { left: number }, by: unknown): unknown {
  at.left -= 1;
  if (at.left === 0) return by;
  if (Array.isArray(value)) return value.map((element) => replaced(element, at, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaced(member, at, by)]));
}

function retyped(body: string, at: number, by: unknown): string {
  try {
    return JSON.stringify(replaced(JSON.parse(body), { left: at }, by)) ?? '';
  } catch {
    return body + JSON.stringify(by);
  }
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...WRAPPERS),
  fc.double({ min: 0, max: 1, noNaN: true }).map(
    (part): Change =>
      (body) =>
        body.slice(0, Math.floor(body.length * part)),
  ),
  fc.double({ min: 0, max: 1, noNaN: true }).map(
    (part): Change =>
      (body) =>
        body.slice(Math.floor(body.length * part)),
  ),
  fc.tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom(...FOREIGN)).map(
    ([at, by]): Change =>
      (body) =>
        retyped(body, at, by),
  ),
  fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.string({ unit: 'binary', maxLength: 5 }))
    .map(([part, noise]): Change => (body) => {
      const at = Math.floor(body.length * part);
      return body.slice(0, at) + noise + body.slice(at + noise.length);
    }),
  fc.constantFrom('9'.repeat(15), '9'.repeat(400), '-1', '1e400').map(
    (digits): Change =>
      (body) =>
        body.replaceAll(/\d+/g, digits),
  ),
  fc.constant<Change>((body) => body.toUpperCase()),
  fc.constant<Change>((body) => body.toLowerCase()),
  fc.constant<Change>((body) => body.replaceAll('"', "'")),
  fc.constant<Change>((body) => body.replaceAll(/\s+/g, '\n')),
  fc.constant<Change>((body) => `${body} ${KEY}`),
);

const headerNames = [
  'retry-after',
  'retry-after-ms',
  'x-ratelimit-reset',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-limit-req-minute',
  'x-ratelimit-reset-tokens-day',
  'x-ratelimit-limit-tokens-month',
  'x-ratelimit-reset-tokens-month',
  'sunset',
  'constructor',
];
const headerValues = [
  '0',
  '-7',
  '1e99',
  '9'.repeat(300),
  '2s, 2s',
  '1h1h1h',
  'NaN',
  '',
  '\u0000',
  '9999999999',
  '99999999999999',
  '999999h',
  '9999-12-31T00:00:00Z',
  'Fri, 31 Dec 9999 23:59:59 GMT',
];
const borrowed = REFUSAL_VECTORS.map(({ input }) => input.headers ?? {});

/** The headers of this answer or of another one, repeated headers, or nonsense. */
function headersLike(own: Reply['headers']): fc.Arbitrary<Reply['headers']> {
  return fc.oneof(
    fc.constant(own),
    fc.constantFrom(...borrowed),
    fc.constantFrom(...borrowed).map((other) => ({ ...other, ...own })),
    fc.constant(Object.fromEntries(Object.entries(own).map(([name, value]) => [name, `${value}, ${value}`]))),
    fc
      .dictionary(fc.constantFrom(...headerNames), fc.oneof(fc.constantFrom(...headerValues), fc.string()))
      .map((nonsense) => ({ ...own, ...nonsense })),
  );
}

const redact = (text: string): string => text.replaceAll(KEY, '…');

type Vector = (typeof REFUSAL_VECTORS)[number];

/** An answer that was changed in transit, up to three times. */
function mutated({ input }: Vector): fc.Arbitrary<{ reply: Reply; provider: string | undefined }> {
  return fc
    .record({
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      headers: headersLike(input.headers ?? {}),
    })
    .map(({ changes, headers }) => {
      let body = textOf(input.body);
      for (const one of changes) body = one(body);
      return { reply: { status: input.status, headers, body, redact }, provider: input.provider };
    });
}

const anyVector = fc.constantFrom(...REFUSAL_VECTORS).chain(mutated);
const harmless = REFUSAL_VECTORS.filter(({ expect: { kind } }) => kind !== 'unauthorized');
const disabling = REFUSAL_VECTORS.filter(({ expect: { kind } }) => kind === 'unauthorized');

/** A text without the escapes of JSON. */
const plain = (text: string): string => text.replaceAll(/\\+n|\\+|[\s\p{Cc}]+/gu, ' ');

/** The phrases and codes that disable a provider's keys. */
function phrasesOf({ input: { provider, body } }: Vector): readonly RegExp[] {
  const all = Object.values(SPECS).flatMap(({ refusals }) => refusals);
  const relayed = all.filter(({ anywhere }) => anywhere === true);
  const rules = [...refusalsOf(provider).refusals, ...relayed, ...SHARED_RULES];
  const patterns = rules.flatMap(({ kind, pattern }) => (kind === 'unauthorized' ? (pattern ?? []) : []));
  const phrases = patterns.map((pattern) => new RegExp(pattern.replaceAll(/^\^|\$$/g, ''), 'i'));
  return phrases.filter((phrase) => phrase.test(plain(textOf(body))));
}

describe('a truncated, wrapped or garbled refusal, or one with other headers', () => {
  it('becomes a failure with a one-line message without keys and a wait of at most a day', () => {
    fc.assert(
      fc.property(anyVector, ({ reply, provider }) => {
        const failure = failureIn(reply, refusalsOf(provider), NOW);
        if (failure === undefined) return;
        expect(failure.message).toMatch(/^\S.{0,299}$/u);
        expect(failure.message).not.toContain(KEY);
        const { retryAt = NOW + 1, reportedLimit = 1, reported = [] } = failure;
        expect(retryAt).toBeGreaterThan(NOW);
        expect(retryAt).toBeLessThanOrEqual(NOW + DAY_MS);
        for (const limit of [reportedLimit, ...reported.map((quota) => quota.limit ?? 1)]) {
          expect(Number.isSafeInteger(limit)).toBe(true);
          expect(limit).toBeGreaterThan(0);
        }
        for (const { remaining = 0, resetAt = NOW + 1 } of reported) {
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(resetAt).toBeGreaterThan(NOW);
          expect(resetAt).toBeLessThanOrEqual(NOW + 32 * DAY_MS);
        }
      }),
      { numRuns: 6000 },
    );
  });

  it('disables no key if the original refusal did not', () => {
    fc.assert(
      fc.property(fc.constantFrom(...harmless).chain(mutated), ({ reply, provider }) => {
        expect(failureIn(reply, refusalsOf(provider), NOW)?.kind).not.toBe('unauthorized');
      }),
      { numRuns: 5000 },
    );
  });

  it('disables a key only if the phrase or code for it is still there', () => {
    const known = fc
      .constantFrom(...disabling)
      .chain((vector) => mutated(vector).map((answer) => ({ ...answer, phrases: phrasesOf(vector) })));
    fc.assert(
      fc.property(known, ({ reply, provider, phrases }) => {
        const { kind, scope } = failureIn(reply, refusalsOf(provider), NOW) ?? {};
        if (kind !== 'unauthorized') return;
        expect(scope).toBe('key');
        expect(phrases.some((phrase) => phrase.test(plain(reply.body)))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('contains a phrase or code for every refusal that disables a key', () => {
    expect(disabling.length).toBeGreaterThan(15);
    expect(disabling.filter((vector) => phrasesOf(vector).length === 0)).toEqual([]);
  });
});
