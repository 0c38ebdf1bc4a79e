/** A provider with its keys and the user's options: data, and who is asked how. */

import type { FailureKind, Trip } from '../core/failure.ts';
import type { PoolAccount } from '../core/pool.ts';
import { ConfigError } from '../errors.ts';
import type { Headers } from '../ports.ts';
import { fillTemplate, readBaseUrl } from './base-url.ts';
import { hashKey, type KeyInput, type KeysInput, maskKey, tidyKeys } from './key.ts';
import { limitTable } from './limits.ts';
import { checkInputs, type ProviderOptions, readHeaders } from './provider-options.ts';
import type { ProviderSpec } from './spec.ts';

/** What an HTTP header may carry of a key: visible ASCII. */
const SENDABLE = /^[\x21-\x7e]+$/;
/** The account of everybody at one address, where the provider tells them apart by nothing else. */
const ADDRESS = 'ip';
/** Stands for the key of a provider that needs none. */
const NO_KEY = { keyId: 'no-key', mask: '(no key)' };

/** One key of a provider, without the key. */
export interface ProviderKey {
  readonly keyId: string;
  /** The key, masked; `(no key)` where the provider is asked without one. */
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
  /** Whether it is tried only when no other provider is ready. */
  readonly lastResort: boolean;
  readonly #headers: Headers;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #byId: ReadonlyMap<string, ProviderKey>;
  readonly #freeOnly: RegExp | undefined;
  readonly #modelIds: RegExp | undefined;

  /**
   * @param what - How messages call this provider, e.g. `OpenRouter`.
   * @throws ConfigError naming the key or option that is not usable.
   */
  constructor(what: string, spec: ProviderSpec, keys: KeysInput, options: ProviderOptions = {}) {
    checkInputs(what, keys, options);
    const inputs = tidyKeys(keys);
    if (inputs.length === 0 && spec.keyless !== true)
      throw new ConfigError(`${what} was given no key. Pass one, several, or a comma-separated list.`);
    const tier = options.tier ?? spec.defaultTier;
    checkTier(what, spec, tier);
    checkKeys(what, spec, inputs);
    this.name = spec.name;
    this.spec = spec;
    // The values of headers may be secrets as well: they stay where keys do.
    const { headers = {}, ...shown } = options;
    this.options = shown;
    this.baseUrl = baseUrlOf(what, spec, options, inputs.length > 0);
    this.lastResort = options.lastResort ?? spec.access === 'local';
    this.#headers = { ...spec.headers, ...readHeaders(what, headers) };
    this.recordId = `provider:${spec.name}:${hashKey(this.baseUrl)}`;
    this.#secrets = new Map(inputs.map(({ key }) => [hashKey(key), key]));
    this.keys = inputs.length === 0 ? [this.#noKey(tier)] : inputs.map((input) => this.#keyOf(input, tier));
    this.#byId = new Map(this.keys.map((key) => [key.keyId, key]));
    this.accounts = this.#groupAccounts(what);
    this.#freeOnly =
      spec.freeOnlyPattern === undefined || options.freeOnly === false
        ? undefined
        : new RegExp(spec.freeOnlyPattern);
    this.#modelIds = spec.modelIdPattern === undefined ? undefined : new RegExp(spec.modelIdPattern, 'i');
  }

  #accountOf(keyId: string): string {
    return this.spec.countsBy === 'ip' ? ADDRESS : keyId;
  }

  #noKey(tier: string): ProviderKey {
    return { ...NO_KEY, account: this.#accountOf(NO_KEY.keyId), tier };
  }

