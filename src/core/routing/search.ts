/** Searches the stages of a call for the best route that is ready, or the moment at which one is. spec 11 */

import { keyAdmission, type FirstPass, modelAdmission, providerAdmission } from './admission.ts';
import { rateOf } from '../circuit-breaker.ts';
import { type Cost, withFailureRate } from './cost.ts';
import { keyExcludedUntil, modelExcludedUntil } from './exclusion.ts';
import { unfitReason } from './fitness.ts';
import { viewAccounts } from './idle-accounts.ts';
import { type KnownAccount, knownAdmission, knownCost, type Search } from './known-routes.ts';
import type { Candidate, CandidateModel, Route, Stage } from '../pool.ts';
import { dislikeOf } from '../records/dislikes.ts';
import { modelOf, type ModelRecord } from '../records/provider.ts';
import type { Preferences, Question, Target } from './question.ts';
import { bestOf, byCost, LazyProviderScore } from './strategy.ts';

interface Found extends Cost {
  readonly target: Target | undefined;
  /** Epoch ms at which the earliest route is ready; only meaningful without a target. */
  readonly readyAt: number;
}

const FREE: Cost = { price: 0, minuteUse: 0 };

function nothingUntil(readyAt: number): Found {
  return { target: undefined, readyAt, ...FREE };
}

const NOTHING = nothingUntil(Number.POSITIVE_INFINITY);

/** The account's first admitted key, or the moment at which one is admitted. spec 11.2 */
export function findKey(
  question: Search,
  provider: string,
  { account, record, isSound }: Pick<KnownAccount, 'account' | 'record' | 'isSound'>,
  model: string,
  accountReadyAt: number,
): { readonly keyId: string | undefined; readonly readyAt: number } {
  const { now, failedAttempts } = question;
  let readyAt = Number.POSITIVE_INFINITY;
  for (const keyId of account.keyIds) {
    const keyReadyAt = Math.max(
      accountReadyAt,
      isSound ? 0 : keyAdmission(record, keyId, question).readyAt,
      keyExcludedUntil(failedAttempts, { provider, account: account.id, keyId, model }),
    );
    if (keyReadyAt <= now) return { keyId, readyAt: now };
    readyAt = Math.min(readyAt, keyReadyAt);
  }
  return { keyId: undefined, readyAt };
}

/** Whether no other account can be much cheaper. */
function isBest({ price, minuteUse }: Found, { preferCheapest }: Preferences): boolean {
  return minuteUse === 0 && (price === 0 || !preferCheapest);
}

/** Whether the model rejected the plain form of such a request: it is asked after all others. spec 8.5 */
function isRejectedPlainly({ needs, now }: Search, known: ModelRecord): boolean {
  return needs.features !== undefined && dislikeOf(known, needs.features, now) === 'plain';
}

/** A model that can serve the call. */
interface OfferedModel {
  readonly model: CandidateModel;
  /** Its place in the candidate's list. */
  readonly index: number;
  /** Epoch ms before which it is not ready, whatever the account. */
  readonly floor: number;
}

/** A model's route by one account, or the moment at which there is one. */
function findOne(
  question: Search,
  candidate: Candidate,
  known: KnownAccount,
  { model, index, floor }: OfferedModel,
  accountReadyAt: number,
): Found {
  const { provider } = candidate;
  const { keyId, readyAt } = findKey(question, provider.name, known, model.id, accountReadyAt);
  if (keyId === undefined || floor > question.now) return nothingUntil(Math.max(readyAt, floor));
  const { account } = known;
  const route: Route = { provider: provider.name, account: account.id, keyId, model: model.id };
  const { price, minuteUse } = knownCost(question, candidate, known, index);
  return { target: { route, provider, account, model }, readyAt, price, minuteUse };
}

/**
 * The cheapest account that admits a model, or the moment at which one does. spec 11.2
 * @param sooner - Without a target, only a route that is ready before this moment counts.
 */
function findAccount(
  question: Search,
  candidate: Candidate,
  accounts: readonly KnownAccount[],
  offer: OfferedModel,
  sooner: number,
): Found {
  const { now, preferences } = question;
  const { index, floor } = offer;
  let best = nothingUntil(sooner);
  for (const known of accounts) {
    if (best.target === undefined && floor > now && floor >= best.readyAt) return best;
    const { readyAt } = knownAdmission(question, candidate, known, index);
    // Another route is ready or sooner.
    if (readyAt > now && (best.target !== undefined || readyAt >= best.readyAt)) continue;
    const found = findOne(question, candidate, known, offer, readyAt);
    if (found.target === undefined) {
      if (best.target === undefined && found.readyAt < best.readyAt) best = found;
    } else if (best.target === undefined || byCost(found, best) < 0) {
      best = found;
      if (isBest(found, preferences)) break;
    }
  }
  return best;
}

