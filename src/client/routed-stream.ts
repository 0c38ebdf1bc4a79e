import type { Route } from '../core/pool.ts';
import type { Call } from '../engine/call.ts';
import type { StreamBatch } from '../engine/chat-stream.ts';
import type { StreamOperation } from '../engine/operation.ts';
import type { Calls, Turn } from './calls.ts';
import { ChatStream } from './chat-stream.ts';
import type { ChatOptions } from './options.ts';
import type { Pool } from './pool.ts';
import { toResponse } from './response.ts';

/** A stream, and the route that served it. */
export interface RoutedStream {
  readonly stream: ChatStream;
  readonly lastRoute: () => Route | undefined;
}

interface StreamParts {
  readonly pool: Pool;
  readonly calls: Calls;
  /** Aborts when the pool is closed. */
  readonly closing: AbortSignal;
}

interface StreamQuestion<Request> {
  readonly operation: StreamOperation<Request, StreamBatch>;
  /** The request, once its images have been read. */
  readonly prepared: () => Request | Promise<Request>;
  readonly turn: Turn | undefined;
}

/** A stream whose call begins when it is read. */
export function routedStream<Request>(
  { pool, calls, closing }: StreamParts,
  { operation, prepared, turn }: StreamQuestion<Request>,
  options: ChatOptions,
): RoutedStream {
  let call: Call<Request> | undefined;
  const stream = new ChatStream(
    {
      route() {
        if (call?.target === undefined) return undefined;
        const { provider, model } = call.target.route;
        return { provider, model, attempts: call.attemptCount };
      },
      // No generator of its own: V8 keeps one that is made anew for each call, and all that it refers to, for long.
      async begin(signal) {
        signal.throwIfAborted();
        const request = await prepared();
        const needs = operation.needs(request);
        call = await calls.begin({ operation: 'stream', request, needs, turn }, { ...options, signal });
        return calls.stream(call, operation);
      },
      respond(answer, raw) {
        if (call === undefined) throw new Error('a stream ended before it began');
        return toResponse(call, { ...answer, raw }, pool.clock.monotonicMs());
      },
    },
    options.signal === undefined ? [closing] : [closing, options.signal],
  );
  return { stream, lastRoute: () => call?.target?.route };
}
