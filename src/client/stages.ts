/** Which providers and models serve a call. What was found is remembered until a list of models changes. */

import { type Listed, stagesFor } from '../catalog/candidates.ts';
import { chooseEmbedding } from '../catalog/embedding-models.ts';
import type { ModelRegistry } from '../catalog/registry.ts';
import type { Stage } from '../core/pool.ts';
import { ConfigError, ModelNotFoundError } from '../errors.ts';
import type { Redact } from '../providers/key.ts';
import { meetsPrivacy, type Privacy, strictest } from '../providers/privacy.ts';
import type { Pool } from './pool.ts';

/** How many combinations of models and capabilities are remembered. */
const MAX_QUESTIONS = 1000;

/** The providers that meet a demand for privacy. */
function keeping(listed: readonly Listed[], demand: Privacy | undefined): readonly Listed[] {
  const kept = listed.filter(({ provider: { spec, options } }) =>
    meetsPrivacy(spec.privacy, options.privacy, demand),
  );
  if (kept.length > 0) return kept;
  const names = listed.map(({ provider }) => provider.spec.title).join(', ');
  throw new ConfigError(
    `options.privacy is "${demand}", and that is not known of any provider of this pool (${names}). Nothing was sent. Add a provider of which it is known, or state it for one with its own option "privacy".`,
  );
}

/** Remembers the stages of each combination until a list of models changes. */
export function stageMemory(
  listed: () => readonly Listed[],
  registry: ModelRegistry,
  substitute: string | undefined,
  floor: Privacy | undefined,
): Pool['stages'] {
  const known = new Map<string, readonly Stage[]>();
  let version = registry.version;
  return (models, capabilities, privacy) => {
    if (version !== registry.version) {
      known.clear();
      version = registry.version;
    }
    const demand = strictest(floor, privacy);
    const question = JSON.stringify([models, capabilities, demand]);
    let stages = known.get(question);
    if (stages === undefined) {
      stages = stagesFor(models, keeping(listed(), demand), capabilities, substitute);
      if (known.size >= MAX_QUESTIONS) known.clear();
      known.set(question, stages);
    }
    return stages;
  };
}

/**
 * Remembers the embedding model of calls that name none, so that it stays the same. It is chosen among the providers of the
 * pool, whatever a call demands.
 */
// spec 17.3
export function embeddingMemory(
  listed: () => readonly Listed[],
  floor: Privacy | undefined,
  takesAny: boolean,
): Pool['embedding'] {
  let usual: string | undefined;
  return ({ privacy, ...question }) => {
    const own = (): string => {
      const any = { model: undefined, dimensions: undefined };
      usual ??= chooseEmbedding(keeping(listed(), floor), any).model;
      return usual;
    };
    return chooseEmbedding(keeping(listed(), strictest(floor, privacy)), question, own, takesAny);
  };
}

/** Redacts the model's name in errors: a key may have been passed for it by mistake. */
export function redactingErrors<Args extends readonly unknown[], Result>(
  find: (...args: Args) => Result,
  redact: Redact,
): (...args: Args) => Result {
  return (...args) => {
    try {
      return find(...args);
    } catch (error) {
      if (!(error instanceof ModelNotFoundError)) throw error;
      throw new ModelNotFoundError(redact(error.model), redact(error.message));
    }
  };
}
