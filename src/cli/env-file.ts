/** The variables of a `.env` file in the current folder. */

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * The variables that freelm takes from the file: keys, tiers and which providers are used. It takes no addresses: a
 * folder from elsewhere could send the user's own keys to its author. It does not take the permission to spend money
 * either.
 */
const TAKEN = /(?:_KEYS?|_TOKENS?|_TIER|_ACCOUNT_ID)$|^FREELM_(?:PROVIDERS|LOCAL|PERSIST|CACHE_TTL)$/;

/** The variables of a text in the form of `.env` that freelm takes. */
function variablesIn(text: string): Readonly<Record<string, string>> {
  const variables = Object.entries(parseEnv(text));
  return Object.fromEntries(
    variables.flatMap(([name, value]) => (TAKEN.test(name) && value !== undefined ? [[name, value]] : [])),
  );
}

/** An environment with the variables that `.env` adds. Variables of the environment itself take precedence. */
export function withEnvFile(
  env: Readonly<Record<string, string | undefined>>,
  path = '.env',
): Readonly<Record<string, string | undefined>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return env;
  }
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { ...env, ...variablesIn(text), ...Object.fromEntries(set) };
}
