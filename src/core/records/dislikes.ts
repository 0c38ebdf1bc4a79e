/** What a model rejected without saying why, although another model took it: the features of such requests. spec 8.5 */

import { DAY_MS } from '../time.ts';
import type { Dislike, ModelRecord } from './provider.ts';

/** The features of a request in its usual or in its plain form, sorted. */
export type FeaturesOf = (plain: boolean) => readonly string[];

const MAX_DISLIKES = 8;

function isFresh({ at }: Dislike, now: number): boolean {
  return Math.abs(now - at) <= DAY_MS;
}

/** Whether a request has all disliked features. */
function has(features: readonly string[], disliked: readonly string[]): boolean {
  if (disliked.length === 0) return features.length === 0;
  return disliked.every((feature) => features.includes(feature));
}

/** The form in which a model is known to reject a request: `plain` if it rejects the plain form, too. */
export function dislikeOf(
  { dislikes = [] }: ModelRecord,
  featuresOf: FeaturesOf,
  now: number,
): 'usual' | 'plain' | undefined {
  let found: 'usual' | undefined;
  for (const dislike of dislikes) {
    const isPlain = dislike.plain === true;
    if (!isFresh(dislike, now) || !has(featuresOf(isPlain), dislike.features)) continue;
    if (isPlain) return 'plain';
    found = 'usual';
  }
  return found;
}

/** What two rejections have in common, or the features of the later one. */
function inCommon(features: readonly string[], others: readonly Dislike[]): readonly string[] {
  for (const other of others) {
    const common = features.filter((feature) => other.features.includes(feature));
    if (common.length > 0) return common;
  }
  return features;
}

/** The model after it rejected a request with these features that another model served. */
export function withRejection(
  model: ModelRecord,
  features: readonly string[],
  plain: boolean,
  now: number,
): ModelRecord {
  const fresh = (model.dislikes ?? []).filter((dislike) => isFresh(dislike, now));
  const alike = fresh.filter((dislike) => (dislike.plain === true) === plain);
  const common = inCommon(features, alike);
  // The new entry says all that these say.
  const implied = new Set(alike.filter((dislike) => has(dislike.features, common)));
  const dislike: Dislike = { features: common, at: now, ...(plain && { plain }) };
  const others = fresh.filter((one) => !implied.has(one));
  return { ...model, dislikes: [dislike, ...others].slice(0, MAX_DISLIKES) };
}

/** The model after it served a request with these features: it takes them. Returns `model` if nothing changes. */
export function withServing(model: ModelRecord, features: readonly string[]): ModelRecord {
  const { dislikes = [] } = model;
  const left = dislikes.flatMap((dislike) => {
    const suspects = dislike.features.filter((feature) => !features.includes(feature));
    if (suspects.length === dislike.features.length && suspects.length > 0) return [dislike];
    if (suspects.length > 0) return [{ ...dislike, features: suspects }];
    // Nothing is left to suspect. A request without features was served only by one without.
    return dislike.features.length === 0 && features.length > 0 ? [dislike] : [];
  });
  const isSame = left.length === dislikes.length && left.every((one, index) => one === dislikes[index]);
  return isSame ? model : { ...model, dislikes: left };
}
