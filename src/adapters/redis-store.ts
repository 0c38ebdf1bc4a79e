/** A store in Redis, for processes on many machines. spec 2.7 */

import { createHash } from 'node:crypto';
import { ConfigError } from '../errors.ts';
import { DAY_MS } from '../core/time.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';
import { systemClock } from './system.ts';

/** The methods of Redis that the store uses. A client of the package `redis` has them. */
export interface RedisScripts {
  /** EVALSHA: runs a script that the server knows. Rejects with an error that begins with `NOSCRIPT` if it does not. */
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** EVAL: runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** The same methods in the form of the package `ioredis`. */
export interface IoredisScripts {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** Options of `redisStore()`. */
export interface RedisStoreOptions {
  /**
   * The prefix of all keys. Pools with the same prefix share their state. Default `{freelm}:`: one slot of a cluster.
   */
  readonly prefix?: string | undefined;
  /** How long Redis keeps a record after its last change, in ms. Default 40 days, longer than any quota's window. */
  readonly ttlMs?: number | undefined;
  /** The clock of this machine. Default: the system's. */
  readonly clock?: Clock | undefined;
}

const DEFAULT_PREFIX = '{freelm}:';
const DEFAULT_TTL_MS = 40 * DAY_MS;
/** A poll is one small script. A queue of waiting calls polls once for all of them. */
const POLL_MS = 250;

/**
 * Without arguments, returns the time and the values of all keys. With a version, a value and a time to live, stores
 * the value if the stored version is that one. A value is its version, a space and JSON; anything else counts as
 * nothing.
 */
// spec 2.8
const SCRIPT = `
local time = redis.call('TIME')
local answer = { time[1] * 1000 + math.floor(time[2] / 1000) }
if #ARGV == 0 then
  for index, key in ipairs(KEYS) do answer[index + 1] = redis.call('GET', key) end
  return answer
end
local stored = redis.call('GET', KEYS[1])
local version = stored and string.match(stored, '^(%d+) ') or '0'
answer[2] = 0
if version == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  answer[2] = 1
end
return answer`;

const SCRIPT_SHA1 = createHash('sha1').update(SCRIPT).digest('hex');

const NOTHING: Versioned = { version: 0, value: undefined };

function hasMethod(client: object, name: string): boolean {
  return typeof Reflect.get(client, name) === 'function';
}

function isIoredis(client: RedisScripts | IoredisScripts): client is IoredisScripts {
  return !hasMethod(client, 'evalSha') && hasMethod(client, 'evalsha');
}

function scriptsOf(client: RedisScripts | IoredisScripts): RedisScripts {
  if (!isIoredis(client)) return client;
  return {
    evalSha: (sha1, { keys, arguments: args }) => client.evalsha(sha1, keys.length, ...keys, ...args),
    eval: (script, { keys, arguments: args }) => client.eval(script, keys.length, ...keys, ...args),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readValue(stored: unknown): Versioned {
  if (typeof stored !== 'string') return NOTHING;
  const version = /^\d+(?= )/.exec(stored)?.[0];
  return version === undefined
    ? NOTHING
    : { version: Number(version), value: parse(stored.slice(version.length + 1)) };
}

function listOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}

class RedisStore implements StateStore {
  readonly pollMs: number = POLL_MS;
  readonly #scripts: RedisScripts;
  readonly #prefix: string;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  #clockOffsetMs = 0;

  constructor(scripts: RedisScripts, { prefix, ttlMs, clock }: RedisStoreOptions) {
    this.#scripts = scripts;
    this.#prefix = prefix ?? DEFAULT_PREFIX;
    this.#ttlMs = ttlMs ?? DEFAULT_TTL_MS;
    this.#clock = clock ?? systemClock;
  }

  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  async read(ids: readonly string[]): Promise<readonly Versioned[]> {
    if (ids.length === 0) return [];
    const values = await this.#run(ids, []);
    return ids.map((_, index) => readValue(values[index]));
  }

  async swap(id: string, expectedVersion: number, next: unknown): Promise<boolean> {
    const value = `${expectedVersion + 1} ${JSON.stringify(next)}`;
    const [done] = await this.#run([id], [String(expectedVersion), value, String(this.#ttlMs)]);
    return Number(done) === 1;
  }

  /** Runs the script, and learns the time of Redis from its answer. */
  async #run(ids: readonly string[], args: string[]): Promise<readonly unknown[]> {
    const options = { keys: ids.map((id) => this.#prefix + id), arguments: args };
    const sentAt = this.#clock.now();
    let answer: unknown;
    try {
      answer = await this.#scripts.evalSha(SCRIPT_SHA1, options);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      answer = await this.#scripts.eval(SCRIPT, options);
    }
    const [time, ...values] = listOf(answer);
    if (!Number.isFinite(Number(time ?? Number.NaN)))
      throw new Error('Redis answered a script in another form');
    this.#compareClocks(Number(time), sentAt, this.#clock.now());
    return values;
  }

  /** The answer left Redis between the two moments. Corrects the offset as far as they prove it wrong. */
  #compareClocks(time: number, sentAt: number, receivedAt: number): void {
    const atLeast = time - receivedAt;
    const atMost = time + 1 - sentAt;
    // Otherwise this machine's clock was set back meanwhile.
    if (atLeast <= atMost) this.#clockOffsetMs = Math.min(Math.max(this.#clockOffsetMs, atLeast), atMost);
  }
}

/**
 * A store in Redis 5 or later, or a compatible server, for processes on one or many machines that share keys. It uses
 * your own client, of the package `ioredis` or `redis`, and neither connects nor closes it. While Redis cannot be
 * reached, the pool keeps its state in memory, and carries it over when Redis is back.
 *
 * @example
 * ```ts
 * const client = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
 * const llm = FreeLLM.fromEnv({ store: redisStore(client) });
 * ```
 * @throws ConfigError if `client` is of neither package.
 */
export function redisStore(
  client: RedisScripts | IoredisScripts,
  options: RedisStoreOptions = {},
): StateStore {
  const given: unknown = client;
  const isClient =
    typeof given === 'object' &&
    given !== null &&
    hasMethod(given, 'eval') &&
    (hasMethod(given, 'evalSha') || hasMethod(given, 'evalsha'));
  if (!isClient)
    throw new ConfigError(
      'redisStore: the client must be one of the package ioredis or redis, or have the methods evalSha and eval',
    );
  return new RedisStore(scriptsOf(client), options);
}
