/**
 * `freelm/redis`: a store for processes on many machines that share keys, in your own Redis.
 *
 * @example
 * ```ts
 * import { FreeLLM } from 'freelm';
 * import { redisStore } from 'freelm/redis';
 * import { Redis } from 'ioredis';
 *
 * const llm = FreeLLM.fromEnv({ store: redisStore(new Redis('redis://127.0.0.1:6379')) });
 * ```
 *
 * @module
 */

export {
  redisStore,
  type IoredisScripts,
  type RedisScripts,
  type RedisStoreOptions,
} from './adapters/redis-store.ts';
