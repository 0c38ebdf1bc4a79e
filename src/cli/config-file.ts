/** The configuration file of `freelm serve`. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Configuration } from '../index.ts';
import { UsageError } from './exit.ts';
import type { Shell } from './shell.ts';

/** The file that is used if it is in the current folder. */
const DEFAULT_CONFIG = 'freelm.config.json';

export interface ConfigFile extends Configuration {
  readonly path: string;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * The first member that is allowed only in a file that the user named. A file that is found in a folder from elsewhere
 * could otherwise send the user's keys to its author, spend money, or let web pages in.
 */
function untrustedMember(config: unknown): string | undefined {
  if (!isObject(config)) return undefined;
  const { providers, serve, spend } = config;
  if (spend !== undefined && spend !== 'never') return 'spend';
  for (const name of ['host', 'allowedOrigins', 'allowedHosts'])
    if (isObject(serve) && serve[name] !== undefined) return `serve.${name}`;
  for (const [name, entry] of Object.entries(isObject(providers) ? providers : {}))
    for (const member of ['baseUrl', 'vars', 'freeOnly'])
      if (isObject(entry) && entry[member] !== undefined) return `providers.${name}.${member}`;
  return undefined;
}

function parsed(path: string, text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    // Node's message may repeat a part of the file.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line =
      position === undefined ? '' : ` Look at line ${text.slice(0, Number(position)).split('\n').length}.`;
    throw new UsageError(`${path} is not JSON.${line}`);
  }
}

/**
 * Reads the configuration file.
 * @param given - The path that the user named. Default: {@link DEFAULT_CONFIG}, if it exists.
 * @throws UsageError that names the file and what is wrong with it.
 */
export async function readConfigFile(
  given: string | undefined,
  { env, folder }: Pick<Shell, 'env' | 'folder'>,
): Promise<ConfigFile | undefined> {
  const path = given ?? DEFAULT_CONFIG;
  const file = resolve(folder, path);
  if (given === undefined && !existsSync(file)) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new UsageError(`${path} cannot be read (${code}).`);
  }
  const config = parsed(path, text);
  const member = given === undefined ? untrustedMember(config) : undefined;
  if (member !== undefined) {
    throw new UsageError(
      `${path} sets ${member}, which is allowed only in a file that you name explicitly: add --config ${path} if you trust it.`,
    );
  }
  const { ConfigError, readConfig } = await import('../index.ts');
  try {
    return { ...readConfig(config, env), path };
  } catch (error) {
    throw ConfigError.is(error) ? new UsageError(`${path}: ${error.message}`) : error;
  }
}
