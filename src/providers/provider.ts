/** A provider with its keys and the user's options. */

import type { FailureKind, Trip } from '../core/failure.ts';
import type { EmbeddingFacts } from '../core/embedding.ts';
import type { FreeReason } from '../core/model.ts';
import type { PoolAccount } from '../core/pool.ts';
import { entryOf } from '../core/json.ts';
import { ConfigError } from '../errors.ts';
import type { Headers } from '../ports.ts';
import { fillTemplate, readBaseUrl, withoutEndpoint } from './base-url.ts';
import { hashKey, type KeyInput, type KeysInput, maskKey, tidyKeys } from './key.ts';
import { limitTable } from './limits.ts';
import { matchesGlob } from './pattern.ts';
import { checkInputs, type ProviderOptions, readHeaders } from './provider-options.ts';
import type { ProviderSpec } from './spec.ts';

/** A key must fit into an HTTP header: visible ASCII. */
const SENDABLE = /^[\x21-\x7e]+$/;
/** The one account of a provider that counts by IP address. */
const IP_ACCOUNT = 'ip';
/** The key of a provider that is used without one. */
const NO_KEY = { keyId: 'no-key', mask: '(no key)' };

/** A key of a provider, without its secret. */
export interface ProviderKey {
  readonly keyId: string;
  /** The masked key; `(no key)` if the provider is used without one. */
  readonly mask: string;
  readonly account: string;
  readonly tier: string;
}

/** A configured provider. Its keys are private, so that neither printing nor JSON shows them. */
export class Provider {
  /** Unique in a pool. */
  readonly name: string;
  readonly spec: ProviderSpec;
  readonly baseUrl: string;
  /** Mistakes in the configuration that freelm tolerates. */
  readonly warnings: readonly string[];
  readonly options: ProviderOptions;
  readonly keys: readonly ProviderKey[];
  readonly accounts: readonly PoolAccount[];
  /** The id of the provider's record in the store. It depends on the base URL. */
  readonly recordId: string;
  /** Whether the provider is used only if no other provider is ready. */
  readonly lastResort: boolean;
  readonly #headers: Headers;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #headersByKey = new Map<string, Headers>();
  readonly #byId: ReadonlyMap<string, ProviderKey>;
  readonly #freeOnly: RegExp | undefined;
  readonly #modelIds: RegExp | undefined;

