/**
 * The answers of accounts to requests for models, remembered. An answer changes with the account's record, or at a moment that
 * is known beforehand. So in a large pool, a call reads most answers here and evaluates few limits.
 */

import { type AccountRecord, entitlementOf, keyOf, limiterOf } from '../records/account.ts';
import { accountsOf } from '../records/shared-accounts.ts';
import { breakerSteadyUntil } from '../circuit-breaker.ts';
import type { Limit } from '../limits/limit.ts';
import type { LimiterState } from '../limits/state.ts';
import { steadyUntil } from '../limits/window.ts';
import type { Candidate, PoolAccount, PoolProvider } from '../pool.ts';
import { accountAdmission, type Admission, type FirstPass } from './admission.ts';
import { firstsOf } from './alike.ts';
import {
  type Cost,
  type Demand,
  demandOf,
  demandOfSize,
  largestCost,
  routeCost,
  type RouteUse,
  routeUse,
} from './cost.ts';
import type { Question, Records } from './question.ts';

/** For which requests an answer holds. */
export interface Validity {
  /** Epoch ms: from then on, */
  readonly from: number;
  /** until this moment, */
  readonly until: number;
  /** for requests that take at most this much from a limit. -1: it depends on the request. */
  readonly largest: number;
}

/** When an account admits a request for a model, in both passes. */
interface Answer extends Admission, Validity {
  /** The states of the account's limits that it follows from. */
  readonly limiters: readonly LimiterState[];
  /** How much of the quota is used, once it was asked. */
  use?: RouteUse;
}

/** In place of the answer to a request that came once: the second one's is remembered. Many records change with each request. */
const ASKED_ONCE: Answer = { readyAt: 0, reason: undefined, from: 0, until: 0, largest: 0, limiters: [] };

/** What is known of an account's routes. */
export interface KnownAccount {
  readonly account: PoolAccount;
  readonly record: AccountRecord;
  /** By the index of the model. Models that the account treats alike share the place of the first one. */
  readonly answers: (Answer | undefined)[];
  /** The place of each model in `answers`; undefined: its index. */
  readonly places: readonly number[] | undefined;
  /** Whether all keys of the account are sound. */
  readonly isSound: boolean;
}

interface KnownAccounts {
  readonly accounts: readonly PoolAccount[];
  /** The records that were asked last. */
  records: Records | undefined;
  known: readonly KnownAccount[];
}

/** A question, in the first of two passes or the second. */
export interface Search extends Question {
  readonly firstPass?: FirstPass | undefined;
}

const memory = new WeakMap<Candidate, KnownAccounts>();

function idAt({ models }: Candidate, index: number): string {
  return models[index]?.id ?? '';
}

function limitersOf(account: PoolAccount, record: AccountRecord, model: string): readonly LimiterState[] {
  return account.limits(model).map((limit) => limiterOf(record, limit, model));
}

/** The answers that follow from what has not changed in an account's record. */
function answersLeft(
  candidate: Candidate,
  last: KnownAccount,
  record: AccountRecord,
): KnownAccount['answers'] {
  if (last.answers.length === 0) return [];
  if (last.record.breaker !== record.breaker || last.record.models !== record.models) return [];
  return last.answers.map((answer, index) => {
    const limiters = answer && limitersOf(last.account, record, idAt(candidate, index));
    return limiters?.every((limiter, place) => limiter === answer?.limiters[place]) === true
      ? answer
      : undefined;
  });
}

/** What is known of an account whose record has changed. */
function renewed(
  candidate: Candidate,
  last: KnownAccount | undefined,
  account: PoolAccount,
  record: AccountRecord,
): KnownAccount {
  // The account may not use one of the models.
  const isUneven = Object.keys(record.models).length > 0;
  return {
    account,
    record,
    answers: last === undefined ? [] : answersLeft(candidate, last, record),
    places: isUneven ? undefined : firstsOf(candidate),
    isSound: account.keyIds.every((keyId) => keyOf(record, keyId).breaker.state === 'closed'),
  };
}

/** The accounts of a candidate with their present records. The list stays the same while the records do. */
export function knownAccounts({ records, now }: Question, candidate: Candidate): readonly KnownAccount[] {
  const { provider } = candidate;
  const accounts = accountsOf(provider, records.provider(provider), now);
  let last = memory.get(candidate);
  if (last?.accounts !== accounts) {
    last = { accounts, records: undefined, known: [] };
    memory.set(candidate, last);
  }
  if (last.records === records) return last.known;
  last.records = records;
  last.known = accounts.map((account, index) => {
    const record = records.account(account);
    const one = last.known[index];
    return one?.record === record ? one : renewed(candidate, one, account, record);
  });
  return last.known;
}

/** Whether the answer of a limit depends on the request. */
function isSizeCounted({ unit, counts }: Limit): boolean {
  return unit === 'tokens' || counts === 'inputs';
}

