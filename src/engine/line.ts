/**
 * Waiting calls in the order of their arrival. A tree over the places knows the least demand in each part of the line, so that
 * the next call that must be asked for is found in logarithmic time.
 */

/** A call that waits, as far as it decides when the ledger must be asked for it. */
export interface Waiting {
  /** Rises with each arrival. */
  readonly order: number;
  /** The length of the request. */
  readonly size: number;
  /** Monotonic ms at which it stops waiting. */
  readonly waitUntil: number;
  /** Whether it is served at `waitUntil` and not before. */
  readonly pauses: boolean;
}

/** Calls of at least this length have to wait until a moment in monotonic ms, if they can. */
export interface Blocked {
  readonly size: number;
  readonly until: number;
}

/** A call from a place on that stops waiting by `now`, or that does not have to wait like those blocked. */
interface Sought extends Blocked {
  readonly from: number;
  readonly now: number;
}

const NOTHING_BLOCKED: Blocked = { size: Number.POSITIVE_INFINITY, until: Number.NEGATIVE_INFINITY };
const LEAST_PLACES = 16;

/** The least values of a part of the line, one for each node of the tree: node 1 is the root, and n has the children 2n, 2n+1. */
type Least = Float64Array;

function leastOf(places: number): Least {
  return new Float64Array(2 * places).fill(Number.POSITIVE_INFINITY);
}

function setLeaf(least: Least, node: number, value: number): void {
  least[node] = value;
  for (let parent = node >> 1; parent > 0; parent >>= 1)
    least[parent] = Math.min(at(least, 2 * parent), at(least, 2 * parent + 1));
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.POSITIVE_INFINITY;
}

export class Line<Call extends Waiting> {
  readonly #placeOf = new Map<Call, number>();
  /** The calls at their places; undefined: the call has left, or none has come. */
  #calls: (Call | undefined)[] = [];
  /** The order of each place, also of calls that have left. */
  #orders = new Float64Array(0);
  #taken = 0;
  /** Of calls that do not pause. */
  #sizes = leastOf(0);
  #untils = leastOf(0);
  /** Of all calls. */
  #dues = leastOf(0);

  get size(): number {
    return this.#placeOf.size;
  }

  /** Monotonic ms at which the first call stops waiting; Infinity if there is none. */
  get dueAt(): number {
    return at(this.#dues, 1);
  }

  has(call: Call): boolean {
    return this.#placeOf.has(call);
  }

  /** Adds a call that comes after all others. */
  add(call: Call): void {
    if (this.#taken === this.#calls.length) this.#rebuild();
    const place = this.#taken;
    this.#taken += 1;
    this.#calls[place] = call;
    this.#orders[place] = call.order;
    this.#placeOf.set(call, place);
    this.#write(place, call);
  }

  delete(call: Call): void {
    const place = this.#placeOf.get(call);
    if (place === undefined) return;
    this.#placeOf.delete(call);
    this.#calls[place] = undefined;
    this.#write(place, undefined);
  }

  /** Takes note that a call waits for something else now. */
  change(call: Call): void {
    const place = this.#placeOf.get(call);
    if (place !== undefined) this.#write(place, call);
  }

  /** The first call after `order` that stops waiting by `now`, or that does not have to wait like `blocked`. */
  next(order: number, now: number, blocked: Blocked = NOTHING_BLOCKED): Call | undefined {
    const sought = { ...blocked, from: this.#placeAfter(order), now };
    const place = this.#find(1, 0, this.#calls.length, sought);
    return place === undefined ? undefined : this.#calls[place];
  }

  /** The calls in their order. */
  calls(): Iterable<Call> {
    return this.#placeOf.keys();
  }

  /** The first place that is sought below a node, whose places are `begin` to `end`. */
  #find(node: number, begin: number, end: number, sought: Sought): number | undefined {
    if (end <= sought.from || !this.#mayHold(node, sought)) return undefined;
    if (end - begin === 1) return begin;
    const middle = (begin + end) >> 1;
    return this.#find(2 * node, begin, middle, sought) ?? this.#find(2 * node + 1, middle, end, sought);
  }

  #mayHold(node: number, { now, size, until }: Sought): boolean {
    return at(this.#dues, node) <= now || at(this.#sizes, node) < size || at(this.#untils, node) < until;
  }

  /** The first place whose call came after `order`. */
  #placeAfter(order: number): number {
    let [low, high] = [0, this.#taken];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(this.#orders, middle) > order) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #write(place: number, call: Call | undefined): void {
    const node = this.#calls.length + place;
    const waits = call?.pauses === false ? call : undefined;
    setLeaf(this.#sizes, node, waits?.size ?? Number.POSITIVE_INFINITY);
    setLeaf(this.#untils, node, waits?.waitUntil ?? Number.POSITIVE_INFINITY);
    setLeaf(this.#dues, node, call?.waitUntil ?? Number.POSITIVE_INFINITY);
  }

  /** Closes the gaps of calls that have left, and makes room for as many again. */
  #rebuild(): void {
    const calls = [...this.#placeOf.keys()];
    let places = LEAST_PLACES;
    while (places < 2 * calls.length) places *= 2;
    this.#calls = Array.from({ length: places });
    this.#orders = new Float64Array(places);
    [this.#sizes, this.#untils, this.#dues] = [leastOf(places), leastOf(places), leastOf(places)];
    this.#taken = 0;
    this.#placeOf.clear();
    for (const call of calls) this.add(call);
  }
}
