/** Runs a call and tells how it ended. */

import type { Call } from '../engine/call.ts';
import { type Engine, failover } from '../engine/failover.ts';
import type { Operation } from '../engine/operation.ts';
import { FreeLMError } from '../errors.ts';
import type { Pool } from './compose.ts';
import type { EndEvent } from './events.ts';

type End = Pick<EndEvent, 'outcome' | 'code' | 'message'>;

function endOf(error: unknown, call: Call<unknown>): End {
  if (FreeLMError.is(error)) return { outcome: 'failed', code: error.code, message: error.message };
  return { outcome: call.signal?.aborted === true ? 'abandoned' : 'failed' };
}

async function* told<Part>(
  pool: Pool,
  call: Call<unknown>,
  parts: AsyncIterable<Part>,
): AsyncGenerator<Part, void> {
  // What it stays if the consumer walks away.
  let end: End = { outcome: 'abandoned' };
  try {
    yield* parts;
    end = { outcome: 'served' };
  } catch (error) {
    end = endOf(error, call);
    throw error;
  } finally {
    pool.emit({ type: 'end', call: call.id, ...end, startedAt: call.startedAt, at: pool.clock.now() });
  }
}

/** The parts of a call's answer as they come. */
export function run<Request, Part>(
  pool: Pool,
  engine: Engine,
  call: Call<Request>,
  operation: Operation<Request, Part>,
): AsyncGenerator<Part, void> {
  const parts = failover(engine, call, operation);
  return pool.listeners.any ? told(pool, call, parts) : parts;
}
