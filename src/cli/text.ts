/** Texts as people read them. */

/** Control characters but tab and line break: in an answer they could steer the terminal that shows it. */
const STEERING = /(?![\t\n])[\p{Cc}]/gu;

/** An answer as a terminal may show it. */
export function harmless(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(STEERING, '');
}

/** A span of time, rounded up: `45 s`, `3 min`, `5 h`. */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** `1 key`, `2 keys`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** A text in exactly `width` columns, cut where it is longer. */
export function cell(text: string, width: number): string {
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}

/** A value as JSON that ends in a line break; `indent` for people. */
export function json(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, undefined, indent)}\n`;
}
