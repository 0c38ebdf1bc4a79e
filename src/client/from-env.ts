/** Providers from environment variables: the first variable that holds a key wins. */

import type { ProviderSpec } from '../providers/spec.ts';
import { googleSpec, nimSpec, openrouterSpec } from '../providers/spec.ts';
import { ConfigError } from '../errors.ts';
import { tidyKeys } from '../providers/key.ts';
import { Provider } from '../providers/provider.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const SPECS: readonly ProviderSpec[] = [openrouterSpec, googleSpec, nimSpec];

function providerFrom(spec: ProviderSpec, env: Environment): Provider | undefined {
  const variable = spec.env.keys.find((name) => tidyKeys(env[name] ?? '').length > 0);
  if (variable === undefined) return undefined;
  const tier = env[spec.env.tier]?.trim();
  if (tier !== undefined && tier !== '' && !Object.hasOwn(spec.tiers, tier)) {
    throw new ConfigError(
      `${spec.env.tier} is "${tier}", which ${spec.title} does not have. Known tiers: ${Object.keys(spec.tiers).join(', ')}.`,
    );
  }
  return new Provider(variable, spec, env[variable] ?? '', tier === undefined || tier === '' ? {} : { tier });
}

/**
 * The providers whose keys are in the environment.
 * @throws ConfigError naming every variable when there is no key at all, or the one whose tier is unknown.
 */
export function providersFromEnv(env: Environment): readonly Provider[] {
  const providers = SPECS.flatMap((spec) => providerFrom(spec, env) ?? []);
  if (providers.length > 0) return providers;
  const variables = SPECS.map((spec) => `\n  ${spec.title}: ${spec.env.keys.join(' or ')}`);
  throw new ConfigError(
    `No key was found in the environment. Set at least one of:${variables.join('')}\nSeveral keys are separated by commas.`,
  );
}

/** The lifetime of discovered model lists from `FREELM_CACHE_TTL`, which is in seconds. */
export function cacheTtlFrom(env: Environment): number | undefined {
  const text = env['FREELM_CACHE_TTL']?.trim();
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new ConfigError(`FREELM_CACHE_TTL is "${text}"; it must be a number of seconds, 0 or more.`);
  }
  return seconds * 1000;
}

/** The cache directory from `FREELM_CACHE_DIR`. */
export function cacheDirFrom(env: Environment): string | undefined {
  const text = env['FREELM_CACHE_DIR']?.trim();
  return text === undefined || text === '' ? undefined : text;
}
