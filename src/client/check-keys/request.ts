/** The cheapest request that tells whether a provider takes a key. */

import { isLong } from '../../core/limits/limit.ts';
import type { Target } from '../../core/routing/question.ts';
import type { Candidate, CandidateModel, PoolAccount } from '../../core/pool.ts';
import { modelOf } from '../../core/records/provider.ts';
import type { HttpRequest } from '../../ports.ts';
import type { Provider, ProviderKey } from '../../providers/provider.ts';
import { VERSION } from '../../version.ts';
import type { Pool } from '../pool.ts';
import type { CheckRequest } from './verdict.ts';
import { requestBody } from '../request-body.ts';

/** One key, and what it is asked with. */
export interface Subject {
  readonly provider: Provider;
  readonly key: ProviderKey;
  readonly candidate: Candidate;
  readonly account: PoolAccount;
}

/** The model that has the most of its day. */
function cheapestModel({ candidate, account }: Subject): CandidateModel | undefined {
  let best: CandidateModel | undefined;
  let most = -1;
  for (const model of candidate.models) {
    const days = account.limits(model.id).filter(isLong);
    const max = Math.min(...days.map((limit) => limit.max));
    if (max > most) {
      best = model;
      most = max;
    }
  }
  return best;
}

/** A request, what kind it turned out to be, and of a chat its route. */
export interface Question {
  readonly kind: CheckRequest;
  readonly request: HttpRequest;
  readonly target?: Target;
}

function chatQuestion(pool: Pool, subject: Subject, model: CandidateModel): Question {
  const { provider, key, candidate, account } = subject;
  const route = { provider: provider.name, account: account.id, keyId: key.keyId, model: model.id };
  const target = { route, provider: candidate.provider, account, model };
  const known = modelOf(pool.ledger.known([[candidate]]).provider(candidate.provider), model.id);
  const body = requestBody([{ role: 'user', content: 'Hi' }], { max_tokens: 1 });
  return { kind: 'chat', request: pool.chat.encode(body, target, known, undefined), target };
}

function getRequest({ provider, key }: Subject, path: string): HttpRequest {
  return {
    method: 'GET',
    url: provider.urlOf(path),
    headers: {
      'user-agent': `freelm/${VERSION}`,
      accept: 'application/json',
      ...provider.headersFor(key.keyId),
    },
  };
}

/** A provider without a model to chat with is asked for its list. */
export function questionFor(pool: Pool, subject: Subject, wanted: CheckRequest): Question {
  const { spec } = subject.provider;
  const model = wanted === 'chat' ? cheapestModel(subject) : undefined;
  if (model !== undefined) return chatQuestion(pool, subject, model);
  if (wanted === 'account' && spec.account !== undefined)
    return { kind: 'account', request: getRequest(subject, spec.account.path) };
  return { kind: 'models', request: getRequest(subject, spec.discovery?.path ?? '/models') };
}
