import { isIP } from 'node:net';
import { ConfigError } from '../index.ts';
import type { RequestListener } from './request-reports.ts';

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
  /**
   * The most bytes of all bodies together. A request's body counts from its arrival until its response is complete. Beyond
   * the bound, a body that has been arriving for 5 s gives way (408), or else the new one is refused (503). Default: four
   * times `maxBodyBytes`.
   */
  readonly maxMemoryBytes?: number | undefined;
  /** The most connections. Beyond it, the one that has been idle for longest is closed. Default 1000. */
  readonly maxConnections?: number | undefined;
  /** The most requests under way from one address; the next one gets a 429. Default 256. */
  readonly maxClientRequests?: number | undefined;
  /** How long a request's headers may take to arrive. Default 10 s. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a whole request may take to arrive. Default 60 s. */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * How long a connection may be idle, or a client may read nothing of a response. Default 75 s, which is longer than the
   * usual timeout of clients: if both sides closed a connection at the same moment, a request could be lost.
   */
  readonly idleTimeoutMs?: number | undefined;
  /** How long `close()` waits for running responses. Default 10 s. */
  readonly graceMs?: number | undefined;
  /** A listening socket that this process was started with, by its file descriptor. Used instead of `host` and `port`. */
  readonly fd?: number | undefined;
  /** Receives a report of each request when it is over. It must not throw. */
  readonly onRequest?: RequestListener | undefined;
}

/** The options with their defaults filled in, checked. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly token: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxMemoryBytes: number;
  readonly maxConnections: number;
  readonly maxClientRequests: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly graceMs: number;
  readonly fd: number | undefined;
  readonly onRequest: RequestListener | undefined;
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

/** @throws ConfigError if another machine could use the keys. */
export function checkToken(token: string | undefined, host: string, names: readonly string[]): void {
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

const MAX_MS = 2_147_483_647;

/** The options that are numbers: their defaults and the values that they may have. */
const NUMBERS = {
  port: { usual: 4141, least: 0, most: 65_535 },
  maxBodyBytes: { usual: 32 * 1024 * 1024, least: 0, most: Number.MAX_SAFE_INTEGER },
  maxConnections: { usual: 1000, least: 1, most: Number.MAX_SAFE_INTEGER },
  maxClientRequests: { usual: 256, least: 1, most: Number.MAX_SAFE_INTEGER },
  headersTimeoutMs: { usual: 10_000, least: 1, most: MAX_MS },
  requestTimeoutMs: { usual: 60_000, least: 1, most: MAX_MS },
  idleTimeoutMs: { usual: 75_000, least: 1, most: MAX_MS },
  graceMs: { usual: 10_000, least: 0, most: MAX_MS },
} as const satisfies Partial<Record<keyof GatewayOptions, object>>;

function checkNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(`${name}: must be a whole number from ${least} to ${most}.`);
}

function numberOf(options: GatewayOptions, name: keyof typeof NUMBERS): number {
  const { usual, least, most } = NUMBERS[name];
  return checkNumber(name, options[name] ?? usual, least, most);
}

/** How many of the longest bodies there is room for. */
const LONGEST_BODIES = 4;

function maxMemoryOf({ maxMemoryBytes }: GatewayOptions, maxBodyBytes: number): number {
  if (maxMemoryBytes === undefined) return maxBodyBytes * LONGEST_BODIES;
  return checkNumber('maxMemoryBytes', maxMemoryBytes, maxBodyBytes, Number.MAX_SAFE_INTEGER);
}

/** @throws ConfigError naming the option. */
export function settingsOf(options: GatewayOptions): Settings {
  const { host = '127.0.0.1', token, allowedOrigins = [], allowedHosts = [] } = options;
  const names = allowedHosts.map(checkHostName);
  checkToken(token, host, names);
  const maxBodyBytes = numberOf(options, 'maxBodyBytes');
  return {
    port: numberOf(options, 'port'),
    host: withoutBrackets(host),
    token,
    allowedOrigins: allowedOrigins.map(checkOrigin),
    allowedHosts: names,
    maxBodyBytes,
    maxMemoryBytes: maxMemoryOf(options, maxBodyBytes),
    maxConnections: numberOf(options, 'maxConnections'),
    maxClientRequests: numberOf(options, 'maxClientRequests'),
    headersTimeoutMs: numberOf(options, 'headersTimeoutMs'),
    requestTimeoutMs: numberOf(options, 'requestTimeoutMs'),
    idleTimeoutMs: numberOf(options, 'idleTimeoutMs'),
    graceMs: numberOf(options, 'graceMs'),
    fd: options.fd,
    onRequest: options.onRequest,
  };
}
