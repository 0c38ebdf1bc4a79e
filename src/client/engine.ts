/** The loop's engine over a pool: what it tells, and the errors that it ends with. */

import { routesOf } from '../core/explain.ts';
import type { Call } from '../engine/call.ts';
import { type Engine } from '../engine/failover.ts';
import { Lines } from '../engine/lines.ts';
import type { StreamRoute } from './chat-stream.ts';
import type { Pool } from './compose.ts';
import { brokenError, giveUpError, requestError } from './give-up.ts';
import { questionOf } from './introspection.ts';

/** Who serves each stream now: until a stream has ended, its attempts do not tell. */
export type Serving = WeakMap<Call<unknown>, StreamRoute>;

export function makeEngine(pool: Pool, serving: Serving): Engine {
  const { turns, clock, transport, redact, emit } = pool;
  return {
    clock,
    transport,
    redact,
    stops: new Set(),
    turns,
    lines: new Lines(turns, clock, (call, until) => {
      emit({ type: 'wait', call: call.id, until, at: clock.now() });
    }),
    maskOf: ({ route }) => pool.maskOf(route.provider, route.keyId),
    listener: {
      started: (call, { route }) => {
        const { provider, account, model, keyId } = route;
        if (call.stream !== undefined) {
          serving.set(call, { provider, model, attempts: call.attempts.length + 1 });
        }
        if (!pool.listeners.any) return;
        const key = pool.maskOf(provider, keyId);
        emit({ type: 'attempt', call: call.id, provider, key, account, model, at: clock.now() });
      },
      ended: (call, report) => {
        if (!pool.listeners.any) return;
        emit({ ...report, type: report.outcome === 'success' ? 'success' : 'failure', call: call.id });
        if (report.outcome !== 'unauthorized') return;
        const message = `${report.provider} refused the key ${report.key} as invalid: ${report.message ?? ''}`;
        emit({ type: 'warning', message });
      },
    },
    gaveUp: (call, ending) =>
      giveUpError({
        call,
        ending,
        routes: routesOf(questionOf(pool, call.stages, call.needs, call.choice.turn)),
        models: [call.line],
        now: clock.now(),
        maskOf: ({ provider, keyId }) => pool.maskOf(provider, keyId),
      }),
    broken: brokenError,
    thrown: requestError,
  };
}
