/** Whether what a store returned can be read. spec 2.2 */

import { isJsonObject, type JsonObject } from '../json.ts';

function isMoment(value: unknown): boolean {
  return typeof value === 'number';
}

function isBreaker(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { state } = value;
  if (state === 'closed') return true;
  return state === 'open' ? isMoment(value['until']) : state === 'half-open' && isMoment(value['probeUntil']);
}

function isSpent(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => Array.isArray(entry) && entry.every(isMoment));
}

function everyEntry(value: unknown, test: (entry: unknown) => boolean): boolean {
  return isJsonObject(value) && Object.values(value).every(test);
}

function holdsBreaker(value: unknown): boolean {
  return isJsonObject(value) && isBreaker(value['breaker']);
}

function isAccount(record: JsonObject): boolean {
  return (
    everyEntry(record['limiters'], (limiter) => isJsonObject(limiter) && isSpent(limiter['spent'])) &&
    everyEntry(record['models'], isBreaker) &&
    everyEntry(record['keys'], holdsBreaker)
  );
}

/** Whether a record has the members that the decisions rely on. A value of another version is read as empty anyway. */
export function isSoundRecord(value: unknown): boolean {
  if (!isJsonObject(value) || value['v'] !== 1) return true;
  if (!isBreaker(value['breaker'])) return false;
  return 'limiters' in value ? isAccount(value) : everyEntry(value['models'], holdsBreaker);
}
