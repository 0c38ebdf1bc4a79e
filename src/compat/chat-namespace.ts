/** The types in the namespace `OpenAI.Chat`. */

import type { Completions as CompletionsResource } from './chat.ts';

export type * from './chat-types.ts';
// `Completions` is both a type and a namespace, as in OpenAI's SDK.
export type Completions = CompletionsResource;
export type * as Completions from './chat-types.ts';
