/** Whether what a store returned can be read. spec 2.2 */

import { isJsonObject, type JsonObject } from '../json.ts';

type Test = (value: unknown) => boolean;

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function optional(test: Test): Test {
  return (value) => value === undefined || test(value);
}

function listOf(test: Test): Test {
  return (value) => Array.isArray(value) && value.every(test);
}

function entriesOf(test: Test): Test {
  return (value) => isJsonObject(value) && Object.values(value).every(test);
}

/** An object whose members pass their tests. It may have others. */
function withMembers(tests: Readonly<Record<string, Test>>): Test {
  const all = Object.entries(tests);
  return (value) => isJsonObject(value) && all.every(([name, test]) => test(value[name]));
}

const someNumber = optional(isNumber);
const someTexts = optional(listOf(isText));

const hasTrips = withMembers({ trips: isNumber, generation: isNumber, failureRate: someNumber });
const isClosed = withMembers({ failures: isNumber });
const isOpen = withMembers({
  reason: isText,
  at: someNumber,
  avoidUntil: someNumber,
  failures: someNumber,
  since: someNumber,
});

function isBreaker(value: unknown): boolean {
  if (!isJsonObject(value) || !hasTrips(value)) return false;
  const { state, until, probeUntil } = value;
  if (state === 'closed') return isClosed(value);
  return isOpen(value) && isNumber(state === 'open' ? until : state === 'half-open' ? probeUntil : undefined);
}

const isSpent = listOf((entry) => Array.isArray(entry) && entry.length === 2 && entry.every(isNumber));
const isLearnt = withMembers({ max: isNumber, at: isNumber, run: someNumber });

const isLimiter = withMembers({
  spent: isSpent,
  refused: optional(isSpent),
  fullAt: someNumber,
  tried: optional(withMembers({ at: isNumber, from: isNumber })),
  doubt: optional(
    withMembers({
      max: isNumber,
      model: isText,
      at: isNumber,
      before: optional(isLearnt),
      times: someNumber,
    }),
  ),
  full: optional(withMembers({ since: isNumber, until: isNumber })),
  learnt: optional(isLearnt),
  margin: optional(withMembers({ ms: isNumber, at: isNumber })),
  pace: optional(
    withMembers({
      at: isNumber,
      since: isNumber,
      sent: isNumber,
      served: isNumber,
      shown: optional(
        withMembers({ max: isNumber, spanMs: isNumber, usedUp: isNumber, refused: someNumber }),
      ),
    }),
  ),
});

const isKey = withMembers({
  breaker: isBreaker,
  billed: optional(withMembers({ amount: isNumber, calls: isNumber })),
  lastError: optional(withMembers({ kind: isText, message: isText, at: isNumber, model: isText })),
  latencyMs: someNumber,
});

const isAccount = withMembers({
  since: someNumber,
  breaker: isBreaker,
  limiters: entriesOf(isLimiter),
  models: entriesOf(isBreaker),
  keys: entriesOf(isKey),
});

const isModel = withMembers({
  breaker: isBreaker,
  refuses: someTexts,
  lacks: someTexts,
  tooLong: someNumber,
  ctx: someNumber,
  maxOutput: someNumber,
  dislikes: optional(listOf(withMembers({ features: listOf(isText), at: isNumber }))),
  learntAt: someNumber,
  billed: someNumber,
});

const isProvider = withMembers({
  bills: someNumber,
  breaker: isBreaker,
  keys: someTexts,
  models: entriesOf(isModel),
  merged: optional(entriesOf(withMembers({ into: isText, at: isNumber }))),
  identities: optional(entriesOf(isText)),
  suspicions: optional(
    entriesOf(listOf(withMembers({ account: isText, used: isNumber, max: isNumber, at: isNumber }))),
  ),
});

/** Records that were found sound: most reads return one that was read before, and records are never changed in place. */
const sound = new WeakSet<JsonObject>();

/** Whether a record has the members that the decisions rely on. A value of another version is read as empty anyway. */
export function isSoundRecord(value: unknown): boolean {
  if (!isJsonObject(value) || value['v'] !== 1 || sound.has(value)) return true;
  const isSound = 'limiters' in value ? isAccount(value) : isProvider(value);
  if (isSound) sound.add(value);
  return isSound;
}
