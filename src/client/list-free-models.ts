/** The models that cost nothing now, without a key. */

import { PUBLICLY_LISTED } from '../providers/well-known.ts';
import type { FreeLLMOptions } from './options.ts';
import { FreeLLM, type ListedModel } from './free-llm.ts';

/** What may be said about the look-up. */
export interface ListFreeModelsOptions extends Pick<FreeLLMOptions, 'cacheDir' | 'fetch' | 'dispatcher'> {
  readonly baseUrl?: string | undefined;
}

/**
 * OpenRouter's free models, live where it answers, else from the cache, else built in. Needs no key: the list is public
 * (2026-08). Never rejects because the list cannot be had.
 */
export async function listFreeModels(options: ListFreeModelsOptions = {}): Promise<readonly ListedModel[]> {
  const { baseUrl, ...rest } = options;
  const llm = new FreeLLM({ ...rest, providers: [new PUBLICLY_LISTED('no-key-is-needed', { baseUrl })] });
  try {
    return await llm.refreshModels();
  } finally {
    await llm.close();
  }
}
