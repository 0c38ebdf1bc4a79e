/** A request without a complete response, and what it reports when it is over. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FreeLLM } from '../index.ts';
import type { BodyLease } from './body-budget.ts';
import { type CallNote, emptyNote, type RequestReport, routeOf, shownPath } from './request-reports.ts';

/** A pool, and how many requests it is serving. */
export class PoolUse {
  readonly llm: FreeLLM;
  #requests = 0;
  #whenIdle: (() => void) | undefined;

  constructor(llm: FreeLLM) {
    this.llm = llm;
  }

  begin(): void {
    this.#requests += 1;
  }

  end(): void {
    this.#requests -= 1;
    if (this.#requests === 0) this.#whenIdle?.();
  }

  /** Resolves when the pool serves no request. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
      if (this.#requests === 0) resolve();
    });
  }
}

export interface ExchangeInit {
  readonly message: IncomingMessage;
  readonly pool: PoolUse;
  readonly lease: BodyLease;
  /** A monotonic clock, in ms. */
  readonly nowMs: () => number;
  /** Notes that the request's connection carries one request less. */
  readonly endOnConnection: () => void;
}

export class Exchange {
  readonly id: string = `req_${randomUUID().replaceAll('-', '')}`;
  /** Aborts the request's call. */
  readonly controller: AbortController = new AbortController();
  readonly note: CallNote;
  readonly lease: BodyLease;
  readonly pool: PoolUse;
  readonly path: string;
  readonly route: string;
  /** The id that the response carries. */
  responseId: string | undefined;
  /** The code of the error that the request was refused with. */
  code: string | undefined;
  readonly #init: ExchangeInit;
  readonly #startedMs: number;
  readonly #writtenBefore: number;

  constructor(init: ExchangeInit) {
    const { message, pool, lease, nowMs } = init;
    this.#init = init;
    this.pool = pool;
    this.lease = lease;
    this.path = shownPath(message.url ?? '/');
    this.route = routeOf(this.path);
    this.note = emptyNote(this.route);
    this.#startedMs = nowMs();
    this.#writtenBefore = message.socket.bytesWritten;
    pool.begin();
  }

  /** Whether the request is meant to become a call. */
  get isForCall(): boolean {
    return this.#init.message.method === 'POST' && /^\/(?:v1|api)\//.test(this.route);
  }

  /** Releases what the request holds. To be called once. */
  end(): void {
    this.lease.release();
    this.#init.endOnConnection();
    this.pool.end();
  }

  /** What became of it. */
  report(response: ServerResponse): RequestReport {
    const { message, nowMs } = this.#init;
    const { model, provider, servedModel, attempts, usage, code } = this.note;
    return {
      id: this.responseId ?? this.id,
      method: message.method ?? '',
      path: this.path,
      route: this.route,
      status: response.headersSent ? response.statusCode : undefined,
      isComplete: response.writableFinished,
      durationMs: nowMs() - this.#startedMs,
      bytesReceived: this.lease.receivedBytes,
      bytesSent: message.socket.bytesWritten - this.#writtenBefore,
      model,
      provider,
      servedModel,
      attempts,
      usage,
      code: code ?? this.code,
    };
  }
}
