/** What is known of providers grows old: a warning says so once, before the next thing that happens. */

import type { Clock } from '../ports.ts';
import type { Provider } from '../providers/provider.ts';
import type { FreeLLMEvent } from './events.ts';
import { DAY_MS } from '../core/time.ts';

function warningOf({ title, asOf, expires }: Provider['spec']): string {
  return `What this version knows of ${title} (limits, models, prices) was checked on ${asOf} and was good until ${expires}. Update freelm. Until then the provider's own answers correct what they can, and the options rpm, rpd, tpm and models what you know better.`;
}

/** `tell` that tells of each provider whose facts have expired, too, once. */
export function tellingOfStaleFacts(
  tell: (event: FreeLLMEvent) => void,
  providers: readonly Provider[],
  clock: Clock,
): (event: FreeLLMEvent) => void {
  let untold = providers
    .map(({ spec }) => ({ spec, until: Date.parse(spec.expires) + DAY_MS }))
    .filter(({ until }) => Number.isFinite(until))
    .toSorted((a, b) => a.until - b.until);
  return (event) => {
    const now = untold.length === 0 ? 0 : clock.now();
    while (untold[0] !== undefined && untold[0].until <= now) {
      const [{ spec }] = untold;
      untold = untold.slice(1);
      tell({ type: 'warning', message: warningOf(spec) });
    }
    tell(event);
  };
}
