/** Finds the providers and models for a call. Caches the result until a model list changes. */

import { type Listed, refusePaid, stagesFor, toCandidate } from '../catalog/candidates.ts';
import {
  chooseEmbedding,
  type EmbeddingChoice,
  type EmbeddingQuestion,
} from '../catalog/embedding-models.ts';
import type { ModelRegistry } from '../catalog/registry.ts';
import { kindOf, type ModelSpec } from '../core/model.ts';
import type { Stage } from '../core/pool.ts';
import { ConfigError, ModelNotFoundError } from '../errors.ts';
import type { Redact } from '../providers/key.ts';
import { meetsPrivacy, type Privacy, strictest } from '../providers/privacy.ts';
import type { FreeLLMEvent } from './events.ts';
import type { FreeLLMOptions } from './options.ts';

/** The functions of a pool that find models. */
export interface Finders {
  /** Warns once about each name that would cost money. @throws ModelNotFoundError if all of them would. */
  refusePaid(models: readonly string[]): void;
  /** Whether a provider is known to have a model with this id. */
  lists(id: string): boolean;
  /** All providers with all their chat models, or their embedding models if they have no others. */
  everything(): Stage;
  /** @throws ConfigError if no provider of the pool meets the demand for privacy. */
  stages(models: readonly string[], capabilities: readonly string[], privacy?: Privacy): readonly Stage[];
  /** The embedding model of a call. The pool's own is chosen once. */
  embedding(question: EmbeddingQuestion & { readonly privacy?: Privacy | undefined }): EmbeddingChoice;
}

/** How many questions are cached. */
const MAX_QUESTIONS = 1000;

/** The providers that meet a demand for privacy. */
function keeping(listed: readonly Listed[], demand: Privacy | undefined): readonly Listed[] {
  const kept = listed.filter(({ provider: { spec, options } }) =>
    meetsPrivacy(spec.privacy, options.privacy, demand),
  );
  if (kept.length > 0) return kept;
  const names = listed.map(({ provider }) => provider.spec.title).join(', ');
  throw new ConfigError(
    `options.privacy is "${demand}", but no provider of this pool is known to meet this (${names}). Nothing was sent. Add a provider that meets it, or state it for one with its own option "privacy".`,
  );
}

/** Caches answers until a model list changes. */
function memory<Answer extends {}>(
  registry: ModelRegistry,
): (question: string, find: () => Answer) => Answer {
  const known = new Map<string, Answer>();
  let version = registry.version;
  return (question, find) => {
    if (version !== registry.version) {
      known.clear();
      version = registry.version;
    }
    let answer = known.get(question);
    if (answer === undefined) {
      answer = find();
      if (known.size >= MAX_QUESTIONS) known.clear();
      known.set(question, answer);
    }
    return answer;
  };
}

/** No model name contains it. */
const SEPARATOR = '\n';

/** Caches the stages of each combination. */
function stageMemory(
  listed: () => readonly Listed[],
  registry: ModelRegistry,
  substitute: string | undefined,
  floor: Privacy | undefined,
): Finders['stages'] {
  const remember = memory<readonly Stage[]>(registry);
  return (models, capabilities, privacy) => {
    const demand = strictest(floor, privacy);
    const question = [demand, capabilities.join(), ...models].join(SEPARATOR);
    return remember(question, () => stagesFor(models, keeping(listed(), demand), capabilities, substitute));
  };
}

/**
 * Remembers the embedding model of calls that name none, so that it stays the same. The choice considers all providers
 * of the pool, regardless of the demands of a call.
 */
// spec 17.3
function embeddingMemory(
  listed: () => readonly Listed[],
  floor: Privacy | undefined,
  takesAny: boolean,
): Finders['embedding'] {
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

/** Redacts the model's name in errors: it may be a key that was passed by mistake. */
function redactingErrors<Args extends readonly unknown[], Result>(
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

/** Passes on each paid model of a chain once. */
function warnOnce(warn: (message: string) => void): (paid: ReturnType<typeof refusePaid>) => void {
  const passedOver = new Set<string>();
  return (paid) => {
    for (const { model, message } of paid) {
      if (!passedOver.has(model)) warn(message);
      passedOver.add(model);
    }
  };
}

/** The chat models of a provider; its embedding models if it has no others. */
function shownModels(models: readonly ModelSpec[]): readonly ModelSpec[] {
  const chats = models.filter((model) => kindOf(model) === 'chat');
  return chats.length > 0 ? chats : models;
}

interface FinderPorts {
  readonly listed: () => readonly Listed[];
  readonly registry: ModelRegistry;
  readonly redact: Redact;
  readonly emit: (event: FreeLLMEvent) => void;
}

/** Makes the functions that find a pool's models. */
export function findersOf(
  { unknownModels, privacy }: FreeLLMOptions,
  { listed, registry, redact, emit }: FinderPorts,
): Finders {
  const takesAny = unknownModels === 'auto';
  const warnOfPaid = warnOnce((message) => emit({ type: 'warning', message: redact(message) }));
  const accepted = memory<true>(registry);
  const isListed = memory<boolean>(registry);
  return {
    refusePaid: redactingErrors((models) => {
      if (takesAny) return;
      accepted(models.join(SEPARATOR), () => {
        warnOfPaid(refusePaid(models, listed()));
        return true;
      });
    }, redact),
    lists: (id) => isListed(id, () => listed().some(({ models }) => models.some((model) => model.id === id))),
    everything: () =>
      listed().map(({ pool, models }) => ({
        provider: pool,
        models: shownModels(models).map(toCandidate),
      })),
    stages: redactingErrors(stageMemory(listed, registry, takesAny ? 'auto' : undefined, privacy), redact),
    embedding: redactingErrors(embeddingMemory(listed, privacy, takesAny), redact),
  };
}
