/** What follows in fetching an image: the rules for its URL and for each answer. */

import bounds from '../../../spec/bounds.json' with { type: 'json' };
import { isPublicAddress } from './public-address.ts';

/** The bounds of the images of one request. */
export const IMAGE: Readonly<typeof bounds.image> = bounds.image;

/** The next step, or why there is none. */
export type FetchStep =
  | { readonly kind: 'get'; readonly url: string }
  | { readonly kind: 'read' }
  | { readonly kind: 'refuse'; readonly reason: string };

/** An IP address as a host, without the brackets of IPv6. Decimal, octal and hexadecimal forms are written so by `URL`. */
const ADDRESS = /^(?:[\d.]+|\[[0-9a-f:.]+\])$/;

/** A step before an answer. */
type FirstStep = Exclude<FetchStep, { kind: 'read' }>;

function refuse(reason: string): FirstStep {
  return { kind: 'refuse', reason };
}

/**
 * Whether a URL may be asked for.
 * @param isAllowed - Which addresses may be reached. Default: the public ones.
 */
// spec 12.16
export function firstStep(
  text: string,
  isAllowed: (address: string) => boolean = isPublicAddress,
  base?: string,
): FirstStep {
  if (!URL.canParse(text, base)) return refuse('it has no valid URL');
  const url = new URL(text, base);
  if (url.protocol !== 'https:') return refuse('freelm fetches images by https only');
  if (url.username !== '' || url.password !== '') return refuse('its URL holds a password');
  const { hostname } = url;
  const isAddress = ADDRESS.test(hostname);
  if (isAddress && !isAllowed(hostname.replaceAll(/[[\]]/g, '')))
    return refuse('its host is not a public address');
  url.hash = '';
  return { kind: 'get', url: url.href };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** An answer to a request for an image. */
interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  /** The length that it states, in bytes. */
  readonly length: string | undefined;
}

/**
 * What to do with an answer. A redirect is judged like a first URL.
 * @param redirects - How many redirects were followed before.
 */
// spec 12.16
export function nextStep(
  url: string,
  { status, location, length }: Answer,
  redirects: number,
  isAllowed?: (address: string) => boolean,
): FetchStep {
  if (REDIRECTS.has(status)) {
    if (location === undefined) return refuse(`it redirects to nowhere (HTTP ${status})`);
    if (redirects >= IMAGE.redirects) return refuse(`it redirects more than ${IMAGE.redirects} times`);
    return firstStep(location, isAllowed, url);
  }
  if (status !== 200) return refuse(`its server answered with HTTP ${status}`);
  return Number(length ?? 0) > IMAGE.bytes ? refuse(TOO_LARGE) : { kind: 'read' };
}

/** Why an image that is too large is not read. */
export const TOO_LARGE: string = `it is larger than ${IMAGE.bytes / 1024 / 1024} MiB`;
