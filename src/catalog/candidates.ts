import type { CandidateModel, PoolProvider, Stage } from '../core/pool.ts';
import { ALIAS_NAMES, kindOf, readModelName, type ModelSpec, tagsOf } from '../core/model.ts';
import { BadRequestError, ModelNotFoundError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';

/** A provider of the pool with its current models. */
export interface Listed {
  readonly provider: Provider;
  readonly pool: PoolProvider;
  readonly models: readonly ModelSpec[];
}

/** A model as routing sees it. */
export function toCandidate({ id, ctx, maxOutput, free, freeBecause }: ModelSpec): CandidateModel {
  return {
    id,
    ctx,
    ...(maxOutput !== undefined && { maxOutput }),
    ...(free === false && { costs: true }),
    ...(freeBecause !== undefined && { freeBecause }),
  };
}

function candidateOfId(models: readonly ModelSpec[], id: string): CandidateModel {
  const listed = findModel(models, id);
  return listed === undefined ? { ...toCandidate({ id }), unlisted: true } : toCandidate(listed);
}

function toCandidates(
  models: readonly ModelSpec[],
  prefer: readonly string[] = [],
): readonly CandidateModel[] {
  return sortModels(models, prefer).map((model) => ({
    ...toCandidate(model),
    preferred: prefer.includes(model.id),
  }));
}

/** Preferred models in the user's order, then the others by priority and in the list's order. */
// spec 9.5
function sortModels(models: readonly ModelSpec[], prefer: readonly string[]): readonly ModelSpec[] {
  const rank = new Map(prefer.map((id, index) => [id, index]));
  const rankOf = ({ id }: ModelSpec): number => rank.get(id) ?? prefer.length;
  return models.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.priority ?? 0) - (b.priority ?? 0));
}

function refuses(provider: Provider, { id, free }: ModelSpec): boolean {
  return provider.refusesPaid(id, free);
}

function findModel(models: readonly ModelSpec[], id: string): ModelSpec | undefined {
  return models.find((model) => model.id === id);
}

/** The capabilities without which a model is not asked, and what a request with one of them has. */
const CERTAIN: ReadonlyMap<string, string> = new Map([
  ['vision', 'images'],
  ['audio', 'audio'],
  ['file', 'files'],
  ['video', 'videos'],
]);
/** The capabilities that lists of models show. Others are learnt. */
const LISTED: ReadonlySet<string> = new Set(['tools', ...CERTAIN.keys()]);

function hasTags(model: ModelSpec, wanted: readonly string[]): boolean {
  return wanted.every((tag) => tagsOf(model).includes(tag));
}

/** Whether a model may have a capability, although its tags do not say so. */
function mayHave(model: ModelSpec, capability: string): boolean {
  return model.guessed === true || model.tags === undefined || model.tags.includes(capability);
}

/**
 * The models with all of `tags`, and with `capabilities` if any model has them.
 * @throws BadRequestError if all models with the tags are known to lack a capability.
 */
// spec 9.2
function stageOfTags(
  name: string,
  listed: readonly Listed[],
  tags: readonly string[],
  capabilities: readonly string[],
): Stage {
  const suiting = (suits: (model: ModelSpec) => boolean): Stage =>
    listed.flatMap(({ provider, pool, models }) => {
      const matching = models.filter(
        (model) => kindOf(model) === 'chat' && !refuses(provider, model) && suits(model),
      );
      if (matching.length === 0) return [];
      return [{ provider: pool, models: toCandidates(matching, provider.options.prefer) }];
    });
  const wanted = [...tags, ...capabilities.filter((capability) => LISTED.has(capability))];
  const able = suiting((model) => hasTags(model, wanted));
  if (able.length > 0) return able;
  const tagged = suiting((model) => hasTags(model, tags));
  const needed = capabilities.filter((capability) => CERTAIN.has(capability));
  if (tagged.length === 0 || needed.length === 0) return tagged;
  // Tags may be incomplete: if no model is known to have a capability, the call tries those that may have it.
  const possible = suiting(
    (model) => hasTags(model, tags) && needed.every((capability) => mayHave(model, capability)),
  );
  if (possible.length > 0) return possible;
  throw incapableError(name, needed);
}

function incapableError(name: string, needed: readonly string[]): BadRequestError {
  const what = needed.map((capability) => CERTAIN.get(capability) ?? capability).join(' and ');
  const tags = needed.join('", "');
  const message = `The request has ${what}, and no model of this pool for "${name}" takes ${what}: none has the tag "${tags}". Nothing was sent. Add a provider with such a model, or give the tag to a model of yours that takes them.`;
  return new BadRequestError({ code: 'unsupported', message });
}

export function paidError(id: string, providers: readonly Listed[]): ModelNotFoundError {
  const names = providers.map(({ provider }) => provider.spec.title).join(', ');
  return new ModelNotFoundError(
    id,
    `Model "${id}" is not one of the free models of ${names}, and would cost money. Choose a free one, or allow it with freeOnly: false.`,
  );
}

/** One error for all names of a chain. */
function joined(errors: readonly ModelNotFoundError[]): ModelNotFoundError {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const messages = errors.map(({ message }) => `\n  ${message}`).join('');
  return new ModelNotFoundError(
    errors.map(({ model }) => model).join(', '),
    `No model of the chain can be used:${messages}`,
  );
}

