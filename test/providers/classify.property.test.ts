import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/providers/refusals/classify.ts';
import { SPECS } from '../../src/providers/spec.ts';
import { failureIn, NOBODY, REFUSAL_VECTORS, textOf } from './refusal-vectors.ts';

const NOW = 1_790_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;

const known = fc.constantFrom(NOBODY, ...Object.values(SPECS));
const knownBodies = REFUSAL_VECTORS.map(({ input }) => textOf(input.body));

/** A body that arrived whole, was truncated, or was wrapped into a string. */
function battered(text: string): fc.Arbitrary<string> {
  const cut = fc.nat(text.length).map((length) => text.slice(0, length));
  return fc.oneof(
    fc.constantFrom(
      text,
      JSON.stringify({ error: { message: text } }),
      JSON.stringify([{ error: JSON.stringify({ error: { metadata: { raw: text } } }) }]),
      `data: ${text}\n\ndata: [DONE]\n\n`,
    ),
    cut,
    fc.tuple(cut, fc.string()).map(([start, noise]) => start + noise),
  );
}

const strangeJson = fc.oneof(
  fc.json(),
  fc.jsonValue().map((value) => JSON.stringify({ error: value })),
  fc
    .jsonValue()
    .map((value) => JSON.stringify({ error: { message: value, metadata: { raw: value, headers: value } } })),
  fc
    .jsonValue()
    .map((value) => JSON.stringify({ error: { code: value, details: value, availability: value } })),
  fc.jsonValue().map((value) => JSON.stringify({ choices: [value] })),
  fc.jsonValue().map((value) => JSON.stringify({ choices: [{ message: value, finish_reason: value }] })),
  fc
    .jsonValue()
    .map((value) => JSON.stringify({ choices: [{ message: { content: value, tool_calls: value } }] })),
);
const strangeText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.lorem(),
  fc.constant('<html>'),
  fc.constant('data: {'),
);

const statuses = fc.oneof(
  fc.constantFrom(200, 400, 401, 403, 404, 429, 500, 503),
  fc.integer({ min: 0, max: 999 }),
);
const hint = fc.oneof(
  fc.string(),
  fc.double().map(String),
  fc.integer().map(String),
  fc.integer({ min: NOW / 1000 - 100, max: NOW + 1e10 }).map(String),
  fc.constantFrom('5', '1m30s', '99999999h', '2026-09-22T00:00:00Z', 'Mon, 21 Sep 2037 14:00:00 GMT'),
);
const hints = { 'retry-after': hint, 'retry-after-ms': hint };
const clocks = { 'x-ratelimit-reset': hint, 'x-ratelimit-limit': hint };
const hintHeaders = fc.record(hints, { requiredKeys: [] });
const allHeaders = fc.record({ ...hints, ...clocks }, { requiredKeys: [] });

function reply(body: fc.Arbitrary<string>, headers: fc.Arbitrary<Reply['headers']>): fc.Arbitrary<Reply> {
  return fc.record({ status: statuses, headers, body });
}

describe('any answer of a provider', () => {
  const anything = reply(
    fc.oneof(strangeText, strangeJson, fc.constantFrom(...knownBodies).chain(battered)),
    allHeaders,
  );

  it('becomes a failure with a one-line message and plausible moments', () => {
    fc.assert(
      fc.property(anything, known, (answer, given) => {
        const failure = failureIn(answer, given, NOW);
        if (failure === undefined) return;
        expect(failure.message).toMatch(/^\S.{0,299}$/u);
        expect(failure.status).toBe(answer.status);
        expect(failure).not.toHaveProperty('uncounted');
        if (failure.retryAt !== undefined) {
          expect(failure.retryAt).toBeGreaterThan(NOW);
          expect(failure.retryAt).toBeLessThanOrEqual(NOW + 32 * DAY_MS);
        }
        if (failure.reportedLimit !== undefined) expect(failure.reportedLimit).toBeGreaterThan(0);
      }),
    );
  });

  it('asks for a wait of at most a day unless a reset clock says otherwise', () => {
    const withoutClock = reply(fc.oneof(strangeText, strangeJson), hintHeaders);
    fc.assert(
      fc.property(withoutClock, known, (answer, given) => {
        const { retryAt = NOW } = failureIn(answer, given, NOW) ?? {};
        expect(retryAt).toBeLessThanOrEqual(NOW + DAY_MS);
      }),
    );
  });

  it('disables no key if its shape is unknown', () => {
    const unknown = reply(fc.oneof(strangeText, strangeJson), hintHeaders);
    fc.assert(
      fc.property(unknown, known, (answer, given) => {
        expect(failureIn(answer, given, NOW)?.kind).not.toBe('unauthorized');
      }),
    );
  });

  it.each([
    ['an opening bracket', '['],
    ['a nested list', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a nested object', `${'{"error":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
    ['a less-than sign', '<'],
    ['a page without an end', '<html '],
    ['an event', 'data: {"a":1}\n'],
    ['a wait', 'retry in 1s'],
    ['a field', 'body -> a '],
    ['a quote', '"\\'],
    ['a blank', ' '],
    ['a word', 'exceed context token count '],
    ['a role', 'role must be one of user, '],
    ['a schema', 'tools schema parameters name must '],
    ['content', 'content message list must be a '],
    ['a closed brace', '{"a":1}'],
  ])('is read in bounded time: two million characters of %s', (_, piece) => {
    const text = piece.repeat(Math.ceil(2_000_000 / piece.length));
    for (const body of [
      text,
      JSON.stringify({ error: { message: text } }),
      JSON.stringify({ error: { message: text.slice(0, 100_000) } }),
    ]) {
      for (const status of [200, 400, 429]) {
        const failure = failureIn({ status, headers: { 'retry-after': text }, body }, SPECS.google, NOW);
        expect(failure?.message.length).toBeLessThanOrEqual(300);
      }
    }
  });
});
