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
import type { Question } from './question.ts';

/** When an account admits a request for a model, in both passes. */
interface Answer extends Admission {
  /** Epoch ms: the answer holds from then on, */
  readonly from: number;
  /** until this moment, */
  readonly until: number;
  /** for requests that take at most this much from a limit. -1: it depends on the request. */
  readonly largest: number;
  /** The states of the account's limits that it follows from. */
  readonly limiters: readonly LimiterState[];
  /** How much of the quota is used, once it was asked. */
  use?: RouteUse;
}

/** The first of an account's soonest answers, and which model it is for. */
export interface Idle extends Pick<Answer, 'readyAt' | 'reason' | 'from' | 'until' | 'largest'> {
  readonly index: number;
}

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
  /** Whether the record was seen before. A store that copies records gives a new one each time: then nothing is remembered. */
  isStable: boolean;
  /** The soonest answer, if the account admits nothing for any model. */
  idle: Idle | undefined;
}

interface KnownAccounts {
  readonly accounts: readonly PoolAccount[];
  readonly known: KnownAccount[];
}

/** A question, in the first of two passes or the second. */
interface Search extends Question {
  readonly firstPass?: FirstPass | undefined;
}

const memory = new WeakMap<Candidate, KnownAccounts>();

function idAt({ models }: Candidate, index: number): string {
  return models[index]?.id ?? '';
}

function limitersOf(account: PoolAccount, record: AccountRecord, model: string): readonly LimiterState[] {
  return account.limits(model).map((limit) => limiterOf(record, limit, model));
}

/** What is known after an account's record has changed: answers that follow from what has not changed stay. */
function renewed(
  candidate: Candidate,
  last: KnownAccount | undefined,
  account: PoolAccount,
  record: AccountRecord,
): KnownAccount {
  // The account may not use one of the models.
  const isUneven = Object.keys(record.models).length > 0;
  const places = isUneven ? undefined : firstsOf(candidate);
  const isSound = account.keyIds.every((keyId) => keyOf(record, keyId).breaker.state === 'closed');
  const empty = { account, record, places, isSound, isStable: false, idle: undefined };
  if (last?.record.breaker !== record.breaker || last.record.models !== record.models)
    return { ...empty, answers: [] };
  const answers = last.answers.map((answer, index) => {
    const limiters = answer && limitersOf(account, record, idAt(candidate, index));
    return limiters?.every((limiter, place) => limiter === answer?.limiters[place]) === true
      ? answer
      : undefined;
  });
  return { ...empty, answers };
}

/** A single account's routes for fewer models are evaluated each time: that costs less than to remember their answers. */
const FEW_MODELS = 8;

/** The accounts of a candidate with their present records. */
export function knownAccounts({ records, now }: Question, candidate: Candidate): readonly KnownAccount[] {
  const { provider } = candidate;
  const accounts = accountsOf(provider, records.provider(provider), now);
  if (accounts.length === 1 && candidate.models.length < FEW_MODELS)
    return accounts.map((account) => ({
      account,
      record: records.account(account),
      answers: [],
      places: undefined,
      isSound: false,
      isStable: false,
      idle: undefined,
    }));
  let last = memory.get(candidate);
  if (last?.accounts !== accounts) {
    last = { accounts, known: [] };
    memory.set(candidate, last);
  }
  const { known } = last;
  for (const [index, account] of accounts.entries()) {
    const record = records.account(account);
    const one = known[index];
    if (one?.record === record) one.isStable = true;
    else known[index] = renewed(candidate, one, account, record);
  }
  return known;
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

function isPresent({ from, until }: Pick<Answer, 'from' | 'until'>, now: number): boolean {
  return now >= from && now < until;
}

/** Whether an answer holds for the present request. */
function fits({ largest }: Pick<Answer, 'largest'>, { needs }: Question, { provider }: Candidate): boolean {
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
  const mayRemember = known.isStable && (!isLastPresent || last.largest >= 0);
  if (mayRemember) answers[place] = remembered(question, provider, known, id, answer);
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

/** Whether an answer still says that the account does not admit the present request. */
function isRefusal(question: Question, candidate: Candidate, answer: Answer): boolean {
  const { now } = question;
  return isPresent(answer, now) && answer.readyAt > now && fits(answer, question, candidate);
}

/** The soonest answer of an account that admits nothing, whatever the model. Undefined if each model must be looked at. */
export function idleOf(question: Search, candidate: Candidate, known: KnownAccount): Idle | undefined {
  const { now } = question;
  const { idle: last, answers, places } = known;
  // Nothing is known of it yet, or nothing is remembered.
  if (answers.length === 0) return undefined;
  if (last !== undefined && isPresent(last, now) && fits(last, question, candidate)) return last;
  known.idle = undefined;
  let idle: Idle | undefined;
  for (const index of candidate.models.keys()) {
    // The answer is that for the first model that the account treats alike.
    if (places !== undefined && places[index] !== index) continue;
    // An account that was not looked at before may admit the first model: then the search need not look at all.
    if (index > 0) knownAdmission(question, candidate, known, index);
    const found = answers[index];
    if (found === undefined || !isRefusal(question, candidate, found)) return undefined;
    const { readyAt, reason } = found;
    const soonest = idle !== undefined && idle.readyAt <= readyAt ? idle : { readyAt, reason, index };
    const { until, largest } = idle ?? found;
    idle = {
      ...soonest,
      from: now,
      until: Math.min(until, found.until),
      largest: Math.min(largest, found.largest),
    };
  }
  known.idle = idle;
  return idle;
}
