/**
 * `freelm/compat`: a drop-in replacement for the client of OpenAI's SDK, over a pool of free-tier keys. Code that calls
 * chat completions changes only its import.
 *
 * - It has `chat.completions` with `create`, `stream`, `parse` and `runTools`, `responses.create`, `models.list`,
 *   `models.retrieve` and `embeddings.create`.
 * - It reads keys from the environment, or uses the pool in the option `freelm`. It accepts and ignores `apiKey`,
 *   `baseURL`, `organization` and similar options. `maxRetries` is 0 by default, because freelm fails over between keys,
 *   models and providers itself.
 * - The field `freelm` of a request body holds freelm's options for that call, e.g. `{ wait: true }`.
 * - Errors are instances of the SDK's classes. Their `cause` is the error of freelm.
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

// The export 'module.exports' makes `require()` return the class itself, as the SDK's does.
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
export { ChatCompletionRunner } from './compat/completion-runner.ts';
export type {
  ChatCompletionParseParams,
  ChatCompletionToolRunnerParams,
  RunnerOptions,
} from './compat/chat.ts';
export type { RunnerEvents } from './compat/completion-runner.ts';
export type {
  ParsedChatCompletion,
  ParsedChatCompletionMessage,
  ParsedFunctionToolCall,
} from './compat/parsed.ts';
export type { RunnableToolFunction } from './compat/runs.ts';
export { Page, PagePromise } from './compat/page.ts';
export { Stream } from './compat/stream.ts';
export type * from './compat/types.ts';
