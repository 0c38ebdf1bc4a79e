/**
 * A body as undici's parser delivers it. It costs a third of a Node stream. The parser delivers each HTTP chunk by itself:
 * pieces of one read of the socket go to the reader together, since each one costs it a turn.
 */

import { turnEnd } from './turn-end.ts';

/** If more bytes than this are unread, the body slows the sender down. */
const MAX_BUFFERED_BYTES = 64 * 1024;

type Piece = IteratorResult<Uint8Array, undefined>;

/** A reader that waits for the next piece. */
interface Reader {
  readonly resolve: (piece: Piece) => void;
  readonly reject: (reason: unknown) => void;
}

/** The connection of a body. */
export interface Connection {
  /** Delivers more after `push` returned false. May call `push` before it returns. */
  resume(): void;
  /** Closes the connection. */
  abort(): void;
}

const NOTHING = new Uint8Array();
const END: Piece = { done: true, value: undefined };
/** How many readers wait for the next piece of their bodies. */
let readers = 0;

/**
 * Takes pieces from the connection and passes them to one reader. A reader that leaves before the end closes the
 * connection.
 */
export class IncomingBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #connection: Connection;
  #pieces: Uint8Array[] = [];
  #bufferedBytes = 0;
  #isPaused = false;
  #reader: Reader | undefined;
  /** No more pieces will arrive. */
  #hasEnded = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Takes a piece. Returns whether the next one is wanted at once. */
  push(piece: Uint8Array): boolean {
    if (this.#hasEnded) return true;
    this.#pieces.push(piece);
    this.#bufferedBytes += piece.byteLength;
    if (this.#reader !== undefined) {
      if (this.#pieces.length === 1) this.#deliverSoon();
      return true;
    }
    this.#isPaused = this.#bufferedBytes >= MAX_BUFFERED_BYTES;
    return !this.#isPaused;
  }

  /** The body is complete. */
  end(): void {
    this.#hasEnded = true;
    if (this.#pieces.length === 0) this.#take()?.resolve(END);
  }

  /** The body has broken off. The reader still gets the pieces that arrived before. */
  fail(reason: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const reader = this.#pieces.length === 0 ? this.#take() : undefined;
    if (reader === undefined) this.#failure = { reason };
    else reader.reject(reason);
  }

  /** The request was aborted. Drops the pieces that arrived before, also if the body is complete. */
  cancel(reason: unknown): void {
    if (this.#hasEnded && this.#pieces.length === 0) return;
    this.#takePieces();
    this.#hasEnded = false;
    this.fail(reason);
  }

  next(): Promise<Piece> {
    if (this.#pieces.length > 0) {
      const value = this.#takePieces();
      if (this.#isPaused && !this.#hasEnded) {
        this.#isPaused = false;
        this.#connection.resume();
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      // oxlint-disable-next-line prefer-promise-reject-errors -- the reason is whatever broke the connection
      return Promise.reject(reason);
    }
    if (this.#hasEnded) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      if (this.#reader === undefined) readers += 1;
      this.#reader = { resolve, reject };
    });
  }

  /** The reader leaves. */
  return(): Promise<Piece> {
    this.#takePieces();
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#connection.abort();
    }
    this.#take()?.resolve(END);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #deliverSoon(): void {
    const deliver = (): void => {
      this.#deliver();
    };
    const others = turnEnd(readers > 1);
    if (others === undefined) queueMicrotask(deliver);
    else void others.then(deliver);
  }

  #deliver(): void {
    if (this.#pieces.length > 0) this.#take()?.resolve({ done: false, value: this.#takePieces() });
  }

  /** Takes all pieces, as one. */
  #takePieces(): Uint8Array {
    const pieces = this.#pieces;
    const [first = NOTHING] = pieces;
    const all = pieces.length > 1 ? Buffer.concat(pieces, this.#bufferedBytes) : first;
    this.#pieces = [];
    this.#bufferedBytes = 0;
    return all;
  }

  #take(): Reader | undefined {
    const reader = this.#reader;
    if (reader !== undefined) readers -= 1;
    this.#reader = undefined;
    return reader;
  }
}
