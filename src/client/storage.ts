/** Where a pool keeps its model lists and its state. */

import { join } from 'node:path';
import { defaultCacheDir } from '../adapters/cache-dir.ts';
import { diskCache } from '../adapters/disk-cache.ts';
import { type FallbackOptions, withFallback } from '../adapters/fallback-store.ts';
import { fileStore } from '../adapters/file-store.ts';
import { memoryStore } from '../adapters/memory-store.ts';
import { textFiles } from '../adapters/text-files.ts';
import type { ModelCache, StateStore, TextArchive } from '../ports.ts';
import { cacheDirFrom, type Environment, persistFrom } from './env/from-env.ts';
import type { FreeLLMOptions } from './options.ts';

function cacheDirOf(options: FreeLLMOptions, env: Environment): string {
  return options.cacheDir ?? cacheDirFrom(env) ?? defaultCacheDir();
}

export function cacheFor(options: FreeLLMOptions, env: Environment): ModelCache {
  return diskCache(() => cacheDirOf(options, env));
}

const STATE_FOLDER = 'state';

function persists(options: FreeLLMOptions, env: Environment, byDefault: boolean): boolean {
  return options.persist ?? persistFrom(env) ?? byDefault;
}

/** The archive of the answers that clients refer to later. It lies beside the files of the state, if there are any. */
export function archiveFor(
  options: FreeLLMOptions,
  env: Environment,
  persistsByDefault: boolean,
  now: () => number,
): TextArchive | undefined {
  if (options.store !== undefined || !persists(options, env, persistsByDefault)) return undefined;
  return textFiles(() => join(cacheDirOf(options, env), STATE_FOLDER, 'responses'), now);
}

/** The store of the state: memory, or files, which memory replaces while they fail. */
export function stateFor(
  options: FreeLLMOptions,
  env: Environment,
  persistsByDefault: boolean,
  fallback: FallbackOptions,
): StateStore {
  if (!persists(options, env, persistsByDefault)) return memoryStore();
  return withFallback(
    fileStore(() => join(cacheDirOf(options, env), STATE_FOLDER), fallback),
    fallback,
  );
}
