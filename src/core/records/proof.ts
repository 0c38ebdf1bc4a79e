/** What a proof that a key works changes in the records. spec 5.15 */

import { type CircuitBreaker, CLOSED } from '../circuit-breaker.ts';
import { type AccountRecord, keyOf } from './account.ts';
import { modelOf, type ProviderRecord } from './provider.ts';

/** Results of earlier requests do not count in the next state. */
function closed(breaker: CircuitBreaker): CircuitBreaker {
  return breaker.state === 'closed' ? breaker : { ...CLOSED, generation: breaker.generation + 1 };
}

function allClosed(
  breakers: Readonly<Record<string, CircuitBreaker>>,
): Readonly<Record<string, CircuitBreaker>> {
  if (Object.values(breakers).every(({ state }) => state === 'closed')) return breakers;
  return Object.fromEntries(Object.entries(breakers).map(([name, breaker]) => [name, closed(breaker)]));
}

/** The account's record after one of its keys was accepted: no refusal is remembered against it. Quotas stay as they are. */
export function withProvenKey(record: AccountRecord, keyId: string): AccountRecord {
  const key = keyOf(record, keyId);
  const breaker = closed(record.breaker);
  const models = allClosed(record.models);
  const isKnown = key.breaker.state !== 'closed' || key.lastError !== undefined;
  if (!isKnown && breaker === record.breaker && models === record.models) return record;
  const { lastError: _, ...rest } = key;
  const keys = isKnown ? { ...record.keys, [keyId]: { ...rest, breaker: closed(key.breaker) } } : record.keys;
  return { ...record, breaker, models, keys };
}

/** The provider's record after a key of it was accepted: it is up, and its models may be there again. */
export function withProvenProvider(record: ProviderRecord): ProviderRecord {
  const breaker = closed(record.breaker);
  const isOpen = (model: string): boolean => modelOf(record, model).breaker.state !== 'closed';
  const open = Object.keys(record.models).filter(isOpen);
  if (breaker === record.breaker && open.length === 0) return record;
  const models = open.map((model) => {
    const known = modelOf(record, model);
    return [model, { ...known, breaker: closed(known.breaker) }] as const;
  });
  return { ...record, breaker, models: { ...record.models, ...Object.fromEntries(models) } };
}
