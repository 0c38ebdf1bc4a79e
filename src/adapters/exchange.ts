import type { Dispatcher } from 'undici';
import type { Headers, HttpResponse } from '../ports.ts';
import { decodedBody } from './decoded-body.ts';
import { IncomingBody } from './incoming-body.ts';

/** The one who asked. */
interface Asker {
  /** Reads raw headers, which are names and values in turn. */
  read(headers: Buffer[]): Headers;
  answered(response: HttpResponse): void;
  /** Also called with what breaks the body later. */
  failed(reason: unknown): void;
}

/**
 * One request and its answer, as a dispatcher of undici reports it. `undici.request()` makes a Node stream of the body, which
 * costs more than half as much as the request itself.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #asker: Asker;
  #abort: (() => void) | undefined;
  #body: IncomingBody | undefined;
  #isStopped = false;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Breaks it off, once undici has connected. The asker is told nothing. */
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
