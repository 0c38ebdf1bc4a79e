/**
 * `freelm/compat`: the client of OpenAI's SDK over a pool of free-tier keys. Code that calls chats needs another import
 * and no other change.
 *
 * - `chat.completions.create`, plain and with `stream: true`; `models.list` and `models.retrieve`; `embeddings.create`
 *   says that there are none yet.
 * - Keys come from the environment, or with the pool that is given as `freelm`. `apiKey`, `baseURL`, `organization` and
 *   the like are taken and not used; `maxRetries` neither, since freelm itself goes on to the next key, model or provider.
 * - The field `freelm` of a body takes freelm's options of that call: `{ wait: true }`.
 * - Errors are of the SDK's classes; `cause` is the error of freelm.
 *
 * @example
 * ```ts
 * import OpenAI from 'freelm/compat';
 *
 * const client = new OpenAI();
 * const stream = await client.chat.completions.create({
 *   model: 'chat:fast',
 *   messages: [{ role: 'user', content: 'Tell me a story.' }],
 *   stream: true,
 * });
 * for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
 * ```
 *
 * @module
 */

// By the last name, `require()` gives the class itself, as that of the SDK does.
export { OpenAI, OpenAI as default, OpenAI as 'module.exports' } from './compat/openai.ts';
export { APIPromise } from './compat/api-promise.ts';
export {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  OpenAIError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from './compat/errors.ts';
export type { ClientOptions, FreeLLMOption, RequestOptions } from './compat/options.ts';
export { Page, PagePromise } from './compat/page.ts';
export { Stream } from './compat/stream.ts';
export type * from './compat/types.ts';
