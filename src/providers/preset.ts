/** What makes a provider of `spec/providers` a class of its own: `class X extends Keyed { static spec = … }`. */

import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { KeysInput } from './key.ts';
import { Provider } from './provider.ts';
import type { ProviderOptions } from './provider-options.ts';
import type { ProviderSpec } from './spec.ts';

const anyOptions = z.looseObject({}, 'must be an object');

/** The options of a provider whose accounts have these tiers. */
export interface KeyedOptions<Tier extends string> extends Omit<ProviderOptions, 'tier'> {
  /** The account's tier, which selects the documented limits. Default `free`. */
  readonly tier?: Tier | undefined;
}

/** The options of a provider that needs no key. */
export interface KeylessOptions extends Omit<ProviderOptions, 'tier'> {
  /** Keys, where there are any. */
  readonly keys?: KeysInput | undefined;
}

/** A known provider that is asked with a key. */
export abstract class KeyedProvider<Tier extends string = 'free'> extends Provider {
  /** What freelm knows of it. */
  declare static readonly spec: ProviderSpec;

  /**
   * @param keys - One key, several, or a comma-separated list.
   * @throws ConfigError naming the key or option that is not usable.
   */
  constructor(keys: KeysInput, options?: KeyedOptions<Tier>) {
    super(new.target.spec.title, new.target.spec, keys, options);
  }
}

/** A known provider that can be asked without a key. */
export abstract class KeylessProvider extends Provider {
  /** What freelm knows of it. */
  declare static readonly spec: ProviderSpec;

  /** @throws ConfigError naming the key or option that is not usable. */
  constructor(options: KeylessOptions = {}) {
    check(anyOptions, options, `${new.target.spec.title} options`);
    const { keys = [], ...rest } = options;
    super(new.target.spec.title, new.target.spec, keys, rest);
  }
}
