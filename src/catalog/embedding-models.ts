/** Chooses the embedding model of a call: one, because the vectors of two models cannot be compared. */

import { type EmbeddingFacts, mayGive, weightsOf } from '../core/embedding.ts';
import { kindOf, type ModelSpec, readModelName } from '../core/model.ts';
import type { Stage } from '../core/pool.ts';
import { ConfigError, ModelNotFoundError } from '../errors.ts';
import { SPECS } from '../providers/spec.ts';
import { emptyListHint, lastResortsLast, type Listed, paidError, toCandidate } from './candidates.ts';

/** What a call asks for. */
export interface EmbeddingQuestion {
  /** A model's id, or the name of its weights. Undefined, or `auto`: the pool's own. */
  readonly model: string | undefined;
  readonly dimensions: number | undefined;
}

/** The model of a call, and where it can be asked. */
export interface EmbeddingChoice {
  /** The name of its weights, else its id. A later call that passes it gets the same vectors. */
  readonly model: string;
  readonly stages: readonly Stage[];
}

/** An embedding model at one provider. */
interface Offer {
  readonly at: Listed;
  readonly model: ModelSpec;
  readonly facts: EmbeddingFacts;
  readonly isUnlisted?: boolean;
}

function offersOf(listed: readonly Listed[]): readonly Offer[] {
  return listed.flatMap((at) =>
    at.models
      .filter((model) => kindOf(model) === 'embedding' && !at.provider.refusesPaid(model.id, model.free))
      .map((model) => ({ at, model, facts: at.provider.embeddingOf(model.id) })),
  );
}

function nameOf({ model, facts }: Offer): string {
  return weightsOf(model.id, facts);
}

/** All offers of the same weights. Without a family, no other provider is known to have them. */
function sameWeights(offers: readonly Offer[], first: Offer): readonly Offer[] {
  const { family } = first.facts;
  if (family !== undefined) return offers.filter(({ facts }) => facts.family === family);
  return offers.filter(({ at, model }) => at === first.at && model.id === first.model.id);
}

/** How many providers serve the same weights, without last resorts. */
function providersOf(offers: readonly Offer[], offer: Offer): number {
  const members = sameWeights(offers, offer).filter(({ at }) => !at.provider.lastResort);
  return new Set(members.map(({ at }) => at)).size;
}

/** Whether the user or the provider's file names the model, so that every pool of these providers has it. */
function isConfigured({ at, model }: Offer): boolean {
  const { options, spec } = at.provider;
  return options.models !== undefined || spec.models.some(({ id }) => id === model.id);
}

/** 1 for a model that the user prefers to the others of its provider, else 0. */
function preferenceOf({ at, model }: Offer): number {
  return at.provider.options.prefer?.includes(model.id) === true ? 1 : 0;
}

/**
 * A model that the user prefers, else the weights that most providers serve; among equals, by `priority`, then as listed.
 * Models of fetched lists count only if there are no others, so that the choice does not depend on which lists have come.
 */
