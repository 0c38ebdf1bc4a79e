/** Which providers and models can serve what a call asks for: a fallback chain of stages. */

import type { CandidateModel, PoolProvider, Stage } from '../core/pool.ts';
import { ALIAS_NAMES, readModelName } from '../core/model-alias.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { ConfigError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';

/** A provider of the pool with the models that it is known to have now. */
export interface Listed {
  readonly provider: Provider;
  readonly pool: PoolProvider;
  readonly models: readonly ModelSpec[];
}

function toCandidate({ id, ctx }: ModelSpec): CandidateModel {
  return { id, ctx };
}

function toCandidates(
  models: readonly ModelSpec[],
  prefer: readonly string[] = [],
): readonly CandidateModel[] {
  return ordered(models, prefer).map((model) => ({
    ...toCandidate(model),
    preferred: prefer.includes(model.id),
  }));
}

/** Preferred models first, in the user's order; then by priority, equal ones in the list's order. */
function ordered(models: readonly ModelSpec[], prefer: readonly string[]): readonly ModelSpec[] {
  const rank = new Map(prefer.map((id, index) => [id, index]));
  const rankOf = ({ id }: ModelSpec): number => rank.get(id) ?? prefer.length;
  return models.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.priority ?? 0) - (b.priority ?? 0));
}

function tagsOf(model: ModelSpec): readonly string[] {
  return model.tags ?? ['chat'];
}

/** The models of each provider that have all of `tags`, and `capabilities` where any model has them. */
function stageOfTags(
  listed: readonly Listed[],
  tags: readonly string[],
  capabilities: readonly string[],
): Stage {
  const having = (wanted: readonly string[]): Stage =>
    listed.flatMap(({ provider, pool, models }) => {
      const fitting = models.filter(
        (model) => !provider.refusesPaid(model.id) && wanted.every((tag) => tagsOf(model).includes(tag)),
      );
      if (fitting.length === 0) return [];
      return [{ provider: pool, models: toCandidates(fitting, provider.options.prefer) }];
    });
  const able = having([...tags, ...capabilities]);
  // Tags are incomplete: where no model is known to be able, the call finds out which one is.
  return able.length > 0 ? able : having(tags);
}

function paidError(id: string, providers: readonly Listed[]): ConfigError {
  const names = providers.map(({ provider }) => provider.spec.title).join(', ');
  return new ConfigError(
    `Model "${id}" is not one of the free models of ${names}, and would cost money. Choose a free one, or allow it with freeOnly: false.`,
  );
}

/** @throws ConfigError for a concrete id that costs money wherever it may be had. Needs no provider's list. */
export function refusePaid(names: readonly string[], listed: readonly Listed[]): void {
  for (const name of names) {
    const query = readModelName(name);
    if (!('id' in query)) continue;
    const { id } = query;
    const possible = listed.filter(
      ({ provider, models }) => provider.mayServe(id) || models.some((model) => model.id === id),
    );
    if (possible.length > 0 && possible.every(({ provider }) => provider.refusesPaid(id)))
      throw paidError(id, possible);
  }
}

/** Providers that list the id; where none does, those that an id of this form may belong to. */
function stageOfId(listed: readonly Listed[], id: string): Stage {
  const naming = listed.filter(({ models }) => models.some((model) => model.id === id));
  const possible = naming.length > 0 ? naming : listed.filter(({ provider }) => provider.mayServe(id));
  const free = possible.filter(({ provider }) => !provider.refusesPaid(id));
  if (free.length === 0 && possible.length > 0) throw paidError(id, possible);
  if (free.length === 0) {
    const names = listed.map(({ provider }) => provider.spec.title).join(', ');
    throw new ConfigError(
      `No provider of this pool (${names}) has a model "${id}". Use a virtual model (${ALIAS_NAMES.join(', ')}) or an id that refreshModels() lists.`,
    );
  }
  return free.map(({ pool, models }) => {
    const known = models.find((model) => model.id === id);
    return { provider: pool, models: [known === undefined ? { id } : toCandidate(known)] };
  });
}

/**
 * The stages for an ordered list of model names.
 * @throws ConfigError for a name that nothing in the pool can serve, and for one that would cost money.
 */
export function stagesFor(
  names: readonly string[],
  listed: readonly Listed[],
  capabilities: readonly string[],
): readonly Stage[] {
  return names.map((name) => {
    const query = readModelName(name);
    if ('id' in query) return stageOfId(listed, query.id);
    const stage = stageOfTags(listed, query.tags, capabilities);
    if (stage.length > 0) return stage;
    throw new ConfigError(
      `No provider of this pool has a model for "${name}" (tags ${query.tags.join(', ')}). Use "auto", or give models with these tags.`,
    );
  });
}
