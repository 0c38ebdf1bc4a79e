import bounds from '../../spec/bounds.json' with { type: 'json' };
import { isJsonObject } from '../core/json.ts';
import type { ModelSpec } from '../core/model.ts';

/** A discovered list, as cached between runs. */
// spec 10.7
export interface StoredList {
  /** Epoch ms of the provider's answer. */
  readonly savedAt: number;
  readonly models: readonly ModelSpec[];
}

const VERSION = 1;
const MOST_TAGS = 20;
/** freelm writes no other tags. */
const TAG = /^[\w-]{1,40}$/;

export function encodeStoredList(list: StoredList): unknown {
  return { version: VERSION, savedAt: list.savedAt, models: list.models };
}

function isTag(tag: string): boolean {
  return TAG.test(tag);
}

function decodeModel(value: unknown): ModelSpec | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, kind, tags, guessed, ctx, maxOutput, free, priority } = value;
  if (typeof id !== 'string') return undefined;
  return {
    id,
    ...(kind === 'embedding' ? { kind } : {}),
    ...(Array.isArray(tags)
      ? {
          tags: tags
            .filter((tag: unknown) => typeof tag === 'string')
            .filter(isTag)
            .slice(0, MOST_TAGS),
        }
      : {}),
    ...(guessed === true ? { guessed } : {}),
    ...(typeof ctx === 'number' && ctx > 0 ? { ctx } : {}),
    ...(typeof maxOutput === 'number' && maxOutput > 0 ? { maxOutput } : {}),
    ...(typeof free === 'boolean' ? { free } : {}),
    ...(typeof priority === 'number' ? { priority } : {}),
  };
}

/**
 * Reads a cached list. Returns undefined if it has another version or no models: the cache may be damaged or written by
 * another release. Damaged entries are skipped.
 */
export function decodeStoredList(value: unknown): StoredList | undefined {
  if (!isJsonObject(value) || value['version'] !== VERSION) return undefined;
  const { savedAt, models } = value;
  if (typeof savedAt !== 'number' || !Number.isFinite(savedAt) || !Array.isArray(models)) return undefined;
  const decoded = models
    .slice(0, bounds.modelList.entries)
    .map((model: unknown) => decodeModel(model))
    .filter((model) => model !== undefined);
  return decoded.length === 0 ? undefined : { savedAt, models: decoded };
}