  /**
   * @param what - The provider's name in error messages, e.g. `OpenRouter`.
   * @throws ConfigError naming the key or option that cannot be used.
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
    // A header can hold a secret, so its value is as private as a key.
    const { headers = {}, ...shown } = options;
    this.options = shown;
    const givenUrl = baseUrlOf(what, spec, options, inputs.length > 0);
    this.baseUrl = withoutEndpoint(givenUrl);
    this.warnings =
      this.baseUrl === givenUrl
        ? []
        : [
            `${what}: baseUrl ${givenUrl} ends with the path of one endpoint. freelm uses ${this.baseUrl} and adds the path itself: set baseUrl to that.`,
          ];
    this.lastResort = options.lastResort ?? spec.access === 'local';
    this.#headers = readHeaders(what, headers);
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
    return this.spec.countsBy === 'ip' ? IP_ACCOUNT : keyId;
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

  /** Why calls of a tier are free; undefined if they are billed. */
  #freeBecause(tier: string): FreeReason | undefined {
    const { freeBecause } = entryOf(this.spec.tiers, tier) ?? {};
    return freeBecause?.withoutKey === true && this.#secrets.size > 0 ? undefined : freeBecause?.reason;
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
          `${what}: the keys of account "${id}" name two tiers, "${tier}" and "${other.tier}". An account has one tier.`,
        );
      }
      let limits = tables.get(tier);
      if (limits === undefined) {
        limits = limitTable(entryOf(this.spec.tiers, tier)?.limits ?? [], this.options, (model) =>
          this.isEmbedding(model) ? 'embedding' : 'chat',
        );
        tables.set(tier, limits);
      }
      return {
        id,
        recordId: `account:${this.name}:${hashKey(this.baseUrl)}:${hashKey(id)}`,
        keyIds: members.map((key) => key.keyId),
        freeBecause: this.#freeBecause(tier),
        limits,
      };
    });
  }

  /** All keys in clear text. Only the redactor may read them. */
  secrets(): readonly string[] {
    return [...this.#secrets.values()];
  }

  maskOf(keyId: string): string {
    return this.#byId.get(keyId)?.mask ?? '…';
  }

  tierOf(keyId: string): string {
    return this.#byId.get(keyId)?.tier ?? '';
  }

  /** The headers of a request without a key. */
  headersWithoutKey(): Headers {
    return this.#headers;
  }

  /** The headers of a request with a key. They hold exactly one credential, since providers refuse two. */
  headersFor(keyId: string): Headers {
    const known = this.#headersByKey.get(keyId);
    if (known !== undefined) return known;
    const secret = this.#secrets.get(keyId);
    if (secret !== undefined) {
      const headers = { ...this.#headers, authorization: `Bearer ${secret}` };
      this.#headersByKey.set(keyId, headers);
      return headers;
    }
    if (keyId === NO_KEY.keyId && this.#secrets.size === 0) return this.#headers;
    throw new Error(`provider ${this.name} has no key ${keyId}`);
  }

  /** The URL of a path below the base URL; `../` goes up. */
  urlOf(path: string): string {
    return new URL(path.replace(/^\//, ''), `${this.baseUrl}/`).href;
  }

  /**
   * Whether a model is refused because it costs money.
   * @param free - Whether the provider's list says that the model is free.
   */
  // spec 9.4
  refusesPaid(model: string, free?: boolean): boolean {
    if (this.#freeOnly !== undefined) return !this.#freeOnly.test(model);
    const isPriced = this.spec.discovery?.freePrices !== undefined && this.spec.freeOnlyPattern === undefined;
    return isPriced && this.options.freeOnly !== false && free === false;
  }

  /** Whether the id looks like one of this provider's models, even if no list names it. */
  // spec 9.3
  mayServe(model: string): boolean {
    return this.#modelIds?.test(model) === true;
  }

  /** Whether an id is known as that of an embedding model. */
  // spec 17.2
  isEmbedding(model: string): boolean {
    const { discovery, embeddings = [] } = this.spec;
    const globs = [...(discovery?.embeddings ?? []), ...embeddings.map(({ models }) => models)];
    return globs.some((glob) => matchesGlob(glob, model));
  }

  /** What is known of an embedding model: what the user says, else the provider's file. */
  embeddingOf(model: string): EmbeddingFacts {
    const own = this.options.models?.find((one) => typeof one !== 'string' && one.id === model);
    if (typeof own === 'object' && own.embedding !== undefined) return own.embedding;
    return this.spec.embeddings?.find(({ models }) => matchesGlob(models, model)) ?? {};
  }

  /** How this provider's breakers open, if that differs from `spec/failure-effects.json`. */
  trip(kind: FailureKind): Trip | undefined {
    return this.spec.trips[kind];
  }
}

function baseUrlOf(what: string, spec: ProviderSpec, options: ProviderOptions, hasKeys: boolean): string {
  const values = { variables: spec.vars ?? {}, given: options.vars ?? {}, env: process.env };
  const url = fillTemplate(what, options.baseUrl ?? spec.baseUrl, values);
  // A server of the user's own without a key may use http: there is no key that could be read on the network.
  const isOwnMachine = spec.access === 'local' && !hasKeys;
  return readBaseUrl(what, url, options.allowInsecureHttp ?? isOwnMachine);
}

function checkKeys(what: string, spec: ProviderSpec, inputs: readonly KeyInput[]): void {
  for (const [index, { key, tier }] of inputs.entries()) {
    if (tier !== undefined) checkTier(what, spec, tier);
    if (!SENDABLE.test(key)) {
      throw new ConfigError(
        `${what} key number ${index + 1} contains a space, a line break or another character that HTTP headers do not allow. Copy it again.`,
      );
    }
  }
}

function checkTier(what: string, spec: ProviderSpec, tier: string): void {
  if (Object.hasOwn(spec.tiers, tier)) return;
  const known = Object.keys(spec.tiers).map((name) => `"${name}"`);
  throw new ConfigError(`${what} has no tier "${tier}". Known tiers: ${known.join(', ')}.`);
}
