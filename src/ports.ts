/** The interfaces of freelm to the outside world, as small structural types. Each can be replaced. */

/** The time and timers. */
export interface Clock {
  /**
   * The wall clock, in epoch milliseconds. Use it for moments, not for spans: it may be set forwards or backwards at
   * any time.
   */
  now(): number;
  /** Milliseconds since any fixed moment. It never jumps, so freelm measures spans and deadlines with it. */
  monotonicMs(): number;
  /**
   * Calls `callback` once after `delayMs`. The returned function cancels it. Keeps the process alive unless
   * `background`.
   */
  after(delayMs: number, callback: () => void, background?: boolean): () => void;
  /**
   * Long work calls this between its steps. If the process has been busy for too long, it returns a promise to wait
   * for, so that timers and other calls can run. Default: work is never interrupted.
   */
  yieldIfBusy?(): Promise<void> | undefined;
}

/** HTTP headers. Names are in lower case, and a repeated header is joined with `, `. */
export type Headers = Readonly<Record<string, string>>;

/** A request to a provider. Its `headers` are the only place with a key in clear text. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Headers;
  readonly body?: string;
  /** Whether it is background work, which must not keep the process alive. */
  readonly background?: boolean;
}

/** An answer. The body is read on demand, so that a slow reader slows the sender down. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The part of `AbortSignal` that freelm uses. A cheaper signal than an `AbortSignal` can implement it. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Sends requests. `send` rejects if the connection fails or `stop` aborts. It does not follow redirects. */
export interface Transport {
  send(request: HttpRequest, stop: StopSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** Reads images for providers that fetch none themselves. */
export interface ImageSource {
  /**
   * The images at some https URLs, in their order. Rejects with an error whose message says what is wrong with one of
   * them. If `signal` aborts, rejects with its reason.
   */
  fetch(urls: readonly string[], signal: AbortSignal): Promise<readonly Uint8Array[]>;
  close(): void;
}

/** A stored record and its version. If nothing is stored, the value is `undefined` and the version 0. */
export interface Versioned {
  readonly version: number;
  readonly value: unknown;
}

/**
 * Stores the records of accounts and providers. It only reads, and compares and swaps. A store may answer at once or with a
 * promise.
 */
export interface StateStore {
  read(ids: readonly string[]): readonly Versioned[] | Promise<readonly Versioned[]>;
  /** Stores `next` as the next version if `expectedVersion` is the stored one. Returns whether it did. */
  swap(id: string, expectedVersion: number, next: unknown): boolean | Promise<boolean>;
  /**
   * How far the store's own clock is ahead of this machine's now, in ms. freelm then writes the times of the store's
   * clock into records, so machines whose clocks differ can share them. Default 0.
   */
  readonly clockOffsetMs?: number | undefined;
  /**
   * How often, in ms, a waiting call reads the changes of other processes. Default: never, for a store of one process.
   */
  readonly pollMs?: number | undefined;
}

/** Keeps discovered model lists between runs. Must not throw: a cache that fails reads as empty. */
export interface ModelCache {
  read(id: string): Promise<unknown>;
  write(id: string, value: unknown): Promise<void>;
}

/**
 * Keeps texts for a while, for all processes of a user. Must not throw: a text that cannot be written or read counts as
 * missing.
 */
export interface TextArchive {
  /** @param expiresAt - Epoch ms. Returns whether the text is kept. */
  write(id: string, text: string, expiresAt: number): boolean;
  /** Undefined if the text was not kept, has expired, was removed, or made room for others. */
  read(id: string): string | undefined;
  has(id: string): boolean;
  /** Returns whether the text was there. */
  remove(id: string): boolean;
}
