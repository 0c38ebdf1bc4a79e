/** The base classes of the known providers: `class X extends KeyedProvider { static spec = … }`. */

import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { KeysInput } from './key.ts';
import { Provider } from './provider.ts';
import type { ProviderOptions } from './provider-options.ts';
import type { ProviderSpec } from './spec.ts';

const anyOptions = z.looseObject({}, 'must be an object');

/** Options of a provider that needs a key; `Tier` lists the tiers of its accounts. */
export interface KeyedOptions<Tier extends string> extends Omit<ProviderOptions, 'tier'> {
  /** The account's tier, which selects the documented limits. Default `free`. */
  readonly tier?: Tier | undefined;
}

/** Options of a provider that works without a key. */
export interface KeylessOptions extends Omit<ProviderOptions, 'tier'> {
  /** Keys, if you have any. Default: none. */
  readonly keys?: KeysInput | undefined;
}

/** A known provider that needs a key. */
export abstract class KeyedProvider<Tier extends string = 'free'> extends Provider {
  /** Its documented facts. */
  declare static readonly spec: ProviderSpec;

  /**
   * @param keys - One key, several, or a comma-separated list.
   * @throws ConfigError naming the key or option that cannot be used.
   */
  constructor(keys: KeysInput, options?: KeyedOptions<Tier>) {
    super(new.target.spec.title, new.target.spec, keys, options);
  }
}

/** A known provider that works without a key. */
export abstract class KeylessProvider extends Provider {
  /** Its documented facts. */
  declare static readonly spec: ProviderSpec;

  /** @throws ConfigError naming the key or option that cannot be used. */
  constructor(options: KeylessOptions = {}) {
    check(anyOptions, options, `${new.target.spec.title} options`);
    const { keys = [], ...rest } = options;
    super(new.target.spec.title, new.target.spec, keys, rest);
  }
}
