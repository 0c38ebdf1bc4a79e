/** Where a pool keeps its model lists and its state. */

import { join } from 'node:path';
import { defaultCacheDir } from '../adapters/cache-dir.ts';
import { diskCache } from '../adapters/disk-cache.ts';
import { type FallbackOptions, withFallback } from '../adapters/fallback-store.ts';
import { fileStore } from '../adapters/file-store.ts';
import { memoryStore } from '../adapters/memory-store.ts';
import type { ModelCache, StateStore } from '../ports.ts';
import { cacheDirFrom, type Environment, persistFrom } from './env/from-env.ts';
import type { FreeLLMOptions } from './options.ts';

function cacheDirOf(options: FreeLLMOptions, env: Environment): string {
  return options.cacheDir ?? cacheDirFrom(env) ?? defaultCacheDir();
}

export function cacheFor(options: FreeLLMOptions, env: Environment): ModelCache {
  return diskCache(() => cacheDirOf(options, env));
}

/** Memory, or files that memory replaces while they fail. */
export function stateFor(
  options: FreeLLMOptions,
  env: Environment,
  persistsByDefault: boolean,
  fallback: FallbackOptions,
): StateStore {
  if (!(options.persist ?? persistFrom(env) ?? persistsByDefault)) return memoryStore();
  return withFallback(
    fileStore(() => join(cacheDirOf(options, env), 'state'), fallback),
    fallback,
  );
}
