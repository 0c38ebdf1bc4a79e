/** What OpenAI's SDK has and this client has not: using it says so, instead of that `undefined` has no such method. */

import { OpenAIError } from './errors.ts';

/** The real client's resources. */
export const ABSENT_RESOURCES: readonly string[] = [
  'admin',
  'audio',
  'batches',
  'beta',
  'completions',
  'containers',
  'conversations',
  'evals',
  'files',
  'fineTuning',
  'graders',
  'images',
  'moderations',
  'realtime',
  'responses',
  'skills',
  'uploads',
  'vectorStores',
  'videos',
  'webhooks',
];

/** The methods of the real `chat.completions`. */
export const ABSENT_METHODS: readonly string[] = [
  'delete',
  'list',
  'messages',
  'parse',
  'retrieve',
  'runTools',
  'stream',
  'update',
];

/** Lets every use of these names throw. They stay out of the types, so that typed code does not even compile. */
export function withhold(prototype: object, prefix: string, names: readonly string[]): void {
  for (const name of names) {
    const get = (): never => {
      throw new OpenAIError(
        `freelm/compat has no ${prefix}${name}. It has chat.completions.create, models.list, models.retrieve and embeddings.create. OpenAI's own SDK has it, and its helpers for chats work over freelm: new OpenAI({ apiKey: 'none', fetch: llm.fetch }), llm being a FreeLLM.`,
      );
    };
    Object.defineProperty(prototype, name, { configurable: true, get });
  }
}
