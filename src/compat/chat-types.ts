/** The types in the namespace `OpenAI.Chat.Completions`. */

export type * from './chat-messages.ts';
export type * from './chat-params.ts';
export type * from './chat-results.ts';