/** Undefined if a model cannot serve the call, or comes last. */
function offerOf(
  question: Search,
  { provider, models }: Candidate,
  index: number,
  providerReadyAt: number,
): OfferedModel | undefined {
  const { records, needs, now, failedAttempts, firstPass } = question;
  const record = records.provider(provider);
  const model = models[index];
  if (model === undefined || unfitReason(provider, record, model, needs, now) !== undefined) return undefined;
  if (firstPass !== undefined && isRejectedPlainly(question, modelOf(record, model.id))) {
    firstPass.avoided = true;
    return undefined;
  }
  const floor = Math.max(
    providerReadyAt,
    modelAdmission(record, model.id, question).readyAt,
    modelExcludedUntil(failedAttempts, provider.name, model),
  );
  return { model, index, floor };
}

/** The best route by one of `accounts`, or the moment of the earliest one if that is sooner than `sooner`. */
function findAmong(
  question: Search,
  candidate: Candidate,
  accounts: readonly KnownAccount[],
  sooner: number,
): Found {
  const { preferCheapest } = question.preferences;
  const record = question.records.provider(candidate.provider);
  const providerReadyAt = providerAdmission(record, question).readyAt;
  let best = nothingUntil(sooner);
  for (const index of candidate.models.keys()) {
    const offer = offerOf(question, candidate, index, providerReadyAt);
    if (offer === undefined) continue;
    const { model } = offer;
    const before = best.target === undefined ? best.readyAt : question.now;
    const rate = Math.max(rateOf(record.breaker), rateOf(modelOf(record, model.id).breaker));
    const found = withFailureRate(findAccount(question, candidate, accounts, offer, before), rate);
    if (found.target !== undefined && (!preferCheapest || model.preferred === true)) return found;
    if (best.target === undefined || (found.target !== undefined && byCost(found, best) < 0)) best = found;
    if (best.target !== undefined && best.price === 0 && best.minuteUse === 0) break;
  }
  return best;
}

/** The provider's route for the call: the first in the order of models, or under `preferCheapest` the cheapest. spec 11.2 */
function findRoute(question: Search, candidate: Candidate): Found {
  const { all, awake, soonest } = viewAccounts(question, candidate);
  let best = awake.length === 0 ? NOTHING : findAmong(question, candidate, awake, NOTHING.readyAt);
  if (best.target !== undefined || soonest === undefined) return best;
  const { readyAt: floor } = providerAdmission(question.records.provider(candidate.provider), question);
  // The account that is ready first mostly decides.
  for (const { known, idle } of [soonest, ...all]) {
    if (idle !== undefined && Math.max(idle.readyAt, floor) < best.readyAt)
      best = findAmong(question, candidate, [known], best.readyAt);
  }
  return best;
}

export interface StageResult {
  readonly best: Target | undefined;
  /** Whether another provider could serve the call, too. */
  readonly alternatives: boolean;
  /** Epoch ms at which the earliest route is ready; only meaningful without a best one. */
  readonly readyAt: number;
}

/** The best ready route of a stage. */
function searchStage(question: Search, stage: Stage): StageResult {
  const scores: LazyProviderScore[] = [];
  let readyAt = Number.POSITIVE_INFINITY;
  for (const candidate of stage) {
    const found = findRoute(question, candidate);
    if (found.target === undefined) readyAt = Math.min(readyAt, found.readyAt);
    else scores.push(new LazyProviderScore(question.records, found, found.target));
  }
  const { failedAttempts, preferences } = question;
  const best =
    scores.length < 2
      ? scores[0]?.target
      : bestOf(scores, failedAttempts, preferences.order, preferences.turn);
  return { best, alternatives: scores.length > 1, readyAt };
}

/** The best route of the first stage that has a ready one. */
export function search(question: Search): StageResult {
  let readyAt = Number.POSITIVE_INFINITY;
  for (const stage of question.stages) {
    const result = searchStage(question, stage);
    if (result.best !== undefined) return result;
    readyAt = Math.min(readyAt, result.readyAt);
  }
  return { best: undefined, alternatives: false, readyAt };
}

/** The first pass of a search. Written out, because spreading a question takes longer than searching a small pool. */
function inFirstPass(question: Question, firstPass: FirstPass): Search {
  const { now, stages, records, preferences, needs, failedAttempts, maxAttempts, waitUntil } = question;
  return { now, stages, records, preferences, needs, failedAttempts, maxAttempts, waitUntil, firstPass };
}

/** Searches in two passes: the first skips routes that failed recently. spec 11.7 */
export function searchTwice(question: Question): StageResult {
  const firstPass: FirstPass = { avoided: false };
  const found = search(inFirstPass(question, firstPass));
  return found.best === undefined && firstPass.avoided ? search(question) : found;
}
