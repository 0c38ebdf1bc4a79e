/** All providers of a world in one process, without sockets. */

import { CallLog, countCalls, type CallCounts, type SimulatedCall } from './calls.ts';
import type { ProviderName, WorldOptions } from './options.ts';
import { ProviderSimulator } from './provider-simulator.ts';

/** The variables that `FreeLLM.fromEnv` reads for each provider's keys and tier. */
const VARIABLES: Readonly<Partial<Record<ProviderName, { readonly keys: string; readonly tier: string }>>> = {
  openrouter: { keys: 'FREELM_OPENROUTER_KEYS', tier: 'FREELM_OPENROUTER_TIER' },
  google: { keys: 'FREELM_GOOGLE_KEYS', tier: 'FREELM_GOOGLE_TIER' },
  nim: { keys: 'FREELM_NIM_KEYS', tier: 'FREELM_NIM_TIER' },
};

/** Four simulated providers. */
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

  /** Every request to any provider, in the order of incoming. Keys are masked. */
  get calls(): readonly SimulatedCall[] {
    return this.#log.all;
  }

  /** How the chat requests to all providers fared. */
  get counts(): CallCounts {
    return countCalls(this.calls);
  }

  /**
   * The environment with which `FreeLLM.fromEnv` uses this world's keys: a variable for the keys of each provider that
   * has any, and one for their tier unless it is `free`. The keys of `custom` have no variable.
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

  /** Forgets everything that happened: calls, spent limits, faults added since the start. */
  reset(): void {
    for (const provider of this.providers) provider.reset();
  }
}
