import type { KeyOptions, ProviderOptions } from './options.ts';

/** An account, which the limits of a provider apply to. */
export interface Account {
  readonly name: string;
  readonly tier: string;
}

const DEFAULT_KEYS = 2;

/** Maps keys to accounts. The constructor throws a RangeError if a key is given twice. */
export class Keyring {
  readonly #accountOf = new Map<string, Account>();

  constructor(keys: ProviderOptions['keys'], makeKey: () => string) {
    const given: readonly (string | KeyOptions)[] =
      typeof keys === 'object' ? keys : Array.from({ length: keys ?? DEFAULT_KEYS }, () => ({}));
    const accounts = new Map<string, Account>();
    for (const [index, entry] of given.entries()) {
      const options = typeof entry === 'string' ? { key: entry } : entry;
      const { key = makeKey(), account: name = `account-${index + 1}`, tier = 'free' } = options;
      if (this.#accountOf.has(key)) {
        throw new RangeError(`Key ${index + 1} of ${given.length} is a duplicate. Give each key once.`);
      }
      const account = accounts.get(name) ?? { name, tier };
      accounts.set(name, account);
      this.#accountOf.set(key, account);
    }
  }

  get keys(): readonly string[] {
    return [...this.#accountOf.keys()];
  }

  /** The distinct tiers of all accounts. */
  get tiers(): readonly string[] {
    return [...new Set([...this.#accountOf.values()].map(({ tier }) => tier))];
  }

  accountOf(key: string | undefined): Account | undefined {
    return key === undefined ? undefined : this.#accountOf.get(key);
  }
}
