/** The shape in which a discovered model list is kept between runs, and its careful reader. */

import { isJsonObject } from '../core/json.ts';
import type { ModelSpec } from '../core/model.ts';

/** A discovered list and when it was. */
export interface StoredList {
  /** Epoch ms of the answer that the list comes from. */
  readonly savedAt: number;
  readonly models: readonly ModelSpec[];
}

const VERSION = 1;
const MOST_MODELS = 5000;
const MOST_TAGS = 20;

/** What to hand to a `ModelCache`. */
export function encodeStoredList(list: StoredList): unknown {
  return { version: VERSION, savedAt: list.savedAt, models: list.models };
}

function decodeModel(value: unknown): ModelSpec | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, tags, ctx, maxOutput, free, priority } = value;
  if (typeof id !== 'string') return undefined;
  return {
    id,
    ...(Array.isArray(tags)
      ? { tags: tags.filter((tag: unknown): tag is string => typeof tag === 'string').slice(0, MOST_TAGS) }
      : {}),
    ...(typeof ctx === 'number' && ctx > 0 ? { ctx } : {}),
    ...(typeof maxOutput === 'number' && maxOutput > 0 ? { maxOutput } : {}),
    ...(typeof free === 'boolean' ? { free } : {}),
    ...(typeof priority === 'number' ? { priority } : {}),
  };
}

/**
 * The list that a cache gave back, or `undefined` when it is not one of this version or has no models: a cache may be
 * damaged, or written by another release.
 */
export function decodeStoredList(value: unknown): StoredList | undefined {
  if (!isJsonObject(value) || value['version'] !== VERSION) return undefined;
  const { savedAt, models } = value;
  if (typeof savedAt !== 'number' || !Number.isFinite(savedAt) || !Array.isArray(models)) return undefined;
  const decoded = models
    .slice(0, MOST_MODELS)
    .map((model: unknown) => decodeModel(model))
    .filter((model) => model !== undefined);
  return decoded.length === 0 ? undefined : { savedAt, models: decoded };
}
