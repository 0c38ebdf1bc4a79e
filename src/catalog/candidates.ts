/** Which providers and models can serve what a call asks for: a fallback chain of stages. */

import type { CandidateModel, PoolProvider, Stage } from '../core/pool.ts';
import { ALIAS_NAMES, readModelName, type ModelSpec } from '../core/model.ts';
import { ModelNotFoundError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';

/** A provider of the pool with the models that it is known to have now. */
export interface Listed {
  readonly provider: Provider;
  readonly pool: PoolProvider;
  readonly models: readonly ModelSpec[];
}

function toCandidate({ id, ctx, maxOutput }: ModelSpec): CandidateModel {
  return maxOutput === undefined ? { id, ctx } : { id, ctx, maxOutput };
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

function refuses(provider: Provider, { id, free }: ModelSpec): boolean {
  return provider.refusesPaid(id, free);
}

function known(models: readonly ModelSpec[], id: string): ModelSpec | undefined {
  return models.find((model) => model.id === id);
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
        (model) => !refuses(provider, model) && wanted.every((tag) => tagsOf(model).includes(tag)),
      );
      if (fitting.length === 0) return [];
      return [{ provider: pool, models: toCandidates(fitting, provider.options.prefer) }];
    });
  const able = having([...tags, ...capabilities]);
  // Tags are incomplete: where no model is known to be able, the call finds out which one is.
  return able.length > 0 ? able : having(tags);
}

function paidError(id: string, providers: readonly Listed[]): ModelNotFoundError {
  const names = providers.map(({ provider }) => provider.spec.title).join(', ');
  return new ModelNotFoundError(
    id,
    `Model "${id}" is not one of the free models of ${names}, and would cost money. Choose a free one, or allow it with freeOnly: false.`,
  );
}

/** @throws ModelNotFoundError for a concrete id that costs money wherever it may be had. Needs no provider's list. */
export function refusePaid(names: readonly string[], listed: readonly Listed[]): void {
  for (const name of names) {
    const query = readModelName(name);
    if (!('id' in query)) continue;
    const { id } = query;
    const possible = listed.filter(
      ({ provider, models }) => provider.mayServe(id) || known(models, id) !== undefined,
    );
    if (
      possible.length > 0 &&
      possible.every(({ provider, models }) => refuses(provider, known(models, id) ?? { id }))
    )
      throw paidError(id, possible);
  }
}

/** Providers that list the id; where none does, those that an id of this form may belong to. */
function stageOfId(listed: readonly Listed[], id: string): Stage {
  const naming = listed.filter(({ models }) => known(models, id) !== undefined);
  const possible = naming.length > 0 ? naming : listed.filter(({ provider }) => provider.mayServe(id));
  const free = possible.filter(({ provider, models }) => !refuses(provider, known(models, id) ?? { id }));
  if (free.length === 0 && possible.length > 0) throw paidError(id, possible);
  if (free.length === 0) {
    const names = listed.map(({ provider }) => provider.spec.title).join(', ');
    throw new ModelNotFoundError(
      id,
      `No provider of this pool (${names}) has a model "${id}". Use a virtual model (${ALIAS_NAMES.join(', ')}) or an id that refreshModels() lists.${silence(listed)}`,
    );
  }
  return free.map(({ pool, models }) => ({
    provider: pool,
    models: [toCandidate(known(models, id) ?? { id })],
  }));
}

/** Who has told of no model, so that nothing can be asked of it: a server that does not run, for instance. */
function silence(listed: readonly Listed[]): string {
  const silent = listed.filter(({ models }) => models.length === 0);
  if (silent.length === 0) return '';
  const names = silent.map(({ provider }) => `${provider.spec.title} at ${provider.baseUrl}`);
  return ` No model is known yet of ${names.join(', ')}: does it answer?`;
}

function stageOf(name: string, listed: readonly Listed[], capabilities: readonly string[]): Stage {
  const query = readModelName(name);
  if ('id' in query) return stageOfId(listed, query.id);
  const stage = stageOfTags(listed, query.tags, capabilities);
  if (stage.length > 0) return stage;
  throw new ModelNotFoundError(
    name,
    `No provider of this pool has a model for "${name}" (tags ${query.tags.join(', ')}). Use "auto", or give models with these tags.${silence(listed)}`,
  );
}

function isListed(name: string, listed: readonly Listed[]): boolean {
  const query = readModelName(name);
  return !('id' in query) || listed.some(({ models }) => models.some(({ id }) => id === query.id));
}

/** The same chain, with last resorts after all of it, but where a name can be served by nobody else. */
function lastResortsLast(stages: readonly Stage[], listed: readonly Listed[]): readonly Stage[] {
  const last = new Set(listed.filter(({ provider }) => provider.lastResort).map(({ pool }) => pool));
  if (last.size === 0) return stages;
  const split = stages.map((stage) => {
    const others = stage.filter(({ provider }) => !last.has(provider));
    return others.length === 0
      ? { stage, after: [] }
      : { stage: others, after: stage.filter(({ provider }) => last.has(provider)) };
  });
  return [
    ...split.map(({ stage }) => stage),
    ...split.map(({ after }) => after).filter(({ length }) => length > 0),
  ];
}

/**
 * The stages for an ordered list of model names; last resorts come after all others.
 * @param substitute - A name to go on with after one that nobody lists, and instead of one that nobody can serve.
 * @throws ModelNotFoundError for a name that nothing in the pool can serve, and for one that would cost money.
 */
export function stagesFor(
  names: readonly string[],
  listed: readonly Listed[],
  capabilities: readonly string[],
  substitute?: string,
): readonly Stage[] {
  const stage = (name: string): Stage => stageOf(name, listed, capabilities);
  if (substitute === undefined) return lastResortsLast(names.map(stage), listed);
  const stages = names.flatMap((name) => {
    try {
      return isListed(name, listed) ? [stage(name)] : [stage(name), stage(substitute)];
    } catch (error) {
      if (error instanceof ModelNotFoundError) return [stage(substitute)];
      throw error;
    }
  });
  return lastResortsLast(stages, listed);
}
