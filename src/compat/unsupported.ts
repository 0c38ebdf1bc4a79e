/** Makes the parts of OpenAI's SDK that this client lacks throw an error that names the alternatives. */

import { OpenAIError } from './errors.ts';

/** Resources of the SDK's client. */
export const UNSUPPORTED_RESOURCES: readonly string[] = [
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
  'skills',
  'uploads',
  'vectorStores',
  'videos',
  'webhooks',
];

/** Methods of the SDK's `chat.completions`. */
export const UNSUPPORTED_METHODS: readonly string[] = ['delete', 'list', 'messages', 'retrieve', 'update'];

/** Methods of the SDK's `responses`. */
export const UNSUPPORTED_RESPONSES: readonly string[] = [
  'cancel',
  'compact',
  'delete',
  'inputItems',
  'inputTokens',
  'parse',
  'stream',
];

/** Defines getters that throw. The names stay out of the types, so code that uses them does not compile. */
export function throwOnAccess(prototype: object, prefix: string, names: readonly string[]): void {
  for (const name of names) {
    const get = (): never => {
      throw new OpenAIError(
        `freelm/compat has no ${prefix}${name}. It has chat.completions, responses, models and embeddings. For everything else, use OpenAI's own SDK over freelm: new OpenAI({ apiKey: 'none', fetch: llm.fetch }), where llm is a FreeLLM.`,
      );
    };
    Object.defineProperty(prototype, name, { configurable: true, get });
  }
}
