import { publiclyListed } from '../providers/public-list.ts';
import { FreeLLM, type ListedModel } from './free-llm.ts';
import type { FreeLLMOptions } from './options.ts';

/** The options of {@link listFreeModels}. */
export interface ListFreeModelsOptions extends Pick<FreeLLMOptions, 'cacheDir' | 'fetch' | 'dispatcher'> {
  readonly baseUrl?: string | undefined;
}

/**
 * Lists OpenRouter's free models: live if it answers, else from the cache, else the built-in list. Needs no key, since the
 * list is public (2026-08). Does not reject if the list cannot be fetched.
 */
export async function listFreeModels(options: ListFreeModelsOptions = {}): Promise<readonly ListedModel[]> {
  const { baseUrl, ...rest } = options;
  const llm = new FreeLLM({ ...rest, providers: [publiclyListed(baseUrl)] });
  try {
    return await llm.refreshModels();
  } finally {
    await llm.close();
  }
}
