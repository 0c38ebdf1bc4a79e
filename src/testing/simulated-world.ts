import { CallLog, countCalls, type CallCounts, type SimulatedCall } from './calls.ts';
import type { ProviderName, WorldOptions } from './options.ts';
import { ProviderSimulator } from './provider-simulator.ts';

/** The environment variables of `FreeLLM.fromEnv` for keys and tiers. */
const VARIABLES: Readonly<Partial<Record<ProviderName, { readonly keys: string; readonly tier: string }>>> = {
  openrouter: { keys: 'FREELM_OPENROUTER_KEYS', tier: 'FREELM_OPENROUTER_TIER' },
  google: { keys: 'FREELM_GOOGLE_KEYS', tier: 'FREELM_GOOGLE_TIER' },
  nim: { keys: 'FREELM_NIM_KEYS', tier: 'FREELM_NIM_TIER' },
};

/** Four simulated providers in one process, without sockets. */
export class SimulatedWorld {
  readonly #log = new CallLog();
  readonly openrouter: ProviderSimulator;
  readonly google: ProviderSimulator;
  readonly nim: ProviderSimulator;
  readonly custom: ProviderSimulator;

  constructor(options: WorldOptions = {}) {
    const simulate = (name: ProviderName): ProviderSimulator => {
      const own = options[name];
      const { reply = options.reply, seed = options.seed } = own ?? {};
      return new ProviderSimulator(name, { ...own, reply, seed }, this.#log);
    };
    this.openrouter = simulate('openrouter');
    this.google = simulate('google');
    this.nim = simulate('nim');
    this.custom = simulate('custom');
  }

  get providers(): readonly ProviderSimulator[] {
    return [this.openrouter, this.google, this.nim, this.custom];
  }

  /** The requests to all providers, in the order of arrival. Keys are masked. */
  get calls(): readonly SimulatedCall[] {
    return this.#log.all;
  }

  /** Counts of the chat requests to all providers. */
  get counts(): CallCounts {
    return countCalls(this.calls);
  }

  /**
   * The environment for `FreeLLM.fromEnv`. Has a variable for the keys of each provider that has any, and one for their
   * tier unless it is `free`. The keys of `custom` have no variable.
   */
  env(): Record<string, string> {
    const env: Record<string, string> = {};
    for (const { name, keys, tier } of this.providers) {
      const variables = VARIABLES[name];
      if (variables === undefined || keys.length === 0) continue;
      env[variables.keys] = keys.join(',');
      if (tier !== undefined && tier !== 'free') env[variables.tier] = tier;
    }
    return env;
  }

  /** Resets calls, limits and faults of all providers to their initial state. */
  reset(): void {
    for (const provider of this.providers) provider.reset();
  }
}