// spec 17.3
function usualOffer(all: readonly Offer[]): Offer | undefined {
  const configured = all.filter(isConfigured);
  const offers = configured.length > 0 ? configured : all;
  const ranked = offers.map((offer) => ({
    offer,
    ranks: [-preferenceOf(offer), -providersOf(offers, offer), offer.model.priority ?? 0] as const,
  }));
  const [best] = ranked.toSorted(({ ranks: a }, { ranks: b }) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  return best?.offer;
}

function titles(listed: readonly Listed[]): string {
  return listed.map(({ provider }) => provider.spec.title).join(', ');
}

/** A model that no list names, at the first provider that may have it. */
function unlistedOffer(listed: readonly Listed[], id: string): Offer | undefined {
  const possible = listed.filter(({ provider }) => provider.mayServe(id));
  const at = possible.find(({ provider }) => !provider.refusesPaid(id));
  if (at === undefined) {
    if (possible.length > 0) throw paidError(id, possible);
    return undefined;
  }
  return { at, model: { id, kind: 'embedding' }, facts: at.provider.embeddingOf(id), isUnlisted: true };
}

/** The offer that a name stands for. @throws ModelNotFoundError that says what is wrong with the name. */
function namedOffer(listed: readonly Listed[], offers: readonly Offer[], name: string): Offer {
  const known =
    offers.find(({ model }) => model.id === name) ?? offers.find(({ facts }) => facts.family === name);
  if (known !== undefined) return known;
  const isChat = (model: ModelSpec): boolean => model.id === name && kindOf(model) === 'chat';
  if (listed.some(({ models }) => models.some(isChat)) || 'tags' in readModelName(name)) {
    throw new ModelNotFoundError(
      name,
      `"${name}" is a chat model and gives no vectors. Leave out the model, or name an embedding model: ${shown(offers)}.`,
    );
  }
  const unlisted = unlistedOffer(listed, name);
  if (unlisted !== undefined) return unlisted;
  throw new ModelNotFoundError(
    name,
    `No provider of this pool (${titles(listed)}) has an embedding model "${name}". Name one of these: ${shown(offers)}.`,
  );
}

function shown(offers: readonly Offer[]): string {
  return offers.length === 0 ? '(the pool has none)' : [...new Set(offers.map(nameOf))].join(', ');
}

/** The providers that have embedding models, for messages. */
const EXAMPLES: readonly string[] = Object.values(SPECS)
  .filter(
    ({ access, models }) => access === 'default' && models.some((model) => kindOf(model) === 'embedding'),
  )
  .map(({ title }) => title);

function noModels(listed: readonly Listed[]): ModelNotFoundError {
  return new ModelNotFoundError(
    'auto',
    `No provider of this pool (${titles(listed)}) has an embedding model. Add a provider that has one (${EXAMPLES.join(', ')}), or list your own as { id, kind: 'embedding' }.${emptyListHint(listed)}`,
  );
}

function stagesOf(offers: readonly Offer[], listed: readonly Listed[]): readonly Stage[] {
  const providers = listed.filter((at) => offers.some((offer) => offer.at === at));
  const stage = providers.map((at) => ({
    provider: at.pool,
    models: offers
      .filter((offer) => offer.at === at)
      .map(({ model, isUnlisted }) => ({
        ...toCandidate(model),
        ...(isUnlisted === true && { unlisted: true }),
      })),
  }));
  return lastResortsLast([stage], listed);
}

/**
 * The model that serves a call, at all providers that have the very same weights.
 * @param own - The name of the pool's own model. Absent: it is chosen now.
 * @param takesAny - Whether a name that no provider has stands for the pool's own model.
 * @throws ModelNotFoundError if there is none, ConfigError if it cannot give so many dimensions.
 */
// spec 17.3
export function chooseEmbedding(
  listed: readonly Listed[],
  { model, dimensions }: EmbeddingQuestion,
  own?: () => string,
  takesAny: boolean = false,
): EmbeddingChoice {
  const offers = offersOf(listed);
  const ownOffer = (): Offer => {
    const offer = own === undefined ? usualOffer(offers) : namedOffer(listed, offers, own());
    if (offer === undefined) throw noModels(listed);
    return offer;
  };
  const first =
    model === undefined || model === 'auto'
      ? ownOffer()
      : namedOr(() => namedOffer(listed, offers, model), takesAny ? ownOffer : undefined);
  const members = first.isUnlisted === true ? [first] : sameWeights(offers, first);
  const able = members.filter(({ facts }) => mayGive(facts, dimensions));
  if (able.length === 0) throw wrongDimensions(first, offers, dimensions);
  return { model: nameOf(first), stages: stagesOf(able, listed) };
}

/** The named offer, or another one if there is none of that name. */
function namedOr(named: () => Offer, other: (() => Offer) | undefined): Offer {
  try {
    return named();
  } catch (error) {
    if (other !== undefined && error instanceof ModelNotFoundError) return other();
    throw error;
  }
}

function wrongDimensions(first: Offer, offers: readonly Offer[], asked: number | undefined): ConfigError {
  const { dimensions, shorter } = first.facts;
  const range = shorter === 'any' ? `up to ${dimensions}` : [dimensions, ...(shorter ?? [])].join(', ');
  const able = offers.filter(({ facts }) => facts.dimensions !== undefined && mayGive(facts, asked));
  const others = able.length === 0 ? '' : `, or name a model that gives ${asked}: ${shown(able)}`;
  return new ConfigError(
    `options.dimensions: "${nameOf(first)}" gives vectors of ${range} numbers, not of ${asked}. Leave it out${others}.`,
  );
}
