/** The variables of a `.env` file in the current folder. */

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * What is taken from the file: keys, tiers and which providers are used. Addresses are not: a folder from elsewhere could
 * send the user's own keys to its author. Nor is the permission to spend money.
 */
const TAKEN = /(?:_KEYS?|_TOKENS?|_TIER|_ACCOUNT_ID)$|^FREELM_(?:PROVIDERS|LOCAL|PERSIST|CACHE_TTL)$/;

/** The variables of a text in the form of `.env`, as far as they are taken. */
function variablesIn(text: string): Readonly<Record<string, string>> {
  const variables = Object.entries(parseEnv(text));
  return Object.fromEntries(
    variables.flatMap(([name, value]) => (TAKEN.test(name) && value !== undefined ? [[name, value]] : [])),
  );
}

/** An environment with what `.env` adds to it. What is set in the environment itself counts. */
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
