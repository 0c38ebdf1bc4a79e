/** How an endpoint is set up, checked before it listens. */

import { isIP } from 'node:net';
import { ConfigError } from '../index.ts';

/** The options of an endpoint. */
export interface GatewayOptions {
  /** 0 takes any that is free. Default 4141. */
  readonly port?: number | undefined;
  /** The address to listen at. Anything but this machine's own needs a token. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** What clients have to send as their API key. Default: none is asked for. */
  readonly token?: string | undefined;
  /** Origins of web pages that may call it, e.g. `https://chat.example.org`. Default: only its own page. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * At an address of this machine: further names by which it may be called, e.g. that of a tunnel, through which others
   * reach it: it needs a token. Default: none.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The longest request. Default 32 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** How long answers under way may take once it is closed. Default 10 s. */
  readonly graceMs?: number | undefined;
}

/** The same with everything decided. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly token: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly graceMs: number;
}

/** Without the brackets that an IPv6 address has in a URL. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** Whether nobody but this machine can reach a host. */
export function isLoopback(host: string): boolean {
  const bare = withoutBrackets(host.toLowerCase()).replace(/\.$/, '');
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

function checkToken(token: string | undefined, host: string, names: readonly string[]): void {
  if (token !== undefined && !/^[\u0021-\u007E]+$/.test(token)) {
    throw new ConfigError('token: must be a text without spaces that a header can hold.');
  }
  const open = [host, ...names].find((name) => !isLoopback(name));
  if (token === undefined && open !== undefined) {
    throw new ConfigError(
      `Whoever reaches ${open === '' ? 'this address' : open} could spend your keys: give a token (FREELM_TOKEN or freelm serve --token), or serve 127.0.0.1 alone.`,
    );
  }
}

/** An origin as browsers say it: of a site, or of an extension or a desktop application, e.g. `app://obsidian.md`. */
function isOrigin(origin: string): boolean {
  if (!URL.canParse(origin) || origin.includes('*')) return false;
  const url = new URL(origin);
  // Only those of the web have an origin by the book; of the others, a URL says that they have none.
  return origin === (url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin) && url.host !== '';
}

function checkOrigin(origin: string): string {
  if (isOrigin(origin)) return origin;
  throw new ConfigError(
    `allowedOrigins: "${origin}" is no origin such as https://chat.example.org. There is no wildcard: any page could spend your keys.`,
  );
}

/** A name as it stands in a URL: in small letters, and in ASCII. */
function checkHostName(name: string): string {
  const url = URL.canParse(`http://${name}`) ? new URL(`http://${name}`) : undefined;
  if (url?.href === `http://${url?.hostname}/` && !name.includes('*')) return url.hostname.replace(/\.$/, '');
  throw new ConfigError(
    `allowedHosts: "${name}" is no name such as llm.example.org, without a scheme, a port, a path or a *.`,
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
