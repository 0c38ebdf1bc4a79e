import type { Dispatcher } from 'undici';
import type { Headers, HttpResponse } from '../ports.ts';
import { decodedBody } from './decoded-body.ts';
import { IncomingBody } from './incoming-body.ts';

/** The sender of a request, which receives its answer. */
interface Asker {
  /** Reads raw headers, which are names and values in turn. */
  read(headers: Buffer[]): Headers;
  answered(response: HttpResponse): void;
  /** Called if the request fails, or if the body breaks later. */
  failed(reason: unknown): void;
}

/**
 * One request and its answer, as a dispatcher of undici reports it. `undici.request()` creates a Node stream for the
 * body, which costs more than half as much as the request itself.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #asker: Asker;
  #abort: (() => void) | undefined;
  #body: IncomingBody | undefined;
  #isStopped = false;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Aborts the request once undici has connected. The sender is not told. */
  stop(reason: unknown): void {
    this.#isStopped = true;
    this.#body?.cancel(reason);
    this.#abort?.();
  }

  onConnect(abort: () => void): void {
    this.#abort = abort;
    if (this.#isStopped) abort();
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void): boolean {
    // Interim answers may come before the final one.
    if (status < 200) return true;
    const headers = this.#asker.read(rawHeaders);
    const body = new IncomingBody({ resume, abort: () => this.#abort?.() });
    this.#body = body;
    this.#asker.answered({ status, headers, body: decodedBody(headers, body) });
    return true;
  }

  onData(piece: Uint8Array): boolean {
    return this.#body?.push(piece) ?? true;
  }

  onComplete(): void {
    this.#body?.end();
  }

  onError(error: unknown): void {
    this.#asker.failed(error);
    this.#body?.fail(error);
  }
}
