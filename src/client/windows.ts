/** The context lengths of the names that clients ask for. */

import { entryOf } from '../core/json.ts';
import { substitutesFor } from '../core/known-names.ts';
import { kindOf, type ModelSpec, readModelName, tagsOf } from '../core/model.ts';
import type { FreeLLMOptions } from './options.ts';
import type { Pool } from './pool.ts';

function isMeant(model: ModelSpec, name: string): boolean {
  const query = readModelName(name);
  if ('id' in query) return model.id === query.id;
  return kindOf(model) === 'chat' && query.tags.every((tag) => tagsOf(model).includes(tag));
}

/**
 * The context length in tokens that clients are told for a name: the user's, or else the smallest of the models that
 * the name stands for. Undefined if none is known.
 */
export function windowOf(
  name: string,
  { providers, registry }: Pool,
  { contextTokens, modelMap }: Pick<FreeLLMOptions, 'contextTokens' | 'modelMap'>,
): number | undefined {
  if (contextTokens !== undefined) return contextTokens;
  const chain = entryOf(modelMap, name) ?? substitutesFor(name) ?? name;
  for (const one of typeof chain === 'string' ? [chain] : chain) {
    const meant = [...providers.values()].flatMap((provider) =>
      registry
        .models(provider.name)
        .filter((model) => isMeant(model, one) && !provider.refusesPaid(model.id, model.free)),
    );
    const lengths = meant.flatMap(({ ctx }) => ctx ?? []);
    if (meant.length > 0) return lengths.length === 0 ? undefined : Math.min(...lengths);
  }
  return undefined;
}
