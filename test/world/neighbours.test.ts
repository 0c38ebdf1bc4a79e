/**
 * Each requirement and each oddity by itself: at a custom endpoint and at presets, alone and beside another provider, plain and
 * streamed.
 */

import { describe, expect, it } from 'vitest';
import { BadRequestError, type ChatResponse } from '../../src/index.ts';
import { type Requirement, type RequirementName, type Oddity, type ProviderName } from '../../src/testing.ts';
import { wordingsOf } from '../../src/testing/requirements/wordings.ts';
import {
  REQUIREMENT_NAMES,
  OFFENDING_REQUESTS,
  type OffendingRequest,
  toolNamed,
} from '../support/offending-requests.ts';
import { isRight, replyTo } from '../support/right-answers.ts';
import { MODEL, type ProviderSetup, simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const PROVIDERS = ['custom', 'openrouter', 'google', 'nim'] as const;

function poolOf(first: ProviderName, setup: ProviderSetup, isAlone: boolean): SimulatedPool {
  const other = first === 'custom' ? 'nim' : 'custom';
  return simulatedPool({
    [first]: setup,
    ...(!isAlone && { [other]: { models: [{ id: MODEL[other], lacks: [] }] } }),
    strategy: 'priority',
    reply: replyTo,
  });
}

/** The number of requests of one call, and what is wrong with its answer. */
async function ask(
  pool: SimulatedPool,
  request: OffendingRequest,
  streams: boolean,
): Promise<{ readonly requests: number; readonly problem: string | undefined }> {
  const { messages, fields, extra } = request;
  const options = { ...fields, extraBody: extra };
  const before = pool.requests();
  const problemOf = (response: ChatResponse): string | undefined =>
    isRight(request, response) ? undefined : `a wrong answer: ${JSON.stringify(response)}`;
  const problem = await pool.run(
    (streams ? pool.llm.stream(messages, options).response() : pool.llm.chat(messages, options)).then(
      problemOf,
      (error: unknown) => (error instanceof BadRequestError ? 'refused' : String(error)),
    ),
  );
  return { requests: pool.requests() - before, problem };
}

interface Expectation {
  readonly streams: boolean;
  /** The most requests of the first call. */
  readonly most: number;
  readonly mayRefuse?: boolean;
  /** After how many calls one request is enough. Default 1. */
  readonly lessons?: number;
}

/** Requirements that the plain form of a request does not satisfy. Without words, a second refusal is needed to learn that. */
const BEYOND_PLAIN: ReadonlySet<RequirementName> = new Set([
  'max-completion-tokens-only',
  'reasoning-content-back',
  'thought-signatures',
  'images-as-data',
]);

/** The wrong things about the first call and a later one. */
async function problemsOf(
  pool: SimulatedPool,
  request: OffendingRequest,
  { streams, most, mayRefuse = false, lessons = 1 }: Expectation,
): Promise<string[]> {
  const first = await ask(pool, request, streams);
  for (let taught = 1; taught < lessons; taught += 1) await ask(pool, request, streams);
  const later = await ask(pool, request, streams);
  const problems: string[] = [];
  const report = (call: string, { requests, problem }: typeof first, bound: number): void => {
    if (requests > bound) problems.push(`${call}: ${requests} requests`);
    if (problem !== undefined && !(mayRefuse && problem === 'refused')) problems.push(`${call}: ${problem}`);
  };
  report('first', first, most);
  report('later', later, 1);
  return problems;
}

interface Variant {
  readonly requirement: Requirement;
  readonly request: OffendingRequest;
  readonly streams: boolean;
  readonly isAlone: boolean;
}

/**
 * Every wording with every request, alone and beside another provider, plain and streamed. Of the four ways to ask, a wording
 * and a request meet two, which have both values of each; at the next provider they meet the other two.
 */
function variantsOf(provider: (typeof PROVIDERS)[number], name: RequirementName): Variant[] {
  const known = Array.from({ length: wordingsOf(name) }, (_, wording): Requirement => ({ name, wording }));
  const requirements: Requirement[] = [...known, { name, words: 'unknown', wording: 0 }];
  const first = PROVIDERS.indexOf(provider);
  return requirements.flatMap((requirement, row) =>
    OFFENDING_REQUESTS[name].flatMap((request, column) =>
      [true, false].map((isAlone) => ({
        requirement,
        request,
        isAlone,
        streams: isAlone === ((first + row + column) % 2 === 0),
      })),
    ),
  );
}

function labelOf({ requirement: { words = 'known', wording }, request, streams, isAlone }: Variant): string {
  const { messages, fields, extra } = request;
  const asked = JSON.stringify({ messages, ...fields, ...extra }).slice(0, 160);
  return `${isAlone ? 'alone' : 'beside another'}, ${streams ? 'streamed' : 'plain'}, ${words} words ${wording}: ${asked}`;
}

describe.each(PROVIDERS)('a model of %s', (name) => {
  it.each(REQUIREMENT_NAMES)('that requires %s', async (requirement) => {
    const found: string[] = [];
    for (const variant of variantsOf(name, requirement)) {
      const { request, streams, isAlone } = variant;
      const pool = poolOf(
        name,
        { models: [{ id: MODEL[name], lacks: [], requirements: [variant.requirement] }] },
        isAlone,
      );
      const mayRefuse = isAlone && variant.requirement.words === 'unknown';
      const lessons = variant.requirement.words === 'unknown' && BEYOND_PLAIN.has(requirement) ? 2 : 1;
      const problems = await problemsOf(pool, request, { streams, most: 2, mayRefuse, lessons });
      found.push(...problems.map((problem) => `${labelOf(variant)}: ${problem}`));
    }
    expect(found).toEqual([]);
  });
});

const ODDITIES: readonly Oddity[] = [
  'no-usage',
  'null-choice',
  'null-tool-call',
  'reasoning-details',
  'json-then-done',
  'stream-instead',
  'no-finish-reason',
  'null-chunks',
  'drifting-indexes',
  'one-index',
];
const QUESTIONS: readonly OffendingRequest[] = [
  { messages: [{ role: 'user', content: 'Hello' }] },
  { messages: [{ role: 'user', content: 'Hello' }], fields: { tools: [toolNamed('look')] } },
];

describe.each(PROVIDERS)('an answer of %s', (name) => {
  it.each(ODDITIES)('with %s', async (as) => {
    const found: string[] = [];
    for (const request of QUESTIONS) {
      for (const streams of [false, true]) {
        const pool = poolOf(name, { faults: [{ kind: 'odd', as }] }, false);
        const problems = await problemsOf(pool, request, { streams, most: 1 });
        const what = request.fields === undefined ? 'text' : 'calls';
        found.push(...problems.map((problem) => `${what}, ${streams ? 'streamed' : 'plain'}: ${problem}`));
        if (pool.world[name].counts.served !== 2) found.push(`${what}: served by another`);
      }
    }
    expect(found).toEqual([]);
  });

  it('that spent its tokens before the first word gets more room, and is then asked for elsewhere', async () => {
    for (const streams of [false, true]) {
      const pool = poolOf(name, { faults: [{ kind: 'empty', as: 'length' }] }, false);
      const [question = { messages: [] }] = QUESTIONS;
      expect(await ask(pool, question, streams)).toEqual({ requests: 3, problem: undefined });
    }
  });
});
