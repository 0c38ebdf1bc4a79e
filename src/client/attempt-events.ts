/** The names of attempts, and the events about them. */

import type { AttemptObserver, Engine } from '../engine/failover.ts';
import type { Pool } from './pool.ts';

/** How many redacted model names are cached. */
const MAX_SHOWN = 1000;

/** Names targets. A key may have been passed as a model's name by mistake, so names are redacted, each once. */
export function namesIn(pool: Pool): Engine['namesOf'] {
  const shown = new Map<string, string>();
  return ({ route: { provider, account, model: given, keyId } }) => {
    let model = shown.get(given);
    if (model === undefined) {
      model = pool.redact(given);
      if (shown.size >= MAX_SHOWN) shown.clear();
      shown.set(given, model);
    }
    return { provider, key: pool.maskOf(provider, keyId), account, model };
  };
}

export function observerOf(pool: Pool, namesOf: Engine['namesOf']): AttemptObserver {
  const { clock, events, emit } = pool;
  return {
    started({ id, attemptCount }, target) {
      if (!events.isObserved) return;
      const names = namesOf(target);
      emit({ type: 'attempt-start', call: id, attempt: attemptCount, ...names, at: clock.now() });
    },
    ended({ id, attemptCount, target, onServed }, report, usage) {
      if (report.outcome === 'success' && target !== undefined) onServed?.(target.route);
      if (!events.isObserved) return;
      emit({ type: 'attempt-end', call: id, attempt: attemptCount, ...report, usage });
      if (report.outcome !== 'unauthorized') return;
      const message = `${report.provider} refused the key ${report.key} as invalid: ${report.message ?? ''}`;
      emit({ type: 'warning', message });
    },
  };
}
