/** Reads the values of options; what they cannot be is said by the parser. */

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
    throw new InvalidArgumentError('It must be a port, 0 to 65535; 0 takes any that is free.');
  }
  return number;
}

/** A name or several between commas, after those of earlier mentions. */
export function nameChain(text: string, earlier: readonly string[] = []): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('It must name at least one model.');
  return [...earlier, ...names];
}

/** A value after those of earlier mentions. */
export function list(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}
