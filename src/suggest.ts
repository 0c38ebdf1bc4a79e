/** Finds what a mistyped name was meant to be. */

/** The most differences between two names that are taken for the same. */
const MAX_DISTANCE = 2;
/** Longer names are compared no further, and are no typing mistakes. */
const MAX_LENGTH = 40;

/** Names that other libraries, and freelm for Python, have for the same thing. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['abortsignal', 'signal'],
  ['apikey', 'key'],
  ['apikeys', 'keys'],
  ['httpclient', 'fetch'],
  ['maxoutputtokens', 'max_tokens'],
  ['maxretries', 'maxAttempts'],
  ['maxsteps', 'maxTurns'],
  ['retries', 'maxAttempts'],
  ['stopsequences', 'stop'],
]);

function plain(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, '');
}

/** How many letters must be added, left out, replaced or swapped with the next to make one name the other. */
function distance(from: string, to: string): number {
  let before: readonly number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const costs = [
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        ...(isSwapped ? [(before[column - 2] ?? 0) + 1] : []),
      ];
      next.push(Math.min(...costs));
    }
    before = last;
    last = next;
  }
  return last[to.length] ?? 0;
}

/** The known name that `name` stands for: written otherwise, without its unit, called so elsewhere, or mistyped. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const asked = plain(name);
  const elsewhere = ELSEWHERE.get(asked);
  if (elsewhere !== undefined && known.includes(elsewhere)) return elsewhere;
  const same = known.find((one) => plain(one) === asked || plain(one) === `${asked}ms`);
  if (same !== undefined) return same;
  const ranked = known
    .map((one) => ({ one, distance: distance(asked, plain(one)) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  // Short names have too many neighbours.
  return best !== undefined && best.distance <= Math.min(MAX_DISTANCE, asked.length / 3)
    ? best.one
    : undefined;
}

/** A sentence that says what unknown names may have been meant to be; empty if nothing is similar. */
export function suggestions(names: readonly string[], known: readonly string[]): string {
  const found = [...new Set(names.flatMap((name) => suggestion(name, known) ?? []))];
  if (found.length === 0) return '';
  const inMs = found.some((name) => name.endsWith('Ms')) ? ' Times are in milliseconds.' : '';
  return ` Did you mean ${found.map((name) => `"${name}"`).join(', ')}?${inMs}`;
}
