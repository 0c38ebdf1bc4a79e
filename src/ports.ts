/** The doors to the outside: small structural types of our own, so that every one can be replaced. */

/** Time, in epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. Keeps the process alive unless `background`. */
  after(delayMs: number, callback: () => void, background?: boolean): () => void;
}

/** Header names are lower case; a repeated header is joined with `, `. */
export type Headers = Readonly<Record<string, string>>;

/** What goes on the wire. Only here does a key stand in clear text, in `headers`. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Headers;
  readonly body?: string;
  /** Runs beside the calls and must not keep the process alive. */
  readonly background?: boolean;
}

/** What comes back: the body is pulled, so that a slow reader holds the sender. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Tells when to stop: the part of an `AbortSignal` that is needed here, so that one is taken, and a cheaper one too. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Sends one request. Rejects on connection trouble or when `stop` aborts; never follows a redirect. */
export interface Transport {
  send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** A stored record and its version; `undefined` where nothing is stored, at version 0. */
export interface Versioned {
  readonly version: number;
  readonly value: unknown;
}

/**
 * Where records live. Two operations, no algorithm: reading, and compare-and-swap.
 * A store may answer at once or with a promise.
 */
export interface StateStore {
  read(ids: readonly string[]): readonly Versioned[] | Promise<readonly Versioned[]>;
  /** Stores `next` as the next version if the stored one still is `expectedVersion`; says whether it did. */
  swap(id: string, expectedVersion: number, next: unknown): boolean | Promise<boolean>;
}

/** Where discovered model lists are kept between runs. Never throws: a failing cache is an empty one. */
export interface ModelCache {
  read(id: string): Promise<unknown>;
  write(id: string, value: unknown): Promise<void>;
}
