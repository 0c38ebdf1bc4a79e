/** Where a provider's models come from, by its data and the user's options. */

import type { ModelSpec } from '../core/model.ts';
import type { Provider } from '../providers/provider.ts';
import { getRequest } from '../providers/side-request.ts';
import type { ModelDiscovery, ModelSource } from './source-list.ts';
import { sizeTags } from './size-tags.ts';
import { MINUTE_MS } from '../core/time.ts';

/** A server on the user's own machine answers at once or is not there: it is asked again soon, and waited for little. */
const LOCAL_PACE = { retries: 0, patienceMs: 1000, longestPauseMs: 30_000 };
/** Asking it costs nothing, and its owner adds models at any time. */
const LOCAL_TTL_MS = MINUTE_MS;

/** A model that the user named without tags is a chat model whose size its name tells. */
function toModelSpec(model: ModelSpec | string): ModelSpec {
  const spec = typeof model === 'string' ? { id: model } : model;
  return spec.tags === undefined ? { ...spec, tags: ['chat', ...sizeTags(spec.id)] } : spec;
}

function discoveryOf(provider: Provider, redact: (text: string) => string): ModelDiscovery | undefined {
  const { spec, options } = provider;
  const { discovery } = spec;
  if (discovery === undefined || !(options.discover ?? discovery.default)) return undefined;
  const [first] = provider.keys;
  const needsKey = discovery.needsKey || spec.access === 'local';
  return {
    request: () => getRequest(provider, discovery.path, needsKey ? first?.keyId : undefined),
    redact,
    ...(spec.access === 'local' ? LOCAL_PACE : {}),
    freeOnly: options.discoverFreeOnly !== false,
    freePattern: discovery.freePattern,
    freePrices: discovery.freePrices,
    exclude: discovery.exclude,
    shape: discovery.shape,
    complete: discovery.complete,
  };
}

/**
 * @param redact - Takes keys out of what the list endpoint says.
 * @param defaultTtlMs - For how long a list is fresh where the user says nothing.
 */
export function sourceOf(
  provider: Provider,
  redact: (text: string) => string,
  defaultTtlMs: number,
): ModelSource {
  const { spec, options } = provider;
  return {
    name: provider.name,
    cacheId: `${provider.recordId}:${options.discoverFreeOnly === false ? 'all' : 'free'}`,
    builtIn: spec.models,
    userModels: options.models?.map(toModelSpec),
    cacheTtlMs:
      options.cacheTtlMs ?? (spec.access === 'local' ? Math.min(LOCAL_TTL_MS, defaultTtlMs) : defaultTtlMs),
    discovery: discoveryOf(provider, redact),
  };
}
