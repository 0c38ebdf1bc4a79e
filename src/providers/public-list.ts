/** The provider that stands for all others where one is enough. */

import { OpenRouter } from './presets.ts';
import type { Provider } from './provider.ts';

/** A provider whose model list is public and shows which models are free (2026-08). */
export function publiclyListed(baseUrl: string | undefined): Provider {
  return new OpenRouter('no-key-is-needed', { baseUrl });
}

/** An example for error messages and help texts. */
export const PROVIDER_EXAMPLE = 'new OpenRouter(key)';
