/** Numbers, durations and times as text. */

const DAY_MS = 86_400_000;
const NUMBER = new Intl.NumberFormat('en');
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const DATE = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

const AMOUNT = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 12 });

/**
 * `0.00 over 1,234 calls`.
 * @param {{ amount: number, calls: number }} bill
 */
export function billText({ amount, calls }) {
  return `${AMOUNT.format(amount)} over ${countText(calls, 'call')}`;
}

/** @param {number} number */
export function numberText(number) {
  return NUMBER.format(number);
}

/**
 * `1 key`, `2 keys`.
 * @param {number} number
 * @param {string} noun
 */
export function countText(number, noun) {
  return `${numberText(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/**
 * A duration rounded up to seconds. Its parts are joined by spaces that do not break.
 * @param {number} ms
 */
export function durationText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const minutes = Math.round(seconds / 60);
  if (seconds < 120) return `${seconds}\u00A0s`;
  if (minutes < 120) return `${minutes}\u00A0min`;
  if (minutes >= 2880) return `${Math.round(minutes / 1440)}\u00A0days`;
  if (minutes >= 600) return `${Math.round(minutes / 60)}\u00A0h`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}\u00A0h${rest === 0 ? '' : `\u00A0${rest}\u00A0min`}`;
}

/**
 * How long something took, to the millisecond where that matters.
 * @param {number} ms
 */
export function latencyText(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}\u00A0ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)}\u00A0s` : durationText(ms);
}

/** @param {number} at */
export function clockText(at) {
  return TIME.format(at);
}

/**
 * A moment by the wall clock, with the day if that is not today's.
 * @param {number} at
 * @param {number} now
 */
export function momentText(at, now) {
  if (new Date(at).toDateString() === new Date(now).toDateString()) return clockText(at);
  return Math.abs(at - now) < 6 * DAY_MS ? WEEKDAY.format(at) : DATE.format(at);
}

/**
 * A future moment, by the wall clock and from now: `12:00:08, in 8 s`.
 * @param {number} at
 * @param {number} now
 */
export function futureText(at, now) {
  return `${momentText(at, now)}, in\u00A0${durationText(at - now)}`;
}

/** @param {string} text */
export function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * The words of an identifier: `rate_limited` becomes `rate limited`.
 * @param {string} code
 */
export function wordsOf(code) {
  return code.replaceAll(/[_-]/g, ' ');
}
