/** What the environment holds for each provider, what of it is used, and what is wrong with the rest. */

import { ConfigError } from '../../errors.ts';
import { variableFrom } from '../../providers/base-url.ts';
import { tidyKeys } from '../../providers/key.ts';
import { settingIn } from '../../providers/setting.ts';
import type { Provider } from '../../providers/provider.ts';
import type { ProviderSpec } from '../../providers/spec.ts';
import {
  baseUrlVariables,
  type Environment,
  isMeant,
  keyVariable,
  KNOWN,
  namedIn,
  providerFrom,
  variablesOf,
} from './from-env.ts';
import { systemClock } from '../../adapters/system.ts';
import { DAY_MS } from '../../core/time.ts';

/** What the environment holds for one provider. */
export interface ProviderReport {
  readonly provider: string;
  readonly title: string;
  /** `default`: used where its key is set. `opt-in`: where `FREELM_PROVIDERS` names it. `local`: on this machine. */
  readonly access: 'default' | 'opt-in' | 'local';
  /** Whether a pool of this environment has it. */
  readonly isUsed: boolean;
  /** Whether what is set for it is wrong: then `FreeLLM.fromEnv` refuses the whole environment. */
  readonly isRefused: boolean;
  /** The variables that are set for it. */
  readonly variables: readonly string[];
  /** The variables to set for it, in words. */
  readonly needs: string;
  /** The page on which a user makes a key, if there is one. */
  readonly keysUrl: string | undefined;
  /** What is wrong with the variables, each in a sentence with what to do. */
  readonly problems: readonly string[];
  /** The day, YYYY-MM-DD, on which what freelm knows of it was checked. */
  readonly asOf: string;
  /** The day, YYYY-MM-DD, after which that is to be doubted. */
  readonly expires: string;
  readonly isExpired: boolean;
}

/** An environment, looked into. */
export interface EnvironmentReport {
  /** Those that can be used, for a `FreeLLM` of them; what is wrong with another one is no hindrance. */
  readonly usable: readonly Provider[];
  /** Every known provider. */
  readonly providers: readonly ProviderReport[];
}

function isSet(env: Environment, name: string): boolean {
  return settingIn(env, name) !== undefined;
}

function variablesSet(env: Environment, spec: ProviderSpec): readonly string[] {
  const names = [
    ...spec.env.keys,
    ...(spec.env.tier === undefined ? [] : [spec.env.tier]),
    ...baseUrlVariables(spec),
    ...Object.values(spec.vars ?? {}).flatMap((variable) => variable.env),
  ];
  return names.filter((name) => isSet(env, name));
}

function keysIn(env: Environment, variable: string | undefined): readonly string[] {
  return variable === undefined ? [] : tidyKeys(env[variable] ?? '').map(({ key }) => key);
}

/** Variables of keys that are set for nothing; the same keys in another one are no loss. */
function idleKeys(env: Environment, spec: ProviderSpec): readonly string[] {
  const used = keyVariable(env, spec);
  const known = new Set(keysIn(env, used));
  return spec.env.keys
    .filter((name) => isSet(env, name) && name !== used)
    .filter((name) => keysIn(env, name).length === 0 || keysIn(env, name).some((key) => !known.has(key)))
    .map((name) =>
      keysIn(env, name).length === 0
        ? `${name} is set, but holds no key. Put one in it, or unset it.`
        : `${name} is set but not used: ${used ?? 'another'} comes first. Put all keys into one of them.`,
    );
}

/** Keys of a form that the provider does not give out, such as another provider's. */
function strangeKeys(env: Environment, spec: ProviderSpec): readonly string[] {
  const variable = keyVariable(env, spec);
  if (variable === undefined || spec.keyPattern === '') return [];
  const form = new RegExp(`^(?:${spec.keyPattern})$`);
  const keys = keysIn(env, variable);
  const strange = keys.filter((key) => !form.test(key)).length;
  if (strange === 0) return [];
  const which = keys.length === 1 ? 'its key does' : `${strange} of its ${keys.length} keys do`;
  return [`${variable}: ${which} not look like one of ${spec.title}. See that it was copied whole.`];
}

/** Why keys that are set are not used. */
function unusedKeys(env: Environment, spec: ProviderSpec): readonly string[] {
  const variable = keyVariable(env, spec);
  if (variable === undefined) return [];
  const missing = Object.values(spec.vars ?? {}).find((one) => variableFrom(env, one) === undefined);
  if (missing !== undefined) {
    const how = missing.env.join(' or ');
    return [`${variable} is set, but ${spec.title} needs ${missing.title}, too. Set ${how}.`];
  }
  if (spec.access === 'default') return [];
  return [
    `${variable} is set, but ${spec.title} is only used when asked for. Set FREELM_PROVIDERS=${spec.name}.`,
  ];
}

interface Found {
  readonly provider?: Provider;
  readonly isRefused?: true;
  readonly problems?: readonly string[];
}

function find(env: Environment, spec: ProviderSpec, isNamed: boolean): Found {
  if (!isNamed && !isMeant(env, spec)) return { problems: unusedKeys(env, spec) };
  try {
    return { provider: providerFrom(env, spec) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { isRefused: true, problems: [error.message] };
  }
}

/**
 * Looks into the environment that `FreeLLM.fromEnv` reads. Sends nothing; a key appears in no report.
 * @param env - Default `process.env`.
 * @throws ConfigError where it asks for providers in a way that cannot be understood.
 */
export function inspectEnv(env: Environment = process.env): EnvironmentReport {
  const named = namedIn(env);
  const now = systemClock.now();
  const usable: Provider[] = [];
  const providers = KNOWN.map((spec): ProviderReport => {
    const { provider, isRefused = false, problems = [] } = find(env, spec, named.has(spec.name));
    if (provider !== undefined) usable.push(provider);
    return {
      provider: spec.name,
      title: spec.title,
      access: spec.access,
      isUsed: provider !== undefined,
      isRefused,
      variables: variablesSet(env, spec),
      needs: variablesOf(spec),
      keysUrl: spec.keysUrl,
      problems: [...problems, ...idleKeys(env, spec), ...strangeKeys(env, spec)],
      asOf: spec.asOf,
      expires: spec.expires,
      isExpired: now >= Date.parse(spec.expires) + DAY_MS,
    };
  });
  return { usable, providers };
}
