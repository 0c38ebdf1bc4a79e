import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/index.ts';
import type { FaultEffect, FaultMatch, ProviderName } from '../../src/testing.ts';
import { type SimulatedPool, simulatedPool } from '../support/simulated-pool.ts';

/** Each provider's own ids for a first and a second model. */
const MODELS = {
  openrouter: { first: 'm/first:free', second: 'm/second:free' },
  google: { first: 'gemini-first', second: 'gemini-second' },
  nim: { first: 'm/first', second: 'm/second' },
  custom: { first: 'first', second: 'second' },
} as const;

/** Two accounts, the first with two keys, and two models; behind them another provider with the key `other`. */
function pool(name: ProviderName, fault: FaultEffect & FaultMatch): SimulatedPool {
  const { first, second } = MODELS[name];
  const others = name === 'custom' ? 'nim' : 'custom';
  return simulatedPool({
    strategy: 'priority',
    [name]: {
      accounts: [['k1', 'k2'], ['k3']],
      models: [first, second],
      faults: [{ ...fault, model: fault.model === 'first' ? first : fault.model }],
    },
    [others]: { accounts: [['other']], models: [MODELS[others].first] },
  });
}

type Scope = 'key' | 'account' | 'account-model' | 'model' | 'provider' | 'request';

interface Lesson {
  /** The way of a call that meets the failure. */
  readonly meets: RegExp;
  /** The way of every call once the lesson is learnt. */
  readonly learnt: RegExp;
  /** Which of the keys k1, k2, k3 are ready then. */
  readonly ready: readonly boolean[];
}

/** What the rest of the call and later calls skip, by the failure's scope. */
const LESSONS: Readonly<Record<Scope, Lesson>> = {
  key: { meets: /^k1 \S*first\S* → k3 /, learnt: /^k[23] [^→]*$/, ready: [false, true, true] },
  account: { meets: /^k1 \S* → other/, learnt: /^k3 [^→]*$/, ready: [false, false, true] },
  'account-model': { meets: /^k1 \S* → other/, learnt: /^k3 [^→]*$/, ready: [true, true, true] },
  model: { meets: /^k\d \S* → other/, learnt: /^k\d \S*second[^→]*$/, ready: [true, true, true] },
  provider: { meets: /^k\d \S* → other/, learnt: /^other [^→]*$/, ready: [false, false, false] },
  request: { meets: /^k\d \S* → other/, learnt: /^k\d \S*first\S* → other/, ready: [true, true, true] },
};

const FIRST = { model: 'first' } as const;
const K1 = { key: 'k1' } as const;
const ACCOUNT = { account: 'account-0' } as const;
const ALL = ['openrouter', 'google', 'nim', 'custom'] as const;

interface Case {
  readonly when: string;
  readonly at: readonly ProviderName[];
  readonly fault: FaultEffect & FaultMatch;
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** How many calls meet it before they go another way. Default 1. */
  readonly strikes?: number;
}

const CASES: readonly Case[] = [
  { when: 'a dead key', at: ALL, fault: { kind: 'unauthorized', ...K1 }, kind: 'unauthorized', scope: 'key' },
  { when: 'a leaked key', at: ALL, fault: { kind: 'leaked', ...K1 }, kind: 'unauthorized', scope: 'key' },
  {
    when: 'an account without credit',
    at: ALL,
    fault: { kind: 'out-of-credits', ...ACCOUNT },
    kind: 'out_of_credits',
    scope: 'account',
  },
  {
    when: 'a model that is closed to the account',
    at: ['openrouter', 'google'],
    fault: { kind: 'not-entitled', as: 'closed', ...ACCOUNT },
    kind: 'not_entitled',
    scope: 'account-model',
  },
  {
    when: 'a model without a free tier',
    at: ['openrouter', 'google'],
    fault: { kind: 'not-entitled', as: 'limit-zero', ...ACCOUNT },
    kind: 'not_entitled',
    scope: 'account-model',
  },
  {
    when: 'a retired model',
    at: ALL,
    fault: { kind: 'retired', ...FIRST },
    kind: 'model_gone',
    scope: 'model',
  },
  {
    when: 'an unknown model',
    at: ['openrouter', 'google', 'nim'],
    fault: { kind: 'unknown-model', ...FIRST },
    kind: 'model_gone',
    scope: 'model',
  },
  {
    when: 'a model that is unknown, or not for this account',
    at: ['custom'],
    fault: { kind: 'unknown-model', ...FIRST, ...ACCOUNT },
    kind: 'model_gone',
    scope: 'account-model',
  },
  {
    when: 'a congested model',
    at: ALL,
    fault: { kind: 'congested', ...FIRST },
    kind: 'model_busy',
    scope: 'model',
  },
  {
    when: 'a network edge or region that refuses',
    at: ALL,
    fault: { kind: 'forbidden' },
    kind: 'forbidden',
    scope: 'provider',
  },
  { when: 'moderation', at: ALL, fault: { kind: 'moderated' }, kind: 'content_blocked', scope: 'request' },
  {
    when: 'a safety stop',
    at: ALL,
    fault: { kind: 'content-filter' },
    kind: 'content_blocked',
    scope: 'request',
  },
  {
    when: 'a 5xx with a page',
    at: ALL,
    fault: { kind: 'outage' },
    kind: 'server_error',
    scope: 'provider',
    strikes: 3,
  },
  {
    when: 'a connection that breaks',
    at: ALL,
    fault: { kind: 'reset' },
    kind: 'network',
    scope: 'provider',
    strikes: 3,
  },
  { when: 'silence', at: ALL, fault: { kind: 'hang' }, kind: 'timeout', scope: 'provider', strikes: 2 },
  {
    when: 'a body that breaks off',
    at: ALL,
    fault: { kind: 'cut' },
    kind: 'broken_stream',
    scope: 'provider',
    strikes: 3,
  },
  {
    when: 'an error inside a 200',
    at: ALL,
    fault: { kind: 'error-in-200', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'an error inside a choice of a 200',
    at: ALL,
    fault: { kind: 'error-in-200', as: 'choice', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'an empty text',
    at: ALL,
    fault: { kind: 'empty', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'no choices',
    at: ALL,
    fault: { kind: 'empty', as: 'choices', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'an empty body',
    at: ALL,
    fault: { kind: 'empty', as: 'body', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'JSON that ends in the middle',
    at: ALL,
    fault: { kind: 'malformed', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'JSON of another shape',
    at: ALL,
    fault: { kind: 'garbage', ...FIRST },
    kind: 'server_error',
    scope: 'model',
    strikes: 3,
  },
  {
    when: 'a page with status 200',
    at: ALL,
    fault: { kind: 'outage', status: 200 },
    kind: 'server_error',
    scope: 'provider',
    strikes: 3,
  },
];

describe.each(CASES)('$when', ({ at, fault, kind, scope, strikes = 1 }) => {
  it.each(at)(`at %s is a ${kind} of the ${scope}, found out in ${strikes}`, async (name) => {
    const { trace, llm, run } = pool(name, fault);
    const { attempts } = await run(llm.chat('Hello'));
    expect(attempts.map(({ outcome }) => outcome)).toEqual([kind, 'success']);
    const lesson = LESSONS[scope];
    for (const way of await trace(strikes - 1)) expect(way).toMatch(lesson.meets);
    for (const way of await trace(4)) expect(way).toMatch(lesson.learnt);
    const rows = llm.health().filter((row) => row.provider === name);
    expect(rows.map(({ ready }) => ready)).toEqual(lesson.ready);
    expect(rows.map(({ disabled }) => disabled)).toEqual([scope === 'key', false, false]);
  });
});
