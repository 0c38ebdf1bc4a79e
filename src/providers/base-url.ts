/** The base URL of a provider: the placeholders, the checks, and the addresses of local servers. */

import { ConfigError } from '../errors.ts';
import { settingIn, tidySetting } from './setting.ts';
import type { UrlVariable } from './spec.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
/** A server listens on these to be reached at every address; no client can connect to them. */
const ANY_ADDRESS = /^(0\.0\.0\.0|\[::\])$/;

/** The value of a part of the base URL in the environment. */
export function variableFrom(env: Environment, { env: names }: UrlVariable): string | undefined {
  return names.map((name) => settingIn(env, name)).find((value) => value !== undefined);
}

function isWhole(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(value);
}

export interface UrlValues {
  readonly variables: Readonly<Record<string, UrlVariable>>;
  readonly given: Readonly<Record<string, string>>;
  /** Read for values that are not given. */
  readonly env: Environment;
}

/**
 * Replaces each `{name}` of a base URL.
 * @throws ConfigError naming the option and the environment variable to set or to correct.
 */
export function fillTemplate(what: string, template: string, { variables, given, env }: UrlValues): string {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(variables, name));
  if (unknown !== undefined) throw new ConfigError(`${what} options.vars has no member "${unknown}".`);
  let filled = template;
  for (const [name, variable] of Object.entries(variables)) {
    const slot = `{${name}}`;
    if (!template.includes(slot)) continue;
    const found = given[name];
    const value = (found === undefined ? undefined : tidySetting(found)) ?? variableFrom(env, variable);
    const where = `${variable.env.join(' or ')}, or pass vars: { ${name}: '…' }`;
    if (value === undefined) throw new ConfigError(`${what} needs ${variable.title}. Set ${where}.`);
    if (!isWhole(variable.pattern, value)) {
      throw new ConfigError(`${what}: "${value}" is not ${variable.title}. Correct ${where}.`);
    }
    filled = filled.replaceAll(slot, value);
  }
  return filled;
}

/**
 * Checks a base URL and removes its trailing slash.
 * @throws ConfigError if it is no URL, can hold a secret, or is plain http to another machine.
 */
export function readBaseUrl(what: string, baseUrl: string, allowInsecureHttp: boolean): string {
  let url: URL;
  try {
    url = new URL(tidySetting(baseUrl));
  } catch {
    throw new ConfigError(
      `${what}: baseUrl is not a URL. Pass a complete one, e.g. https://api.example.com/v1.`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigError(
      `${what}: baseUrl must not contain a user, a password, a query or a fragment. Pass keys as the keys argument.`,
    );
  }
  const insecure = url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowInsecureHttp;
  if (insecure || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ConfigError(
      `${what}: baseUrl must use https:. Plain http: is accepted for this machine (127.0.0.1, localhost), or anywhere with allowInsecureHttp: true.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** The paths that users paste with the base URL. */
const ENDPOINT = /\/(?:chat\/completions|completions|responses|embeddings|models)$/i;

/** The base URL in a URL that leads to one endpoint of the API. */
// spec 15.5
export function withoutEndpoint(url: string): string {
  return url.replace(ENDPOINT, '').replace(/\/+$/, '');
}

/**
 * Reads the address of a local server from a variable such as `OLLAMA_HOST`: `host`, `host:port`, or a URL with or
 * without the path of the API. Missing parts come from `standard`.
 * @throws ConfigError naming the variable.
 */
// spec 15.1
export function localBaseUrl(variable: string, value: string, standard: string): string {
  const { port, pathname } = new URL(standard);
  const hasScheme = HAS_SCHEME.test(value);
  let url: URL;
  try {
    url = new URL(hasScheme ? value : `http://${value.startsWith(':') ? `127.0.0.1${value}` : value}`);
  } catch {
    throw new ConfigError(
      `${variable} is not an address. Set it to 127.0.0.1:${port} or ${standard}, for example.`,
    );
  }
  if (!hasScheme && url.port === '' && !value.endsWith(':80')) url.port = port;
  if (ANY_ADDRESS.test(url.hostname)) url.hostname = '127.0.0.1';
  if (url.pathname === '/') url.pathname = pathname;
  return url.href;
}
