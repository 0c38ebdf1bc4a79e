/** A provider with its keys and the user's options: data, and who is asked how. */

import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { FailureKind } from '../core/failure.ts';
import type { Trip } from '../core/failure-effects.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { PoolAccount } from '../core/pool.ts';
import { ConfigError } from '../errors.ts';
import type { Headers } from '../ports.ts';
import { hashKey, type KeysInput, maskKey, tidyKeys } from './key.ts';
import { meterTable } from './meters.ts';
import type { ProviderSpec } from './spec.ts';

/** What may be said of any provider. */
export interface ProviderOptions {
  /** The account's tier, which selects the documented limits. Default: the provider's free one. */
  readonly tier?: string | undefined;
  /** Lower is tried first under the strategy `priority`. Default 0. */
  readonly priority?: number | undefined;
  /** Requests per minute, instead of the tier's. */
  readonly rpm?: number | undefined;
  /** Requests per day, instead of the tier's. */
  readonly rpd?: number | undefined;
  /** Tokens per minute: what the answers cost is counted, and the next request waits when it is used up. Default: none. */
  readonly tpm?: number | undefined;
  /** The models to use, best first, instead of the discovered and the built-in ones. */
  readonly models?: readonly (ModelSpec | string)[] | undefined;
  /** Model ids to be tried before the others, best first. */
  readonly prefer?: readonly string[] | undefined;
  /** Whether the provider's own list of models is fetched. Default: as the provider's table in the README says. */
  readonly discover?: boolean | undefined;
  /** Whether only models that cost nothing are taken from that list. Default true. */
  readonly discoverFreeOnly?: boolean | undefined;
  /** Whether a model that costs money is refused, where its id tells. Default true. */
  readonly freeOnly?: boolean | undefined;
  /** How long a fetched list of models is used, in milliseconds. Default one hour, or `FREELM_CACHE_TTL`. */
  readonly cacheTtlMs?: number | undefined;
  /** Where the API is, e.g. behind a proxy of your own. */
  readonly baseUrl?: string | undefined;
  /** Headers sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Allows `http:` to hosts other than this machine, where anybody on the way can read the keys. Default false. */
  readonly allowInsecureHttp?: boolean | undefined;
}

const positive = z.number('must be a number').check(z.positive('must be greater than 0'));
const text = z.string('must be a string').check(z.minLength(1, 'must not be empty'));

const modelSchema = z.union(
  [
    text,
    z.strictObject({
      id: text,
      tags: z.optional(z.array(text)),
      ctx: z.optional(positive),
      free: z.optional(z.boolean()),
      priority: z.optional(z.number()),
    }),
  ],
  'must be a model id or { id, tags?, ctx?, free?, priority? }',
);

