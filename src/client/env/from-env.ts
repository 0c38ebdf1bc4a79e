/** Providers from environment variables: the first variable that holds a key wins. */

import { entryOf } from '../../core/json.ts';
import { ConfigError } from '../../errors.ts';
import { localBaseUrl, readBaseUrl, variableFrom } from '../../providers/base-url.ts';
import { tidyKeys } from '../../providers/key.ts';
import { settingIn } from '../../providers/setting.ts';
import { Provider } from '../../providers/provider.ts';
import type { ProviderOptions } from '../../providers/provider-options.ts';
import { type ProviderSpec, SPECS } from '../../providers/spec.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every provider that the environment can ask for. */
export const KNOWN: readonly ProviderSpec[] = Object.values(SPECS);
/** Names providers that are used besides those whose keys are set. */
const NAMED = 'FREELM_PROVIDERS';
/** Whether the servers on this machine are used. */
const LOCAL = 'FREELM_LOCAL';

function firstSet(env: Environment, names: readonly string[]): string | undefined {
  return names.find((name) => settingIn(env, name) !== undefined);
}

/**
 * The providers that are used besides those whose keys are set.
 * @throws ConfigError for a name that no provider has.
 */
export function namedIn(env: Environment): ReadonlySet<string> {
  const names = (settingIn(env, NAMED) ?? '').split(',').map((name) => name.trim().toLowerCase());
  const wanted = new Set(names.filter((name) => name !== ''));
  const unknown = [...wanted].find((name) => !Object.hasOwn(SPECS, name));
  if (unknown === undefined) return wanted;
  throw new ConfigError(
    `${NAMED} names "${unknown}", which is no provider. Known ones: ${KNOWN.map(({ name }) => name).join(', ')}.`,
  );
}

const SWITCH: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false };

function switchFrom(env: Environment, name: string): boolean | undefined {
  const text = settingIn(env, name);
  if (text === undefined) return undefined;
  const on = entryOf(SWITCH, text.toLowerCase());
  if (on !== undefined) return on;
  throw new ConfigError(`${name} is "${text}"; it must be 1 or 0.`);
}

/** The variable that a provider's keys are taken from. */
export function keyVariable(env: Environment, spec: ProviderSpec): string | undefined {
  return spec.env.keys.find((name) => tidyKeys(env[name] ?? '').length > 0);
}

function hasVariables(env: Environment, { vars = {} }: ProviderSpec): boolean {
  return Object.values(vars).every((variable) => variableFrom(env, variable) !== undefined);
}

/** The variable that puts a provider elsewhere, e.g. behind a proxy of your own: `FREELM_` and its name `_BASE_URL`. */
function baseUrlVariable({ name }: ProviderSpec): string {
  return `FREELM_${name.toUpperCase().replaceAll('-', '_')}_BASE_URL`;
}

/** The variables that say where a provider is; the first that is set counts. */
export function baseUrlVariables(spec: ProviderSpec): readonly string[] {
  return [baseUrlVariable(spec), ...(spec.env.baseUrl ?? [])];
}

/**
 * Whether the environment asks for a provider without naming it.
 * @throws ConfigError for a switch that is neither on nor off.
 */
export function isMeant(env: Environment, spec: ProviderSpec): boolean {
  switch (spec.access) {
    case 'default':
      return keyVariable(env, spec) !== undefined && hasVariables(env, spec);
    case 'local':
      return switchFrom(env, LOCAL) ?? firstSet(env, baseUrlVariables(spec)) !== undefined;
    case 'opt-in':
      return false;
  }
}

function tierFrom(env: Environment, spec: ProviderSpec): string | undefined {
  const variable = spec.env.tier;
  const tier = variable === undefined ? undefined : settingIn(env, variable);
  if (tier === undefined || Object.hasOwn(spec.tiers, tier)) return tier;
  throw new ConfigError(
    `${variable} is "${tier}", which ${spec.title} does not have. Known tiers: ${Object.keys(spec.tiers).join(', ')}.`,
  );
}

function baseUrlFrom(env: Environment, spec: ProviderSpec, keys: string | undefined): string | undefined {
  const variable = firstSet(env, baseUrlVariables(spec));
  const address = variable === undefined ? undefined : settingIn(env, variable);
  if (variable !== undefined && address !== undefined) {
    if (spec.access === 'local') return localBaseUrl(variable, address, spec.baseUrl);
    return readBaseUrl(variable, address, false);
  }
  return keys === undefined ? undefined : spec.env.siblings?.[keys];
}

