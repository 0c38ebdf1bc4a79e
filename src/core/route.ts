/** Who serves a call, and under whose account: the unit that everything else is decided for. */

/** One way to serve a call: a provider, one of its keys, one of its models. */
export interface Route {
  /** The provider's name, e.g. `openrouter`. */
  readonly provider: string;
  /** Whom the provider counts against. */
  readonly account: string;
  /** A hash of the key; never the key. */
  readonly keyId: string;
  /** The model's id as the provider spells it. */
  readonly model: string;
}
