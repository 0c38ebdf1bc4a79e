import type { Clock } from '../ports.ts';
import type { Provider } from '../providers/provider.ts';
import type { FreeLLMEvent } from './events.ts';
import { DAY_MS } from '../core/time.ts';

function warningOf({ title, asOf, expires }: Provider['spec']): string {
  return `What this version knows about ${title} (limits, models, prices) was checked on ${asOf} and expired on ${expires}. Update freelm. Until then, freelm corrects what it can from the provider's answers, and you can set rpm, rpd, tpm and models yourself.`;
}

/**
 * Wraps `emit`. Before the first event, it emits each provider's warnings. Before the first event after a provider's
 * facts have expired, it emits a warning about them. spec 15.3
 */
export function withProviderWarnings(
  emit: (event: FreeLLMEvent) => void,
  providers: readonly Provider[],
  clock: Clock,
): (event: FreeLLMEvent) => void {
  let pending = providers
    .flatMap(({ spec, warnings }) => [
      ...warnings.map((message) => ({ message, until: 0 })),
      { message: warningOf(spec), until: Date.parse(spec.expires) + DAY_MS },
    ])
    .filter(({ until }) => Number.isFinite(until))
    .toSorted((a, b) => a.until - b.until);
  return (event) => {
    const now = pending.length === 0 ? 0 : clock.now();
    while (pending[0] !== undefined && pending[0].until <= now) {
      const [{ message }] = pending;
      pending = pending.slice(1);
      emit({ type: 'warning', message });
    }
    emit(event);
  };
}
