/** The model lists of a pool, and the warnings about them. */

import { sourceOf } from '../catalog/provider-source.ts';
import { ModelRegistry } from '../catalog/registry.ts';
import type { ModelSpec } from '../core/model.ts';
import type { Clock, ModelCache, Transport } from '../ports.ts';
import type { Redact } from '../providers/key.ts';
import type { Provider } from '../providers/provider.ts';
import { suggestions } from '../suggest.ts';
import type { FreeLLMEvent } from './events.ts';

/**
 * Makes a function that warns once about each id of a provider's option `prefer` that its list does not have. Such an
 * id has no effect, and is usually a typing mistake.
 */
function unmatchedPreferences(
  warn: (message: string) => void,
): (provider: Provider, models: readonly ModelSpec[]) => void {
  const told = new Set<string>();
  return ({ name, spec, options: { prefer = [] } }, models) => {
    const ids = models.map(({ id }) => id);
    for (const id of prefer) {
      if (ids.includes(id) || told.has(`${name} ${id}`)) continue;
      told.add(`${name} ${id}`);
      warn(
        `The option prefer of ${spec.title} names "${id}", which is not among its models.${suggestions([id], ids)}`,
      );
    }
  };
}

/** The callbacks of a model registry to the pool. */
interface RegistryListeners {
  readonly emit: (event: FreeLLMEvent) => void;
  readonly warn: (message: string) => void;
  readonly onPrice: (provider: string, model: string, price: number) => void;
}

interface RegistryParts {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly cache: ModelCache;
  readonly redact: Redact;
  readonly providers: ReadonlyMap<string, Provider>;
}

/** Makes the registry of a pool's models. Warns about preferred models that a list does not have once it is known. */
export function registryFor(
  { clock, transport, cache, redact, providers }: RegistryParts,
  ttlMs: number,
  { emit, warn, onPrice }: RegistryListeners,
): ModelRegistry {
  const check = unmatchedPreferences(warn);
  const checkPreferences = (name: string): void => {
    const provider = providers.get(name);
    if (provider !== undefined) check(provider, registry.models(name));
  };
  const sources = [...providers.values()].map((provider) => sourceOf(provider, redact, ttlMs));
  const registry = new ModelRegistry({
    sources,
    clock,
    transport,
    cache,
    onDiscovery(report) {
      emit({ type: 'discovery', ...report });
      if (report.outcome !== 'failed') checkPreferences(report.provider);
    },
    onPrice,
  });
  for (const { name, discovery, userModels } of sources)
    if (discovery === undefined || userModels !== undefined) checkPreferences(name);
  return registry;
}