/**
 * The errors of those names that cost money at every provider. Needs no discovered list.
 * @throws ModelNotFoundError if all of them do.
 */
// spec 9.4
export function refusePaid(
  names: readonly string[],
  listed: readonly Listed[],
): readonly ModelNotFoundError[] {
  const refused = names.flatMap((name) => {
    const query = readModelName(name);
    if (!('id' in query)) return [];
    const { id } = query;
    const possible = listed.filter(
      ({ provider, models }) => provider.mayServe(id) || findModel(models, id) !== undefined,
    );
    const isPaid = possible.every(({ provider, models }) =>
      refuses(provider, findModel(models, id) ?? { id }),
    );
    return possible.length > 0 && isPaid ? [paidError(id, possible)] : [];
  });
  if (refused.length > 0 && refused.length === names.length) throw joined(refused);
  return refused;
}

/** Whether an id is known as that of an embedding model, and no list has it as a chat model. */
function isEmbedding(listed: readonly Listed[], id: string): boolean {
  const kinds = listed.flatMap(({ models }) => findModel(models, id) ?? []).map(kindOf);
  return kinds.length > 0
    ? !kinds.includes('chat')
    : listed.some(({ provider }) => provider.mayServe(id) && provider.isEmbedding(id));
}

/** The providers that list an id, else those whose ids have this form. */
// spec 9.3
function stageOfId(listed: readonly Listed[], id: string): Stage {
  if (isEmbedding(listed, id)) {
    throw new ModelNotFoundError(
      id,
      `Model "${id}" turns texts into vectors and cannot chat. Pass it to embed(), or choose a chat model.`,
    );
  }
  const listing = listed.filter(({ models }) => findModel(models, id) !== undefined);
  const possible = listing.length > 0 ? listing : listed.filter(({ provider }) => provider.mayServe(id));
  const free = possible.filter(({ provider, models }) => !refuses(provider, findModel(models, id) ?? { id }));
  if (free.length === 0 && possible.length > 0) throw paidError(id, possible);
  if (free.length === 0) {
    const names = listed.map(({ provider }) => provider.spec.title).join(', ');
    throw new ModelNotFoundError(
      id,
      `No provider of this pool (${names}) has a model "${id}". Use a virtual model (${ALIAS_NAMES.join(', ')}) or an id that refreshModels() lists.${emptyListHint(listed)}`,
    );
  }
  return free.map(({ pool, models }) => ({
    provider: pool,
    models: [candidateOfId(models, id)],
  }));
}

/** A hint about providers without models, such as a local server that does not run. */
export function emptyListHint(listed: readonly Listed[]): string {
  const empty = listed.filter(({ models }) => models.length === 0);
  if (empty.length === 0) return '';
  const names = empty.map(({ provider }) => `${provider.spec.title} at ${provider.baseUrl}`);
  return ` No models are known yet from ${names.join(', ')}. Check that the server is running.`;
}

function stageOf(name: string, listed: readonly Listed[], capabilities: readonly string[]): Stage {
  const query = readModelName(name);
  if ('id' in query) return stageOfId(listed, query.id);
  const stage = stageOfTags(name, listed, query.tags, capabilities);
  if (stage.length > 0) return stage;
  throw new ModelNotFoundError(
    name,
    `No provider of this pool has a model for "${name}" (tags ${query.tags.join(', ')}). Use "auto", or give models with these tags.${emptyListHint(listed)}`,
  );
}

function isListed(name: string, listed: readonly Listed[]): boolean {
  const query = readModelName(name);
  return !('id' in query) || listed.some(({ models }) => models.some(({ id }) => id === query.id));
}

/** Moves last resorts behind all other stages, except from a stage that only they can serve. */
// spec 9.7
export function lastResortsLast(stages: readonly Stage[], listed: readonly Listed[]): readonly Stage[] {
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
 * The stages for an ordered list of model names. A name that no provider can serve, or that would cost money, is passed
 * over while another one is left. Last resorts come after all others.
 * @param substitute - A name to add after one that no provider lists, and to use in place of one that none can serve.
 * @throws ModelNotFoundError if no name is left, or BadRequestError if a model lacks what the request needs.
 */
// spec 9.8
export function stagesFor(
  names: readonly string[],
  listed: readonly Listed[],
  capabilities: readonly string[],
  substitute?: string,
): readonly Stage[] {
  const stage = (name: string): Stage => stageOf(name, listed, capabilities);
  const passedOver: ModelNotFoundError[] = [];
  let incapable: BadRequestError | undefined;
  const stages = names.flatMap((name) => {
    try {
      const own = stage(name);
      return substitute === undefined || isListed(name, listed) ? [own] : [own, stage(substitute)];
    } catch (error) {
      if (error instanceof BadRequestError) {
        incapable ??= error;
        return [];
      }
      if (!(error instanceof ModelNotFoundError)) throw error;
      if (substitute !== undefined) return [stage(substitute)];
      passedOver.push(error);
      return [];
    }
  });
  if (stages.length === 0) throw incapable ?? joined(passedOver);
  return lastResortsLast(stages, listed);
}
