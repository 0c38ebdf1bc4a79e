/** A pool's options from a configuration file. The file names the variables that hold keys, and holds none itself. */

import { check } from '../../check.ts';
import { ConfigError } from '../../errors.ts';
import { type KeyInput, tidyKeys } from '../../providers/key.ts';
import { OpenAICompatible } from '../../providers/openai-compatible.ts';
import { Provider } from '../../providers/provider.ts';
import type { ProviderSpec } from '../../providers/spec.ts';
import {
  type Environment,
  keyVariable,
  KNOWN,
  optionsFrom,
  providersFromEnv,
  variablesOf,
} from '../env/from-env.ts';
import type { FreeLLMOptions } from '../options.ts';
import {
  outerSchema,
  type ProviderConfig,
  providerSchema,
  type ServeConfig,
  serveSchema,
} from './config-schema.ts';

/** What a configuration file says. */
export interface Configuration {
  /** The options of the pool. */
  readonly options: FreeLLMOptions;
  /** The options of `freelm serve`. */
  readonly serve: ServeConfig;
}

/** The keys in the variables that a provider's entry names. */
function keysFrom(
  env: Environment,
  what: string,
  given: NonNullable<ProviderConfig['keys']>,
): readonly KeyInput[] {
  return given.flatMap((entry, index) => {
    const { variable, ...more } = typeof entry === 'string' ? { variable: entry } : entry;
    const keys = tidyKeys(env[variable] ?? '');
    if (keys.length === 0) {
      throw new ConfigError(
        `${what}.keys[${index}]: the environment variable ${variable} is not set, or holds no key.`,
      );
    }
    return keys.map((key) => ({ ...key, ...more }));
  });
}

function knownProvider(
  env: Environment,
  what: string,
  spec: ProviderSpec,
  { keys: given, ...options }: ProviderConfig,
): Provider {
  const variable = given === undefined ? keyVariable(env, spec) : undefined;
  if (given === undefined && variable === undefined && spec.keyless !== true) {
    throw new ConfigError(
      `${what}: ${variablesOf(spec)} is not set. Set it, or name the variables that hold the keys: "keys": ["MY_KEY"].`,
    );
  }
  const keys = given === undefined ? tidyKeys(env[variable ?? ''] ?? '') : keysFrom(env, what, given);
  const usual = optionsFrom(env, spec, variable);
  const vars = { ...usual.vars, ...options.vars };
  return new Provider(what, spec, keys, { ...usual, ...options, vars });
}

function ownEndpoint(env: Environment, what: string, name: string, config: ProviderConfig): Provider {
  const { keys = [], baseUrl, tier, freeOnly, discoverFreeOnly, vars, ...options } = config;
  if (baseUrl === undefined) {
    const names = KNOWN.map((spec) => spec.name).join(', ');
    throw new ConfigError(
      `${what}: freelm knows no provider of this name. For an endpoint of your own, set its baseUrl. Known ones: ${names}.`,
    );
  }
  const foreign = Object.entries({ tier, freeOnly, discoverFreeOnly, vars }).find(
    ([, value]) => value !== undefined,
  );
  if (foreign !== undefined)
    throw new ConfigError(`${what}.${foreign[0]}: an endpoint of your own has none.`);
  // An endpoint without a key gets one that it does not read.
  const inputs = keys.length === 0 ? ['none'] : [...keysFrom(env, what, keys)];
  return new OpenAICompatible(inputs, { ...options, name, baseUrl });
}

function providerOf(env: Environment, name: string, config: unknown): Provider {
  const what = `config.providers.${name}`;
  check(providerSchema, config, what);
  const checked = providerSchema.parse(config);
  const spec = KNOWN.find((known) => known.name === name);
  return spec === undefined ? ownEndpoint(env, what, name, checked) : knownProvider(env, what, spec, checked);
}

/**
 * Reads a parsed configuration file.
 * @param config - The value of the file's JSON. config.schema.json in the package describes it.
 * @param env - Holds the keys. Default `process.env`.
 * @throws ConfigError that names the member that is wrong, or the variable that is not set.
 */
export function readConfig(config: unknown, env: Environment = process.env): Configuration {
  check(outerSchema, config, 'config');
  const { $schema: _, providers, serve = {}, ...options } = outerSchema.parse(config);
  check(serveSchema, serve, 'config.serve');
  const named = Object.entries(providers ?? {}).map(([name, entry]) => providerOf(env, name, entry));
  if (providers !== undefined && named.length === 0)
    throw new ConfigError(
      'config.providers: must not be empty. Leave it out to use the keys in the environment.',
    );
  return {
    options: { ...options, providers: providers === undefined ? providersFromEnv(env) : named },
    serve: serveSchema.parse(serve),
  };
}
