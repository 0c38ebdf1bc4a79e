/** Bounds the connections of the endpoint, and the requests that one client has under way. */

import type { Socket } from 'node:net';
import { HttpError } from '../http-error.ts';

function tooMany(max: number): HttpError {
  return new HttpError({
    status: 429,
    code: 'too_many_requests',
    message: `This address has ${max} requests under way, which is the most (maxClientRequests, --max-client-requests).`,
    retry: true,
    headers: { 'retry-after': '1' },
  });
}

export interface ConnectionBounds {
  readonly maxConnections: number;
  /** The most requests under way from one address. */
  readonly maxClientRequests: number;
}

/** The open connections. A connection is idle while it carries no request. */
export class Connections {
  readonly #bounds: ConnectionBounds;
  /** The longest idle first. */
  readonly #idle = new Set<Socket>();
  /** How many requests each of the other connections carries. A client may send several at once. */
  readonly #busy = new Map<Socket, number>();
  readonly #requestsByAddress = new Map<string, number>();

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  isBusy(socket: Socket): boolean {
    return this.#busy.has(socket);
  }

  /** Adds a connection. If there are too many, the one that has been idle for longest is closed: this one, if all others are busy. */
  add(socket: Socket): void {
    this.#idle.add(socket);
    if (this.size <= this.#bounds.maxConnections) return;
    const [longestIdle] = this.#idle;
    longestIdle?.destroy();
    if (longestIdle !== undefined) this.#idle.delete(longestIdle);
  }

  remove(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }

  closeIdle(): void {
    for (const socket of this.#idle) socket.destroy();
  }

  /**
   * Notes that a connection carries one more request.
   * @returns Notes that the request has ended.
   */
  begin(socket: Socket): () => void {
    const address = socket.remoteAddress ?? '';
    this.#idle.delete(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    this.#requestsByAddress.set(address, this.#requestsOf(address) + 1);
    return () => {
      this.#end(socket, address);
    };
  }

  /** @throws HttpError 429 if a client has more requests under way than it may. */
  check(socket: Socket): void {
    const { maxClientRequests } = this.#bounds;
    if (this.#requestsOf(socket.remoteAddress ?? '') > maxClientRequests) throw tooMany(maxClientRequests);
  }

  #requestsOf(address: string): number {
    return this.#requestsByAddress.get(address) ?? 0;
  }

  #end(socket: Socket, address: string): void {
    const others = this.#requestsOf(address) - 1;
    if (others > 0) this.#requestsByAddress.set(address, others);
    else this.#requestsByAddress.delete(address);
    const requests = this.#busy.get(socket);
    if (requests === undefined) return;
    if (requests > 1) {
      this.#busy.set(socket, requests - 1);
      return;
    }
    this.#busy.delete(socket);
    this.#idle.add(socket);
  }
}