function varsFrom(env: Environment, { vars = {} }: ProviderSpec): ProviderOptions['vars'] {
  const found = Object.entries(vars).map(([name, variable]) => [name, variableFrom(env, variable)] as const);
  return Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/**
 * What the environment says of a provider besides its keys.
 * @param keys - The variable that the keys are taken from.
 */
export function optionsFrom(
  env: Environment,
  spec: ProviderSpec,
  keys: string | undefined,
): Pick<ProviderOptions, 'tier' | 'baseUrl' | 'vars'> {
  return { tier: tierFrom(env, spec), baseUrl: baseUrlFrom(env, spec, keys), vars: varsFrom(env, spec) };
}

/** @throws ConfigError naming the variable that is missing or whose value is not right. */
export function providerFrom(env: Environment, spec: ProviderSpec): Provider {
  const variable = keyVariable(env, spec);
  if ((variable === undefined && spec.keyless !== true) || !hasVariables(env, spec)) {
    throw new ConfigError(`${NAMED} names "${spec.name}", but ${variablesOf(spec)} is not set.`);
  }
  const keys = variable === undefined ? [] : (env[variable] ?? '');
  return new Provider(variable ?? spec.title, spec, keys, optionsFrom(env, spec, variable));
}

/** The variables that a provider's keys are looked for in, for people. */
export function variablesOf({ env, vars = {} }: ProviderSpec): string {
  const beside = Object.values(vars).map((variable) => ` with ${variable.env.join(' or ')}`);
  return env.keys.join(' or ') + beside.join('');
}

/** What makes no difference between two names of variables, e.g. of `OPENROUTER_KEY` and `OPENROUTER_API_KEY`. */
function plainName(name: string): string {
  return name.toUpperCase().replace(/_|API|S$/g, '');
}

/** Variables that look as if they were meant to hold a provider's key, with the right name for each. */
function misnamed(env: Environment): readonly string[] {
  const known = KNOWN.flatMap(({ env: { keys } }) => keys);
  return Object.keys(env).flatMap((name) => {
    if (!/(?:KEYS?|TOKENS?)$/i.test(name) || known.includes(name) || settingIn(env, name) === undefined)
      return [];
    const meant = known.find((one) => plainName(name) === plainName(one));
    return meant === undefined ? [] : [`\n${name} is set. Did you mean ${meant}?`];
  });
}

function nothingFound(env: Environment): ConfigError {
  const ordinary = KNOWN.filter(({ access }) => access === 'default');
  const variables = ordinary.map(
    (spec) =>
      `\n  ${spec.title}: ${variablesOf(spec)}${spec.keysUrl === undefined ? '' : ` (${spec.keysUrl})`}`,
  );
  const keyless = KNOWN.filter(({ access, keyless: needsNone }) => access === 'opt-in' && needsNone === true);
  return new ConfigError(
    `No key was found in the environment. Set at least one of:${variables.join('')}${misnamed(env).join('')}\nSeveral keys are separated by commas. Node reads a .env file with: node --env-file=.env. Without a key: ${NAMED}=${keyless.map(({ name }) => name).join(',')}, or ${LOCAL}=1 for models on this machine.`,
  );
}

/**
 * The providers whose keys are in the environment, those that `FREELM_PROVIDERS` names, and the servers on this machine
 * that are configured or wanted by `FREELM_LOCAL`.
 * @throws ConfigError naming every variable when there is nothing at all, or the one whose value is not right.
 */
export function providersFromEnv(env: Environment): readonly Provider[] {
  const named = namedIn(env);
  const providers = KNOWN.filter((spec) => named.has(spec.name) || isMeant(env, spec)).map((spec) =>
    providerFrom(env, spec),
  );
  if (providers.length > 0) return providers;
  throw nothingFound(env);
}

/** The lifetime of discovered model lists from `FREELM_CACHE_TTL`, which is in seconds. */
export function cacheTtlFrom(env: Environment): number | undefined {
  const text = settingIn(env, 'FREELM_CACHE_TTL');
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new ConfigError(`FREELM_CACHE_TTL is "${text}"; it must be a number of seconds, 0 or more.`);
  }
  return seconds * 1000;
}

/** What `FREELM_SPEND` says about calls that cost money. */
export function spendFrom(env: Environment): 'never' | 'allow' | undefined {
  const text = settingIn(env, 'FREELM_SPEND');
  if (text === undefined || text === 'never' || text === 'allow') return text;
  throw new ConfigError(`FREELM_SPEND is "${text}"; it must be never or allow.`);
}

/** The cache directory from `FREELM_CACHE_DIR`. */
export function cacheDirFrom(env: Environment): string | undefined {
  return settingIn(env, 'FREELM_CACHE_DIR');
}

/** Whether `FREELM_PERSIST` says to keep state between runs. */
export function persistFrom(env: Environment): boolean | undefined {
  return switchFrom(env, 'FREELM_PERSIST');
}
