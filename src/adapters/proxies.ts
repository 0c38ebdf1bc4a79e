import { ConfigError } from '../errors.ts';
import { settingIn } from '../providers/setting.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Proxies {
  /** Empty if there is none. */
  readonly httpProxy: string;
  /** Empty if there is none. */
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** undici asks a SOCKS5 proxy to resolve every name, as `socks5h:` demands. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'socks:': 'socks5:',
  'socks5:': 'socks5:',
  'socks5h:': 'socks5:',
};

/**
 * The URL of a proxy from a variable in lower or upper case. Without a protocol it is an HTTP proxy, as in other tools.
 * @throws ConfigError that names the variable but not its value, which may hold a password.
 */
function proxyFrom(env: Environment, lower: string): string {
  const name = settingIn(env, lower) === undefined ? lower.toUpperCase() : lower;
  const text = settingIn(env, name);
  if (text === undefined) return '';
  const advice = 'Set it to e.g. http://127.0.0.1:8080 or socks5://127.0.0.1:1080, or unset it.';
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    throw new ConfigError(`The variable ${name} is not the URL of a proxy. ${advice}`);
  }
  const protocol = PROTOCOLS[url.protocol];
  if (protocol === undefined || url.hostname === '')
    throw new ConfigError(
      `The variable ${name} uses the proxy protocol ${url.protocol}, which freelm does not support. ${advice}`,
    );
  return url.href.replace(url.protocol, protocol);
}

/** The proxies of the environment. Undefined if every request goes out directly. */
// spec 12.5
export function proxiesFrom(env: Environment): Proxies | undefined {
  const noProxy = settingIn(env, 'no_proxy') ?? settingIn(env, 'NO_PROXY') ?? '';
  if (noProxy === '*') return undefined;
  const all = proxyFrom(env, 'all_proxy');
  const httpProxy = proxyFrom(env, 'http_proxy') || all;
  const httpsProxy = proxyFrom(env, 'https_proxy') || all;
  return httpProxy === '' && httpsProxy === '' ? undefined : { httpProxy, httpsProxy, noProxy };
}
