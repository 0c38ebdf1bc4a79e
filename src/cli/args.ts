/** Parsers for the values of options. Commander prints their errors. */

import { InvalidArgumentError } from 'commander';

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

export function wholeNumber(text: string): number {
  const number = numberOf(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError('It must be a whole number, at least 1.');
  }
  return number;
}

const UNITS = ['', 'k', 'm', 'g'];

/** A number of bytes, e.g. `32m`. */
export function byteCount(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([kmg]?)$/i.exec(text.trim()) ?? [];
  const bytes = Number(amount) * 1024 ** UNITS.indexOf(unit.toLowerCase());
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError(
    'It must be a number of bytes, at least 1, or one with k, m or g, e.g. 32m.',
  );
}

export function notNegative(text: string): number {
  const number = numberOf(text);
  if (!Number.isFinite(number) || number < 0) {
    throw new InvalidArgumentError('It must be a number, 0 or more.');
  }
  return number;
}

export function portNumber(text: string): number {
  const number = numberOf(text);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new InvalidArgumentError('It must be a port, 0 to 65535. 0 selects a free port.');
  }
  return number;
}

/** Collects names from a comma-separated list, and from repeated options. */
export function nameChain(text: string, earlier: readonly string[] = []): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('It must name at least one model.');
  return [...earlier, ...names];
}

/** Collects the values of a repeated option. */
export function list(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}
