/** All types that this client shares with OpenAI's SDK, under the names that they have there. */

export type * from './chat-types.ts';
export type { FreeLLMCallOptions } from './options.ts';
export type * from './shared-types.ts';
