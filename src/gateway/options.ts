import { isIP } from 'node:net';
import { ConfigError } from '../index.ts';

export interface GatewayOptions {
  /** 0 selects a free port. Default 4141. */
  readonly port?: number | undefined;
  /** The address to listen on. Any address but loopback requires a token. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** The API key that clients must send. By default the endpoint requires none. */
  readonly token?: string | undefined;
  /** The origins of web pages that may call the endpoint, e.g. `https://chat.example.org`. Default: only its own page. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Further host names under which clients may call an endpoint on a loopback address, e.g. the name of a tunnel. They
   * require a token, because they let other machines in. Default: none.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The longest request body. Default 32 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** How long `close()` waits for running responses. Default 10 s. */
  readonly graceMs?: number | undefined;
}

/** The options with their defaults filled in, checked. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly token: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly graceMs: number;
}

/** Strips the brackets that enclose an IPv6 address in a URL. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** Whether only this machine can reach a host. */
export function isLoopback(host: string): boolean {
  const bare = withoutBrackets(host.toLowerCase()).replace(/\.$/, '');
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

function checkToken(token: string | undefined, host: string, names: readonly string[]): void {
  if (token !== undefined && !/^[\u0021-\u007E]+$/.test(token)) {
    throw new ConfigError('token: must be printable ASCII without spaces.');
  }
  const exposed = [host, ...names].find((name) => !isLoopback(name));
  if (token === undefined && exposed !== undefined) {
    throw new ConfigError(
      `Anyone who can reach ${exposed === '' ? 'this address' : exposed} could use your keys: set a token (FREELM_TOKEN or freelm serve --token), or listen on 127.0.0.1 only.`,
    );
  }
}

/** Whether a text is an origin as browsers send it: of a site, an extension or a desktop app (`app://obsidian.md`). */
function isOrigin(origin: string): boolean {
  if (!URL.canParse(origin) || origin.includes('*')) return false;
  const url = new URL(origin);
  // The origin of a URL is "null" for every scheme but those of the web.
  return origin === (url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin) && url.host !== '';
}

function checkOrigin(origin: string): string {
  if (isOrigin(origin)) return origin;
  throw new ConfigError(
    `allowedOrigins: "${origin}" is not an origin such as https://chat.example.org. Wildcards are not supported, because any page could then use your keys.`,
  );
}

/** Returns the name as it appears in a URL: in lower case and ASCII. */
function checkHostName(name: string): string {
  const url = URL.canParse(`http://${name}`) ? new URL(`http://${name}`) : undefined;
  if (url?.href === `http://${url?.hostname}/` && !name.includes('*')) return url.hostname.replace(/\.$/, '');
  throw new ConfigError(
    `allowedHosts: "${name}" is not a host name such as llm.example.org, without a scheme, a port, a path or a *.`,
  );
}

function checkNumber(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new ConfigError(`${name}: must be a whole number from 0 to ${max}.`);
}

/** @throws ConfigError naming the option. */
export function settingsOf(options: GatewayOptions): Settings {
  const { port = 4141, host = '127.0.0.1', token, allowedOrigins = [], allowedHosts = [] } = options;
  const { maxBodyBytes = 32 * 1024 * 1024, graceMs = 10_000 } = options;
  checkNumber('port', port, 65_535);
  checkNumber('maxBodyBytes', maxBodyBytes, Number.MAX_SAFE_INTEGER);
  checkNumber('graceMs', graceMs, 2_147_483_647);
  const names = allowedHosts.map(checkHostName);
  checkToken(token, host, names);
  return {
    port,
    host: withoutBrackets(host),
    token,
    allowedOrigins: allowedOrigins.map(checkOrigin),
    allowedHosts: names,
    maxBodyBytes,
    graceMs,
  };
}
