/**
 * The calls of a queue, in a line for each set of failures that exclude routes for good. What the ledger said of one call holds
 * for those of its line that need at least as much; of a call without such failures, for all lines.
 */

import { type Blocked, Line, type Waiting } from './line.ts';

/** A call in one of the lines. */
export interface InLine extends Waiting {
  /** What its failures exclude for good; '' if nothing. */
  readonly excluded: string;
}

/** The calls that have to wait, by what their failures exclude for good. */
export type BlockedLines = ReadonlyMap<string, Blocked>;

export const NO_LINES: BlockedLines = new Map();

/** Two findings as one: calls that need as much as either have to wait, too. */
function together(one: Blocked | undefined, other: Blocked | undefined): Blocked | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return { until: Math.min(one.until, other.until), size: Math.min(one.size, other.size) };
}

/** Notes that a call has to wait. */
export function addBlocked(lines: Map<string, Blocked>, excluded: string, blocked: Blocked): void {
  lines.set(excluded, together(lines.get(excluded), blocked) ?? blocked);
}

/** What blocks a line. */
function blockedOf(lines: BlockedLines, excluded: string): Blocked | undefined {
  return together(lines.get(''), lines.get(excluded));
}

/** Until when a call has to wait, if it can: monotonic ms. Undefined if the ledger must be asked for it. */
export function blockedUntil(
  lines: BlockedLines,
  { excluded, size, waitUntil }: Omit<InLine, 'order' | 'pauses'>,
): number | undefined {
  const blocked = blockedOf(lines, excluded);
  return blocked !== undefined && size >= blocked.size && waitUntil >= blocked.until
    ? blocked.until
    : undefined;
}

export class Lines<Call extends InLine> {
  readonly #lines = new Map<string, Line<Call>>();

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** Monotonic ms at which the first call stops waiting; Infinity if there is none. */
  get dueAt(): number {
    let dueAt = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) dueAt = Math.min(dueAt, line.dueAt);
    return dueAt;
  }

  has(call: Call): boolean {
    return this.#lines.get(call.excluded)?.has(call) === true;
  }

  /** Adds a call that comes after all others. */
  add(call: Call): void {
    let line = this.#lines.get(call.excluded);
    if (line === undefined) {
      line = new Line();
      this.#lines.set(call.excluded, line);
    }
    line.add(call);
  }

  delete(call: Call): void {
    const line = this.#lines.get(call.excluded);
    line?.delete(call);
    if (line?.size === 0) this.#lines.delete(call.excluded);
  }

  /** Takes note that a call waits for something else now. */
  change(call: Call): void {
    this.#lines.get(call.excluded)?.change(call);
  }

  /** The first call after `order` that stops waiting by `now`, or that is not known to have to wait. */
  next(order: number, now: number, blocked: BlockedLines): Call | undefined {
    let first: Call | undefined;
    for (const [excluded, line] of this.#lines) {
      const found = line.next(order, now, blockedOf(blocked, excluded));
      if (found !== undefined && (first === undefined || found.order < first.order)) first = found;
    }
    return first;
  }

  /** The calls in their order. */
  all(): readonly Call[] {
    const calls = [...this.#lines.values()].flatMap((line) => [...line.calls()]);
    return calls.toSorted((one, other) => one.order - other.order);
  }
}
