/** What is to be said of one provider where the rest of the library knows none by its name. */

import { OpenRouter } from './presets.ts';

/** The provider whose list of models anybody may read without a key, and which says there what is free (2026-08). */
export const PUBLICLY_LISTED: typeof OpenRouter = OpenRouter;

/** How a provider is made, for those who are to be shown. */
export const PROVIDER_EXAMPLE = 'new OpenRouter(key)';
