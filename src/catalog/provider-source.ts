import { kindOf, type ModelSpec } from '../core/model.ts';
import type { Provider } from '../providers/provider.ts';
import { getRequest } from '../providers/side-request.ts';
import type { ModelDiscovery, ModelSource } from './source-list.ts';
import { sizeTags } from './size-tags.ts';
import { MINUTE_MS } from '../core/time.ts';

/** A server on the user's machine answers at once or does not run: the wait for it is short, and so are the pauses. */
// spec 15.2
const LOCAL_PACE = { retries: 0, maxWaitMs: 1000, longestPauseMs: 30_000 };
/** Asking it costs nothing, and the user may add models at any time. */
const LOCAL_TTL_MS = MINUTE_MS;

/** The user's model as a spec. A chat model without tags gets them, with its size guessed from its id. */
function toModelSpec(model: ModelSpec | string, provider: Provider): ModelSpec {
  const spec = typeof model === 'string' ? { id: model } : model;
  const isTold = 'kind' in spec || 'tags' in spec;
  if (kindOf(spec) === 'embedding') return spec;
  if (!isTold && provider.isEmbedding(spec.id)) return { ...spec, kind: 'embedding' };
  return spec.tags === undefined ? { ...spec, tags: ['chat', ...sizeTags(spec.id)], guessed: true } : spec;
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
    embeddings: discovery.embeddings,
    shape: discovery.shape,
    complete: discovery.complete,
  };
}

/**
 * The source of a provider's models, from its file and the user's options.
 * @param redact - Takes keys out of the list and of error messages.
 * @param defaultTtlMs - How long a list is fresh unless the user sets it.
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
    userModels: options.models?.map((model) => toModelSpec(model, provider)),
    cacheTtlMs:
      options.cacheTtlMs ?? (spec.access === 'local' ? Math.min(LOCAL_TTL_MS, defaultTtlMs) : defaultTtlMs),
    discovery: discoveryOf(provider, redact),
  };
}
