/** The options of a provider, and their validation. */

import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { ModelSpec } from '../core/model.ts';
import { ConfigError } from '../errors.ts';
import type { Headers } from '../ports.ts';
import { type Privacy, PRIVACY_LEVELS } from './privacy.ts';

/** Options of every provider. */
export interface ProviderOptions {
  /** The account's tier, which selects the documented limits. Default: the provider's free tier. */
  readonly tier?: string | undefined;
  /** With the strategy `priority`, lower numbers are tried first. Default 0. */
  readonly priority?: number | undefined;
  /** Whether it is tried only if no other provider is ready. Default: true for a server on your own machine. */
  readonly lastResort?: boolean | undefined;
  /** Requests per minute. Default: the tier's limit. */
  readonly rpm?: number | undefined;
  /** Requests per day. Default: the tier's limit. */
  readonly rpd?: number | undefined;
  /** Tokens per minute; the next request waits if they are used up. Default: the tier's limit. */
  readonly tpm?: number | undefined;
  /** Requests in progress at once. Default: the tier's limit. */
  readonly concurrency?: number | undefined;
  /** The models to use, best first. Default: the fetched list, else the built-in one. */
  readonly models?: readonly (ModelSpec | string)[] | undefined;
  /** Ids of models that are tried before all others, best first. */
  readonly prefer?: readonly string[] | undefined;
  /** Whether the provider's model list is fetched. Default: see `spec/providers/README.md`. */
  readonly discover?: boolean | undefined;
  /** Whether only free models are taken from the fetched list. Default true. */
  readonly discoverFreeOnly?: boolean | undefined;
  /** Whether a model is refused if its id or the provider's list shows that it costs money. Default true. */
  readonly freeOnly?: boolean | undefined;
  /** How long a fetched list is used, in milliseconds. Default: `FREELM_CACHE_TTL` (in seconds), else one hour. */
  readonly cacheTtlMs?: number | undefined;
  /** The base URL of the API, e.g. that of a proxy. Default: the provider's own. */
  readonly baseUrl?: string | undefined;
  /** Your own parts of the base URL, e.g. `{ account_id: '…' }`. Default: from the environment. */
  readonly vars?: Readonly<Record<string, string>> | undefined;
  /**
   * What you know of your account: that prompts are not used for training, or that they are not kept either. Default: what
   * `spec/providers` says of the provider's free tier.
   */
  readonly privacy?: Privacy | undefined;
  /** Headers that are sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Allows `http:` to other machines, although anyone on the network can read the keys. Default false. */
  readonly allowInsecureHttp?: boolean | undefined;
}

const positive = z.number('must be a number').check(z.positive('must be greater than 0'));
const text = z.string('must be a string').check(z.minLength(1, 'must not be empty'));
const flag = z.boolean('must be true or false');

const whole = z.int('must be a whole number').check(z.positive('must be greater than 0'));
const embeddingSchema = z.strictObject({
  family: z.optional(text),
  dimensions: z.optional(whole),
  shorter: z.optional(z.union([z.literal('any'), z.array(whole)])),
  maxInputs: z.optional(whole),
  maxTokens: z.optional(whole),
  inputTypes: z.optional(z.strictObject({ query: text, document: text })),
  scales: z.optional(flag),
});

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
      kind: z.optional(z.enum(['chat', 'embedding'])),
      embedding: z.optional(embeddingSchema),
    }),
  ],
  'must be a model id or { id, kind?, tags?, ctx?, maxOutput?, free?, priority?, embedding? }',
);

const optionFields = {
  tier: z.optional(text),
  priority: z.optional(z.number('must be a number')),
  lastResort: z.optional(flag),
  rpm: z.optional(positive),
  rpd: z.optional(positive),
  tpm: z.optional(positive),
  concurrency: z.optional(whole),
  models: z.optional(
    z.array(modelSchema).check(z.minLength(1, 'must not be an empty list; omit it to use the known models')),
  ),
  prefer: z.optional(z.array(text)),
  discover: z.optional(flag),
  discoverFreeOnly: z.optional(flag),
  freeOnly: z.optional(flag),
  cacheTtlMs: z.optional(z.number('must be a number').check(z.nonnegative('must not be negative'))),
  baseUrl: z.optional(text),
  vars: z.optional(z.record(z.string(), text)),
  privacy: z.optional(z.enum(PRIVACY_LEVELS, `must be one of ${PRIVACY_LEVELS.join(', ')}`)),
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

/** @throws ConfigError naming the key or option that cannot be used; the message never contains a key. */
export function checkInputs(what: string, keys: unknown, options: unknown): void {
  check(keysSchema, keys, `${what} keys`);
  check(optionsSchema, options, `${what} options`);
}

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Headers that freelm or its transport sets. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
]);

/**
 * The user's headers under lower-case names, so that no header is sent twice in two spellings.
 * @throws ConfigError for a header that freelm sets itself, and for a name or value that HTTP does not allow.
 */
export function readHeaders(what: string, headers: Readonly<Record<string, string>>): Headers {
  const read = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (OWN_HEADERS.has(lower)) {
      throw new ConfigError(
        `${what} options.headers must not set "${name}", since freelm sets it. Pass keys as the keys argument.`,
      );
    }
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) {
      throw new ConfigError(
        `${what} options.headers: HTTP does not allow the name or the value of "${name}".`,
      );
    }
    read.set(lower, value);
  }
  return Object.fromEntries(read);
}
