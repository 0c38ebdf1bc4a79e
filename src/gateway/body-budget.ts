/** Bounds the bytes of all bodies that the endpoint holds at once. */

import { HttpError } from '../http-error.ts';

/** A body that takes longer to arrive gives way if there is no room left. */
const SLOW_MS = 5000;
const RETRY_AFTER = { 'retry-after': '2' };

function noRoom(maxBytes: number): HttpError {
  return new HttpError({
    status: 503,
    code: 'overloaded',
    message: `The requests under way hold ${maxBytes} bytes, which is the most (maxMemoryBytes, --max-memory).`,
    retry: true,
    headers: RETRY_AFTER,
  });
}

function tooSlow(): HttpError {
  return new HttpError({
    status: 408,
    code: 'request_timeout',
    message: 'The body of the request arrived too slowly, and other requests needed its room.',
    retry: true,
    headers: { ...RETRY_AFTER, connection: 'close' },
  });
}

/** The bytes of one request and of its response. They count until they are released. */
export class BodyLease {
  readonly #budget: BodyBudget;
  bytes = 0;
  /** How many bytes of the request's body have arrived in all. */
  receivedBytes = 0;
  /** By the budget's clock, in ms. */
  startedAt = 0;
  /** Stops the body. */
  giveWay: (error: HttpError) => void = () => undefined;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  /** The body begins to arrive. `giveWay` is called if it is too slow and its room is needed. */
  begin(giveWay: (error: HttpError) => void): void {
    this.giveWay = giveWay;
    this.#budget.begin(this);
  }

  /**
   * Counts bytes that arrived.
   * @throws HttpError 503 if there is no room for them.
   */
  grow(bytes: number): void {
    this.receivedBytes += bytes;
    this.#budget.grow(this, bytes);
  }

  /** Counts bytes of the response, which is never refused. */
  hold(bytes: number): void {
    this.#budget.hold(this, bytes);
  }

  /** The body is complete, so it gives way to no other. */
  complete(): void {
    this.#budget.complete(this);
  }

  release(): void {
    this.#budget.release(this);
  }
}

export class BodyBudget {
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** The bodies that are still arriving, in the order in which they began. */
  readonly #arriving = new Set<BodyLease>();
  #heldBytes = 0;

  /** @param now - A monotonic clock, in ms. */
  constructor(maxBytes: number, now: () => number) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  begin(lease: BodyLease): void {
    lease.startedAt = this.#now();
    this.#arriving.add(lease);
  }

  grow(lease: BodyLease, bytes: number): void {
    for (const other of this.#arriving) {
      const isSlow = other !== lease && this.#now() - other.startedAt >= SLOW_MS;
      if (this.#hasRoomFor(bytes) || !isSlow) break;
      this.release(other);
      other.giveWay(tooSlow());
    }
    if (!this.#hasRoomFor(bytes)) throw noRoom(this.#maxBytes);
    this.hold(lease, bytes);
  }

  hold(lease: BodyLease, bytes: number): void {
    lease.bytes += bytes;
    this.#heldBytes += bytes;
  }

  complete(lease: BodyLease): void {
    this.#arriving.delete(lease);
  }

  release(lease: BodyLease): void {
    this.#arriving.delete(lease);
    this.#heldBytes -= lease.bytes;
    lease.bytes = 0;
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#maxBytes;
  }
}
