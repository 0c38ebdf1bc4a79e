import { isLong } from '../../core/limits/limit.ts';
import type { Target } from '../../core/routing/question.ts';
import type { Candidate, CandidateModel, PoolAccount } from '../../core/pool.ts';
import { modelOf } from '../../core/records/provider.ts';
import { isTooDear } from '../../core/routing/fitness.ts';
import type { HttpRequest } from '../../ports.ts';
import type { Provider, ProviderKey } from '../../providers/provider.ts';
import { getRequest } from '../../providers/side-request.ts';
import type { Pool } from '../pool.ts';
import type { CheckRequest } from './verdict.ts';
import { requestBody } from '../request-body.ts';

/** One key to check. */
export interface Subject {
  readonly provider: Provider;
  readonly key: ProviderKey;
  readonly candidate: Candidate;
  readonly account: PoolAccount;
}

/** The model with the largest daily limit, of those that may be called. */
function cheapestModel(pool: Pool, { candidate, account }: Subject): CandidateModel | undefined {
  if (account.isBilled === true) return undefined;
  const record = pool.ledger.known([[candidate]]).provider(candidate.provider);
  let best: CandidateModel | undefined;
  let most = -1;
  for (const model of candidate.models) {
    if (isTooDear(candidate.provider, record, model)) continue;
    const daily = account.limits(model.id).filter(isLong);
    const max = Math.min(...daily.map((limit) => limit.max));
    if (max > most) {
      best = model;
      most = max;
    }
  }
  return best;
}

/** A request that checks a key. */
export interface KeyRequest {
  /** Its actual kind, which may differ from the wanted one. */
  readonly kind: CheckRequest;
  readonly request: HttpRequest;
  /** Only of a chat. */
  readonly target?: Target;
}

function chatRequest(pool: Pool, subject: Subject, model: CandidateModel): KeyRequest {
  const { provider, key, candidate, account } = subject;
  const route = { provider: provider.name, account: account.id, keyId: key.keyId, model: model.id };
  const target = { route, provider: candidate.provider, account, model };
  const known = modelOf(pool.ledger.known([[candidate]]).provider(candidate.provider), model.id);
  const body = requestBody([{ role: 'user', content: 'Hi' }], { max_tokens: 1 });
  return {
    kind: 'chat',
    request: pool.chat.encode(body, {
      target,
      alternatives: false,
      plain: false,
      known,
      maxTokens: undefined,
    }),
    target,
  };
}

/** A request of the wanted kind, or for the list of models if the provider has no model or no account endpoint. */
export function keyRequestFor(pool: Pool, subject: Subject, wanted: CheckRequest): KeyRequest {
  const { provider, key } = subject;
  const { account, discovery } = provider.spec;
  const model = wanted === 'chat' ? cheapestModel(pool, subject) : undefined;
  if (model !== undefined) return chatRequest(pool, subject, model);
  const isAccount = wanted === 'account' && account !== undefined;
  const path = isAccount ? account.path : (discovery?.path ?? '/models');
  return { kind: isAccount ? 'account' : 'models', request: getRequest(provider, path, key.keyId) };
}
