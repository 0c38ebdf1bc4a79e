/** What a user says of a provider, checked at the door. */

import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { ModelSpec } from '../core/model.ts';
import { ConfigError } from '../errors.ts';
import type { Headers } from '../ports.ts';

/** What may be said of any provider. */
export interface ProviderOptions {
  /** The account's tier, which selects the documented limits. Default: the provider's free one. */
  readonly tier?: string | undefined;
  /** Lower is tried first under the strategy `priority`. Default 0. */
  readonly priority?: number | undefined;
  /** Whether it is tried only when no other provider is ready. Default: true of those on your own machine. */
  readonly lastResort?: boolean | undefined;
  /** Requests per minute, instead of the tier's. */
  readonly rpm?: number | undefined;
  /** Requests per day, instead of the tier's. */
  readonly rpd?: number | undefined;
  /** Tokens per minute, instead of the tier's: the next request waits when they are used up. */
  readonly tpm?: number | undefined;
  /** How many requests may be under way at once, instead of the tier's. */
  readonly concurrency?: number | undefined;
  /** The models to use, best first, instead of the discovered and the built-in ones. */
  readonly models?: readonly (ModelSpec | string)[] | undefined;
  /** Model ids to be tried before the others, best first. */
  readonly prefer?: readonly string[] | undefined;
  /** Whether the provider's own list of models is fetched. Default: as the provider's table in the README says. */
  readonly discover?: boolean | undefined;
  /** Whether only models that cost nothing are taken from that list. Default true. */
  readonly discoverFreeOnly?: boolean | undefined;
  /** Whether a model that costs money is refused, where that can be told. Default true. */
  readonly freeOnly?: boolean | undefined;
  /** How long a fetched list of models is used, in milliseconds. Default one hour, or `FREELM_CACHE_TTL`. */
  readonly cacheTtlMs?: number | undefined;
  /** Where the API is, e.g. behind a proxy of your own. */
  readonly baseUrl?: string | undefined;
  /**
   * The parts of the provider's base URL that are your own, by name, e.g. `{ account_id: '…' }`. Default: what the
   * environment holds.
   */
  readonly vars?: Readonly<Record<string, string>> | undefined;
  /** Headers sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Allows `http:` to hosts other than this machine, where anybody on the way can read the keys. Default false. */
  readonly allowInsecureHttp?: boolean | undefined;
}

const positive = z.number('must be a number').check(z.positive('must be greater than 0'));
const text = z.string('must be a string').check(z.minLength(1, 'must not be empty'));
const flag = z.boolean('must be true or false');

const modelSchema = z.union(
  [
    text,
    z.strictObject({
      id: text,
      tags: z.optional(z.array(text)),
      ctx: z.optional(positive),
      maxOutput: z.optional(positive),
      free: z.optional(z.boolean()),
      priority: z.optional(z.number()),
    }),
  ],
  'must be a model id or { id, tags?, ctx?, maxOutput?, free?, priority? }',
);

const optionFields = {
  tier: z.optional(text),
  priority: z.optional(z.number('must be a number')),
  lastResort: z.optional(flag),
  rpm: z.optional(positive),
  rpd: z.optional(positive),
  tpm: z.optional(positive),
  concurrency: z.optional(z.int('must be a whole number').check(z.positive('must be greater than 0'))),
  models: z.optional(
    z
      .array(modelSchema)
      .check(z.minLength(1, 'must not be an empty list; leave it out to use the known models')),
  ),
  prefer: z.optional(z.array(text)),
  discover: z.optional(flag),
  discoverFreeOnly: z.optional(flag),
  freeOnly: z.optional(flag),
  cacheTtlMs: z.optional(z.number('must be a number').check(z.nonnegative('must not be negative'))),
  baseUrl: z.optional(text),
  vars: z.optional(z.record(z.string(), text)),
  headers: z.optional(z.record(z.string(), z.string('must be a string'))),
  allowInsecureHttp: z.optional(flag),
};
const optionsSchema = z.strictObject(optionFields, 'must be an object');

const keySchema = z.union(
  [z.string(), z.strictObject({ key: z.string(), account: z.optional(text), tier: z.optional(text) })],
  'must be a key or { key, account?, tier? }',
);
const keysSchema = z.union(
  [keySchema, z.array(keySchema)],
  'must be a key, { key, account?, tier? } or a list of them',
);

/** @throws ConfigError naming what of the keys or options is not usable; a key is not repeated. */
export function checkInputs(what: string, keys: unknown, options: unknown): void {
  check(keysSchema, keys, `${what} keys`);
  check(optionsSchema, options, `${what} options`);
}

/** A header's name, as HTTP defines it. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** What a header's value may carry. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Headers that are the transport's or the key's. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
]);

/**
 * The user's headers under lower-case names, so that none is sent twice under two spellings.
 * @throws ConfigError for one that freelm sets itself, and for one that no header can carry.
 */
export function readHeaders(what: string, headers: Readonly<Record<string, string>>): Headers {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (OWN_HEADERS.has(lower)) {
      throw new ConfigError(
        `${what} options.headers must not set "${name}": freelm does. Keys go into the keys argument.`,
      );
    }
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) {
      throw new ConfigError(
        `${what} options.headers: "${name}" has a name or a value that no HTTP header can carry.`,
      );
    }
    read[lower] = value;
  }
  return read;
}
