/** Google AI Studio: Gemini and Gemma through its OpenAI-compatible endpoint. */

import type { KeysInput } from './key.ts';
import { Provider, type ProviderOptions } from './provider.ts';
import { googleSpec } from './spec.ts';

export interface GoogleAIStudioOptions extends ProviderOptions {
  /** `free`, or `tier1` once billing is on. Default `free`. */
  readonly tier?: 'free' | 'tier1' | undefined;
}

/** Google counts per project and model; a day ends at midnight in California (2026-10). */
export class GoogleAIStudio extends Provider {
  constructor(keys: KeysInput, options?: GoogleAIStudioOptions) {
    super('GoogleAIStudio', googleSpec, keys, options);
  }
}
