import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

interface PendingRequest {
  readonly url: string;
}

/**
 * Watches connections. Cancels attempts that no request needs any more, since undici itself would wait for them.
 * Recognises the errors of connections that were used before.
 */
export class ConnectionAttempts {
  readonly #origins = new Map<Socket, string>();
  /** Requests without an answer yet. */
  readonly #pending = new Set<PendingRequest>();
  /** Errors of connections that had carried an answer before. */
  readonly #stale = new WeakSet<Error>();

  /** Wraps a connector. Connections of a `background` connector do not keep the process alive. */
  watch(connect: buildConnector.connector, background: boolean): buildConnector.connector {
    return (target, done) => {
      const started: unknown = connect(target, (...outcome) => {
        if (started instanceof Socket) this.#origins.delete(started);
        const [, socket] = outcome;
        // undici fails the request with the error of its socket.
        socket?.on('error', (error: Error) => {
          if (socket.bytesRead > 0) this.#stale.add(error);
        });
        done(...outcome);
      });
      if (!(started instanceof Socket)) return;
      this.#origins.set(started, `${target.protocol}//${target.host ?? target.hostname}`);
      if (background) started.unref();
    };
  }

  /** Whether `error` is that of a connection that had carried an answer before. */
  hadAnswered(error: unknown): boolean {
    return error instanceof Error && this.#stale.has(error);
  }

  /** Whether a request has no answer yet. */
  get isPending(): boolean {
    return this.#pending.size > 0;
  }

  /** A request was sent. */
  add(request: PendingRequest): void {
    this.#pending.add(request);
  }

  /** A request was answered or aborted. Cancels attempts that only this request needed. */
  remove(request: PendingRequest): void {
    this.#pending.delete(request);
    if (this.#origins.size === 0) return;
    const { origin } = new URL(request.url);
    const isNeeded = [...this.#pending].some(({ url }) => new URL(url).origin === origin);
    if (!isNeeded) this.#cancel((to) => to === origin);
  }

  /** Cancels all attempts. */
  close(): void {
    this.#cancel(() => true);
  }

  #cancel(matches: (origin: string) => boolean): void {
    for (const [socket, origin] of this.#origins) {
      // undici reacts only to an error.
      if (matches(origin)) socket.destroy(new Error('no request needs the connection any more'));
    }
  }
}
