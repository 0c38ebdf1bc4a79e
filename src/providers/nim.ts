/** NVIDIA NIM: the models of build.nvidia.com. */

import type { KeysInput } from './key.ts';
import { Provider, type ProviderOptions } from './provider.ts';
import { nimSpec } from './spec.ts';

export interface NIMOptions extends ProviderOptions {
  readonly tier?: 'free' | undefined;
}

/** NIM publishes no limits; 30 requests a minute and account are paced, and refusals cool one model down (2026-09). */
export class NIM extends Provider {
  constructor(keys: KeysInput, options?: NIMOptions) {
    super('NIM', nimSpec, keys, options);
  }
}
