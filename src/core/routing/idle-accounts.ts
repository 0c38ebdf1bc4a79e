/**
 * The accounts of a candidate that admit nothing, whatever the model. While no record changes, a call that all accounts refuse
 * evaluates none of them.
 */

import type { Candidate } from '../pool.ts';
import type { Admission } from './admission.ts';
import {
  fits,
  isPresent,
  type KnownAccount,
  knownAccounts,
  knownAdmission,
  type Search,
  type Validity,
} from './known-routes.ts';

/** The first of an account's soonest answers, and which model it is for. */
export interface Idle extends Admission, Validity {
  readonly index: number;
}

/** An account of a candidate. */
export interface AccountView {
  readonly known: KnownAccount;
  /** Its soonest answer, if it admits nothing. Undefined: each model must be looked at. */
  readonly idle: Idle | undefined;
}

/** The accounts of a candidate. */
export interface AccountViews {
  readonly all: readonly AccountView[];
  /** Those whose models must be looked at. */
  readonly awake: readonly KnownAccount[];
  /** The first of those that admit something soonest, of the others. */
  readonly soonest: AccountView | undefined;
}

/** The last soonest answer of an account. */
const idleOnes = new WeakMap<KnownAccount, Idle>();
/** By the list of a candidate's accounts: how they are seen while none admits anything. */
const idleLists = new WeakMap<readonly KnownAccount[], AccountViews & Validity>();

/** Whether an answer still holds for the present request. */
function holds(answer: Validity, question: Search, candidate: Candidate): boolean {
  return isPresent(answer, question.now) && fits(answer, question, candidate);
}

/** For which requests all answers hold, which hold now. */
function together(now: number, answers: readonly Validity[]): Validity {
  let until = Number.POSITIVE_INFINITY;
  let largest = Number.POSITIVE_INFINITY;
  for (const answer of answers) {
    until = Math.min(until, answer.until);
    largest = Math.min(largest, answer.largest);
  }
  return { from: now, until, largest };
}

/** The soonest answer of an account that admits nothing. Undefined if that is not known. */
function findIdle(question: Search, candidate: Candidate, known: KnownAccount): Idle | undefined {
  const { answers, places } = known;
  const found: Validity[] = [];
  let soonest: (Admission & { readonly index: number }) | undefined;
  for (const index of candidate.models.keys()) {
    // The answer is that for the first model that the account treats alike.
    if (places !== undefined && places[index] !== index) continue;
    // An account that was not looked at before may admit the first model: then the search need not look at all.
    if (index > 0) knownAdmission(question, candidate, known, index);
    const answer = answers[index];
    if (answer === undefined || answer.readyAt <= question.now || !holds(answer, question, candidate))
      return undefined;
    found.push(answer);
    const { readyAt, reason } = answer;
    if (soonest === undefined || readyAt < soonest.readyAt) soonest = { readyAt, reason, index };
  }
  return soonest && { ...soonest, ...together(question.now, found) };
}

function idleOf(question: Search, candidate: Candidate, known: KnownAccount): Idle | undefined {
  // Nothing is known of it yet, or nothing is remembered.
  if (known.answers.length === 0) return undefined;
  const last = idleOnes.get(known);
  if (last !== undefined && holds(last, question, candidate)) return last;
  const idle = findIdle(question, candidate, known);
  if (idle === undefined) idleOnes.delete(known);
  else idleOnes.set(known, idle);
  return idle;
}

/** The accounts of a candidate, and which of them admit nothing. */
export function viewAccounts(question: Search, candidate: Candidate): AccountViews {
  const accounts = knownAccounts(question, candidate);
  const last = idleLists.get(accounts);
  if (last !== undefined && holds(last, question, candidate)) return last;
  const all: AccountView[] = [];
  const awake: KnownAccount[] = [];
  const idle: Idle[] = [];
  let soonest: AccountView | undefined;
  for (const known of accounts) {
    const view = { known, idle: idleOf(question, candidate, known) };
    all.push(view);
    if (view.idle === undefined) awake.push(known);
    else {
      idle.push(view.idle);
      if (view.idle.readyAt < (soonest?.idle?.readyAt ?? Number.POSITIVE_INFINITY)) soonest = view;
    }
  }
  if (idle.length === 0 || awake.length > 0) return { all, awake, soonest };
  const lasting = { all, awake, soonest, ...together(question.now, idle) };
  idleLists.set(accounts, lasting);
  return lasting;
}