const optionFields = {
  tier: z.optional(text),
  priority: z.optional(z.number('must be a number')),
  rpm: z.optional(positive),
  rpd: z.optional(positive),
  tpm: z.optional(positive),
  models: z.optional(
    z
      .array(modelSchema)
      .check(z.minLength(1, 'must not be an empty list; leave it out to use the known models')),
  ),
  prefer: z.optional(z.array(text)),
  discover: z.optional(z.boolean('must be true or false')),
  discoverFreeOnly: z.optional(z.boolean('must be true or false')),
  freeOnly: z.optional(z.boolean('must be true or false')),
  cacheTtlMs: z.optional(z.number('must be a number').check(z.nonnegative('must not be negative'))),
  baseUrl: z.optional(text),
  headers: z.optional(z.record(z.string(), z.string('must be a string'))),
  allowInsecureHttp: z.optional(z.boolean('must be true or false')),
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

/** Lower-case names, so that no header is sent twice under two spellings. */
function readHeaders(what: string, headers: Readonly<Record<string, string>>): Headers {
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

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** What an HTTP header may carry of a key: visible ASCII. */
const SENDABLE = /^[\x21-\x7e]+$/;

function readBaseUrl(what: string, baseUrl: string, allowInsecureHttp: boolean): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new ConfigError(`${what}: baseUrl is not a URL. Give it whole, e.g. https://api.example.com/v1.`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigError(
      `${what}: baseUrl must not carry a user, a password, a query or a fragment; keys go into the keys argument.`,
    );
  }
  const insecure = url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowInsecureHttp;
  if (insecure || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ConfigError(
      `${what}: baseUrl must be https:. Plain http: is taken for this machine only (127.0.0.1, localhost), or anywhere with allowInsecureHttp: true.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** One key of a provider, without the key. */
export interface ProviderKey {
  readonly keyId: string;
  /** The key, masked. */
  readonly mask: string;
  readonly account: string;
  readonly tier: string;
}

/** A configured provider. Holds its keys where neither printing nor JSON reaches them. */
export class Provider {
  /** Unique in a pool. */
  readonly name: string;
  readonly spec: ProviderSpec;
  readonly baseUrl: string;
  readonly options: ProviderOptions;
  readonly keys: readonly ProviderKey[];
  readonly accounts: readonly PoolAccount[];
  /** Where its record is stored; another base URL is another provider. */
  readonly recordId: string;
  readonly #headers: Headers;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #freeOnly: RegExp | undefined;
  readonly #modelIds: RegExp;

  /**
   * @param what - How messages call this provider, e.g. `OpenRouter`.
   * @throws ConfigError naming the key or option that is not usable.
   */
  constructor(what: string, spec: ProviderSpec, keys: KeysInput, options: ProviderOptions = {}) {
    check(keysSchema, keys, `${what} keys`);
    check(optionsSchema, options, `${what} options`);
    const inputs = tidyKeys(keys);
    if (inputs.length === 0)
      throw new ConfigError(`${what} was given no key. Pass one, several, or a comma-separated list.`);
    const tier = options.tier ?? spec.defaultTier;
    for (const [index, input] of inputs.entries()) {
      checkTier(what, spec, input.tier ?? tier);
      if (!SENDABLE.test(input.key)) {
        throw new ConfigError(
          `${what} key number ${index + 1} holds a space, a line break or another character that no HTTP header can carry. Copy it again.`,
        );
      }
    }
    this.name = spec.name;
    this.spec = spec;
    // The values of headers may be secrets as well: they stay where keys do.
    const { headers = {}, ...shown } = options;
    this.options = shown;
    this.baseUrl = readBaseUrl(what, options.baseUrl ?? spec.baseUrl, options.allowInsecureHttp === true);
    this.#headers = { ...spec.headers, ...readHeaders(what, headers) };
    this.recordId = `provider:${spec.name}:${hashKey(this.baseUrl)}`;
    this.#secrets = new Map(inputs.map(({ key }) => [hashKey(key), key]));
    this.keys = inputs.map((input) => {
      const keyId = hashKey(input.key);
      return { keyId, mask: maskKey(input.key), account: input.account ?? keyId, tier: input.tier ?? tier };
    });
    this.accounts = this.#groupAccounts(what);
    this.#freeOnly =
      spec.freeOnlyPattern === undefined || options.freeOnly === false
        ? undefined
        : new RegExp(spec.freeOnlyPattern);
    this.#modelIds = new RegExp(spec.modelIdPattern, 'i');
  }

  #groupAccounts(what: string): readonly PoolAccount[] {
    const accounts = new Map<string, ProviderKey[]>();
    for (const key of this.keys) {
      const members = accounts.get(key.account);
      if (members === undefined) accounts.set(key.account, [key]);
      else members.push(key);
    }
    const tables = new Map<string, PoolAccount['meters']>();
    return [...accounts].map(([id, members]) => {
      const tier = members[0]?.tier ?? this.spec.defaultTier;
      const other = members.find((key) => key.tier !== tier);
      if (other !== undefined) {
        throw new ConfigError(
          `${what}: the keys of account "${id}" name two tiers, "${tier}" and "${other.tier}". One account has one tier.`,
        );
      }
      let meters = tables.get(tier);
      if (meters === undefined) {
        meters = meterTable(this.spec.tiers[tier]?.meters ?? [], this.options);
        tables.set(tier, meters);
      }
      return {
        id,
        recordId: `account:${this.name}:${hashKey(this.baseUrl)}:${hashKey(id)}`,
        keyIds: members.map((key) => key.keyId),
        meters,
      };
    });
  }

  /** The key in clear text, for the one header that it goes into. */
  secretOf(keyId: string): string {
    const secret = this.#secrets.get(keyId);
    if (secret === undefined) throw new Error(`provider ${this.name} has no key ${keyId}`);
    return secret;
  }

  /** All keys in clear text, for the redactor. */
  secrets(): readonly string[] {
    return [...this.#secrets.values()];
  }

  maskOf(keyId: string): string {
    return this.keys.find((key) => key.keyId === keyId)?.mask ?? '…';
  }

  /** The headers of a request that needs no key. */
  headersWithoutKey(): Headers {
    return this.#headers;
  }

  /** The headers that carry a key; exactly one credential, since providers refuse two. */
  headersFor(keyId: string): Headers {
    return { ...this.#headers, authorization: `Bearer ${this.secretOf(keyId)}` };
  }

  /** Whether a model costs money and is refused for it. */
  refusesPaid(model: string): boolean {
    return this.#freeOnly !== undefined && !this.#freeOnly.test(model);
  }

  /** Whether this provider may know a model that no list names, going by the form of its id. */
  mayServe(model: string): boolean {
    return this.#modelIds.test(model);
  }

  /** How this provider's breakers open, where it differs from the table. */
  trip(kind: FailureKind): Trip | undefined {
    return this.spec.trips[kind];
  }
}

function checkTier(what: string, spec: ProviderSpec, tier: string): void {
  if (Object.hasOwn(spec.tiers, tier)) return;
  const known = Object.keys(spec.tiers).map((name) => `"${name}"`);
  throw new ConfigError(`${what} has no tier "${tier}". Known tiers: ${known.join(', ')}.`);
}