  #keyOf(input: KeyInput, tier: string): ProviderKey {
    const keyId = hashKey(input.key);
    return {
      keyId,
      mask: maskKey(input.key),
      account: input.account ?? this.#accountOf(keyId),
      tier: input.tier ?? tier,
    };
  }

  #groupAccounts(what: string): readonly PoolAccount[] {
    const accounts = new Map<string, ProviderKey[]>();
    for (const key of this.keys) {
      const members = accounts.get(key.account);
      if (members === undefined) accounts.set(key.account, [key]);
      else members.push(key);
    }
    const tables = new Map<string, PoolAccount['limits']>();
    return [...accounts].map(([id, members]) => {
      const tier = members[0]?.tier ?? this.spec.defaultTier;
      const other = members.find((key) => key.tier !== tier);
      if (other !== undefined) {
        throw new ConfigError(
          `${what}: the keys of account "${id}" name two tiers, "${tier}" and "${other.tier}". One account has one tier.`,
        );
      }
      let limits = tables.get(tier);
      if (limits === undefined) {
        limits = limitTable(this.spec.tiers[tier]?.limits ?? [], this.options);
        tables.set(tier, limits);
      }
      return {
        id,
        recordId: `account:${this.name}:${hashKey(this.baseUrl)}:${hashKey(id)}`,
        keyIds: members.map((key) => key.keyId),
        limits,
      };
    });
  }

  /** All keys in clear text, for the redactor. */
  secrets(): readonly string[] {
    return [...this.#secrets.values()];
  }

  maskOf(keyId: string): string {
    return this.#byId.get(keyId)?.mask ?? '…';
  }

  tierOf(keyId: string): string {
    return this.#byId.get(keyId)?.tier ?? '';
  }

  /** The headers of a request that needs no key. */
  headersWithoutKey(): Headers {
    return this.#headers;
  }

  /** The headers that carry a key; exactly one credential, since providers refuse two. */
  headersFor(keyId: string): Headers {
    const secret = this.#secrets.get(keyId);
    if (secret !== undefined) return { ...this.#headers, authorization: `Bearer ${secret}` };
    if (keyId === NO_KEY.keyId && this.#secrets.size === 0) return this.#headers;
    throw new Error(`provider ${this.name} has no key ${keyId}`);
  }

  /** The address of a path of the provider's data: below the base URL, or with `../` above it. */
  urlOf(path: string): string {
    return new URL(path.replace(/^\//, ''), `${this.baseUrl}/`).href;
  }

  /**
   * Whether a model costs money and is refused for it.
   * @param free - What a list says of its price.
   */
  refusesPaid(model: string, free?: boolean): boolean {
    if (this.#freeOnly !== undefined) return !this.#freeOnly.test(model);
    const isPriced = this.spec.discovery?.freePrices !== undefined && this.spec.freeOnlyPattern === undefined;
    return isPriced && this.options.freeOnly !== false && free === false;
  }

  /** Whether this provider may know a model that no list names, going by the form of its id. */
  mayServe(model: string): boolean {
    return this.#modelIds?.test(model) === true;
  }

  /** How this provider's breakers open, where it differs from the table. */
  trip(kind: FailureKind): Trip | undefined {
    return this.spec.trips[kind];
  }
}

function baseUrlOf(what: string, spec: ProviderSpec, options: ProviderOptions, hasKeys: boolean): string {
  const values = { variables: spec.vars ?? {}, given: options.vars ?? {}, env: process.env };
  const url = fillTemplate(what, options.baseUrl ?? spec.baseUrl, values);
  // Nothing of yours but what you ask is on the way to a machine of yours that takes no key.
  const isOwnMachine = spec.access === 'local' && !hasKeys;
  return readBaseUrl(what, url, options.allowInsecureHttp ?? isOwnMachine);
}

function checkKeys(what: string, spec: ProviderSpec, inputs: readonly KeyInput[]): void {
  for (const [index, { key, tier }] of inputs.entries()) {
    if (tier !== undefined) checkTier(what, spec, tier);
    if (!SENDABLE.test(key)) {
      throw new ConfigError(
        `${what} key number ${index + 1} holds a space, a line break or another character that no HTTP header can carry. Copy it again.`,
      );
    }
  }
}

function checkTier(what: string, spec: ProviderSpec, tier: string): void {
  if (Object.hasOwn(spec.tiers, tier)) return;
  const known = Object.keys(spec.tiers).map((name) => `"${name}"`);
  throw new ConfigError(`${what} has no tier "${tier}". Known tiers: ${known.join(', ')}.`);
}
