/** OpenRouter: many models behind one key, the `:free` ones at no charge. */

import type { KeysInput } from './key.ts';
import { Provider, type ProviderOptions } from './provider.ts';
import { openrouterSpec } from './spec.ts';

export interface OpenRouterOptions extends ProviderOptions {
  /** `free`: 50 requests a day; `credit`: 1,000, once 10 dollars were ever bought. Default `free`. */
  readonly tier?: 'free' | 'credit' | undefined;
}

/** OpenRouter counts an account's requests over all its free models: 20 a clock minute, 50 or 1,000 a UTC day (2026-08). */
export class OpenRouter extends Provider {
  constructor(keys: KeysInput, options?: OpenRouterOptions) {
    super('OpenRouter', openrouterSpec, keys, options);
  }
}