/** Epoch ms before which an account's answer stays the same. At most `now`: not known. */
function answerHoldsUntil({ account, record }: KnownAccount, model: string, now: number): number {
  let until = Math.min(
    breakerSteadyUntil(record.breaker, now),
    breakerSteadyUntil(entitlementOf(record, model), now),
  );
  for (const limit of account.limits(model))
    until = Math.min(until, steadyUntil(limiterOf(record, limit, model), limit, now));
  return until;
}

/** An account's answer in the second pass; and the one in the first, if only that is no. */
function evaluate(
  { account, record }: KnownAccount,
  model: string,
  demand: Demand | undefined,
  now: number,
): { readonly answer: Admission; readonly first?: Admission } {
  const firstPass = { avoided: false };
  const first = accountAdmission(account, record, model, demand, { now, firstPass });
  if (first.readyAt <= now || !firstPass.avoided) return { answer: first };
  const answer = accountAdmission(account, record, model, demand, { now });
  return answer.readyAt > now ? { answer } : { answer, first };
}

/** Requests up to this many times as large as the present one are tried, too: then the next request may be larger. */
const SIZES_AHEAD = 2;

/** The largest request for which an answer holds, if it holds for the smallest one; -1 if not. */
function largestWith(
  { now, needs }: Question,
  provider: PoolProvider,
  known: KnownAccount,
  model: string,
  answer: Admission,
): number {
  if (!known.account.limits(model).some(isSizeCounted)) return Number.POSITIVE_INFINITY;
  // If the smallest and a large request get the same answer, so do those between.
  const largest = SIZES_AHEAD * largestCost(provider, needs);
  const isSame = [undefined, demandOfSize(largest)].every((demand) => {
    const other = evaluate(known, model, demand, now);
    return (
      other.first === undefined &&
      other.answer.readyAt === answer.readyAt &&
      other.answer.reason === answer.reason
    );
  });
  return isSame ? largest : -1;
}

/** What to remember of an answer; undefined if it may be different at any moment. */
function remembered(
  question: Question,
  provider: PoolProvider,
  known: KnownAccount,
  model: string,
  { readyAt, reason }: Admission,
): Answer | undefined {
  const { now } = question;
  const steady = answerHoldsUntil(known, model, now);
  const until = readyAt > now ? Math.min(readyAt, steady) : steady;
  if (until <= now) return undefined;
  const largest = largestWith(question, provider, known, model, { readyAt, reason });
  const limiters = limitersOf(known.account, known.record, model);
  return { readyAt, reason, from: now, until, largest, limiters };
}

/** Whether an answer, or what follows from some, holds now. */
export function isPresent({ from, until }: Validity, now: number): boolean {
  return now >= from && now < until;
}

/** Whether an answer holds for the present request. */
export function fits({ largest }: Validity, { needs }: Question, { provider }: Candidate): boolean {
  return largest === Number.POSITIVE_INFINITY || (largest >= 0 && largestCost(provider, needs) <= largest);
}

/**
 * Like `accountAdmission`, for a model of a candidate. In a first pass, the answer of an account that admits nothing in the
 * second either is that of the second.
 */
export function knownAdmission(
  question: Search,
  candidate: Candidate,
  known: KnownAccount,
  index: number,
): Admission {
  const { account, record, answers, places } = known;
  const { now, needs, firstPass } = question;
  const { provider } = candidate;
  const place = places?.[index] ?? index;
  const last = answers[place];
  const isLastPresent = last !== undefined && isPresent(last, now);
  if (isLastPresent && fits(last, question, candidate)) return last;
  const id = idAt(candidate, index);
  const { answer, first } = evaluate(known, id, demandOf({ provider, account }, record, id, needs, now), now);
  if (first !== undefined) {
    answers[place] = undefined;
    if (firstPass !== undefined) firstPass.avoided = true;
    return firstPass === undefined ? answer : first;
  }
  if (last === undefined) answers[place] = ASKED_ONCE;
  else if (!isLastPresent || last.largest >= 0)
    answers[place] = remembered(question, provider, known, id, answer);
  return answer;
}

function knownUse(
  { account, record }: KnownAccount,
  answer: Answer | undefined,
  model: string,
  now: number,
): RouteUse {
  if (answer === undefined || !isPresent(answer, now)) return routeUse(account, record, model, now);
  if (answer.use !== undefined) return answer.use;
  const use = routeUse(account, record, model, now);
  // A token bucket refills at any moment.
  if (account.limits(model).every(({ kind }) => kind !== 'token-bucket')) answer.use = use;
  return use;
}

/** What a request costs on an account's quota for a model. */
export function knownCost(
  { now, needs }: Question,
  { provider, models }: Candidate,
  known: KnownAccount,
  index: number,
): Cost {
  const { account, record, answers, places } = known;
  const model = models[index]?.id ?? '';
  const use = knownUse(known, answers[places?.[index] ?? index], model, now);
  const demand = use.countsTokens ? demandOf({ provider, account }, record, model, needs, now) : { needs };
  return routeCost(use, demand, now);
}
