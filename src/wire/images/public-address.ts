/** Which addresses of the internet are public: a request from outside must not reach any other. */

/** The parts of an address: the bytes of IPv4, or the groups of 16 bits of IPv6. */
type Parts = readonly number[];

/** Blocks of IPv4 that are not public, as in the special-purpose registry of IANA (RFC 6890, read 2026-11). */
const SPECIAL_V4: readonly (readonly [block: Parts, bits: number])[] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 0, 2, 0], 24],
  [[192, 31, 196, 0], 24],
  [[192, 52, 193, 0], 24],
  [[192, 88, 99, 0], 24],
  [[192, 168, 0, 0], 16],
  [[192, 175, 48, 0], 24],
  [[198, 18, 0, 0], 15],
  [[198, 51, 100, 0], 24],
  [[203, 0, 113, 0], 24],
  // Multicast, reserved, broadcast.
  [[224, 0, 0, 0], 3],
];
const GLOBAL_V6: Parts = [0x2000];
/** Blocks of IPv6 within 2000::/3 that are not public: Teredo and others, documentation, 6to4, the block for AS112. */
const SPECIAL_V6: readonly (readonly [block: Parts, bits: number])[] = [
  [[0x2001, 0], 23],
  [[0x2001, 0x0db8], 32],
  [[0x2002], 16],
  [[0x2620, 0x004f, 0x8000], 48],
  [[0x3fff, 0], 20],
];
/** Addresses that stand for one of IPv4, in their last 32 bits: mapped ones, and those of NAT64. */
const WITH_V4: readonly Parts[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x0064, 0xff9b, 0, 0, 0, 0],
];

const GROUPS = 8;
const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const V6 = /^[0-9a-f:]{2,39}$/;

function v4Of(text: string): Parts | undefined {
  return V4.test(text) ? text.split('.').map(Number) : undefined;
}

/** The groups of half an address; undefined if one is none. */
function groupsOf(text: string): Parts | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

/** An address that ends in four bytes, with these as two groups. Any other text becomes no address. */
function withoutDots(text: string): string {
  const last = text.lastIndexOf(':') + 1;
  const bytes = v4Of(text.slice(last));
  if (bytes === undefined) return '';
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return `${text.slice(0, last)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function v6Of(text: string): Parts | undefined {
  const plain = text.includes('.') ? withoutDots(text) : text;
  const halves = plain.split('::');
  if (!V6.test(plain) || halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = GROUPS - head.length - (tail?.length ?? 0);
  if (halves.length === 1) return missing === 0 ? head : undefined;
  return missing < 1 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
}

/** Whether an address begins with the first `bits` of a block, whose missing parts are 0. */
function isIn(address: Parts, block: Parts, bits: number, width: number): boolean {
  return address.every((part, index) => {
    const counted = Math.min(Math.max(bits - index * width, 0), width);
    const step = 2 ** (width - counted);
    return Math.floor(part / step) === Math.floor((block[index] ?? 0) / step);
  });
}

function isPublicV4(address: Parts): boolean {
  return !SPECIAL_V4.some(([block, bits]) => isIn(address, block, bits, 8));
}

function isPublicV6(address: Parts): boolean {
  if (WITH_V4.some((prefix) => isIn(address, prefix, 96, 16))) {
    const [high = 0, low = 0] = address.slice(-2);
    return isPublicV4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
  }
  return (
    isIn(address, GLOBAL_V6, 3, 16) && !SPECIAL_V6.some(([block, bits]) => isIn(address, block, bits, 16))
  );
}

/**
 * Whether a text is the address of a public host: none that is private, shared, link-local, of this machine, multicast or
 * reserved, also within an address of IPv6. Any other text is not public.
 */
// spec 12.16
export function isPublicAddress(text: string): boolean {
  const v4 = v4Of(text);
  if (v4 !== undefined) return isPublicV4(v4);
  const v6 = v6Of(text.toLowerCase());
  return v6 !== undefined && isPublicV6(v6);
}
