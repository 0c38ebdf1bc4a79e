/** The metrics of the endpoint and of its pool, for GET /metrics. */

import { type ExplainRow, type FreeLLMEvent, type HealthRow, ModelNotFoundError, VERSION } from '../index.ts';
import { Counter, gauge, Histogram } from './prometheus.ts';
import type { RequestReport } from './request-reports.ts';

/** In seconds. */
const BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** The part of a `FreeLLM` that the metrics read. */
export interface MetricsSource {
  health(): readonly HealthRow[];
  explain(): readonly ExplainRow[];
}

/** What the endpoint holds at the moment. */
export interface Load {
  readonly requests: number;
  readonly connections: number;
  readonly bodyBytes: number;
}

type KeyState = 'ready' | 'resting' | 'down' | 'disabled';

function stateOf({ ready, disabled, breaker }: HealthRow): KeyState {
  if (ready) return 'ready';
  if (disabled) return 'disabled';
  return breaker === 'open' ? 'down' : 'resting';
}

function single(name: string, help: string, value: number): readonly string[] {
  return gauge(name, help, [[{}, value]]);
}

/** How many keys of each provider are in each state. */
function keyCounts(rows: readonly HealthRow[]): Parameters<typeof gauge>[2] {
  const counts = new Map<string, Record<KeyState, number>>();
  for (const row of rows) {
    const count = counts.get(row.provider) ?? { ready: 0, resting: 0, down: 0, disabled: 0 };
    count[stateOf(row)] += 1;
    counts.set(row.provider, count);
  }
  return [...counts].flatMap(([provider, states]) =>
    Object.entries(states).map(([state, count]) => [{ provider, state }, count] as const),
  );
}

/** The routes that a call of the pool's own model could take now. A pool without that model has none. */
function readyRoutes(pool: MetricsSource): number {
  try {
    return pool.explain().filter(({ ready }) => ready).length;
  } catch (error) {
    if (error instanceof ModelNotFoundError) return 0;
    throw error;
  }
}

/** Counts since the endpoint was started. A change of the pool does not reset them. */
export class Metrics {
  readonly #requests = new Counter(
    'freelm_http_requests_total',
    'Requests by route and status. The status is "aborted" if the client disconnected early.',
    ['method', 'route', 'status'],
  );
  readonly #durations = new Histogram(
    'freelm_http_request_duration_seconds',
    'The time from the headers of a request to the end of its response.',
    ['route'],
    BUCKETS,
  );
  readonly #calls = new Counter(
    'freelm_calls_total',
    'Calls by outcome. Provider and model are those that answered.',
    ['provider', 'model', 'outcome'],
  );
  readonly #attempts = new Counter('freelm_attempts_total', 'Requests to providers by outcome.', [
    'provider',
    'outcome',
  ]);
  readonly #tokens = new Counter('freelm_tokens_total', 'Tokens that providers reported.', [
    'provider',
    'model',
    'kind',
  ]);
  readonly #waiting = new Set<number>();

  readonly noteEvent = (event: FreeLLMEvent): void => {
    if (event.type === 'wait') this.#waiting.add(event.call);
    else if (event.type === 'attempt-start') this.#waiting.delete(event.call);
    else if (event.type === 'attempt-end') this.#noteAttempt(event);
    else if (event.type === 'call-end') {
      this.#waiting.delete(event.call);
      this.#calls.add([event.provider ?? '', event.model ?? '', event.code ?? event.outcome]);
    }
  };

  readonly noteRequest = ({ method, route, status, isComplete, durationMs }: RequestReport): void => {
    const outcome = isComplete && status !== undefined ? String(status) : 'aborted';
    // A method that no route takes may be any text.
    const known = ['GET', 'HEAD', 'POST', 'OPTIONS'].includes(method) ? method : 'other';
    this.#requests.add([known, route, outcome]);
    this.#durations.observe([route], durationMs / 1000);
  };

  /** The page of GET /metrics. */
  text(pool: MetricsSource, { requests, connections, bodyBytes }: Load): string {
    const lines = [
      ...gauge('freelm_build_info', 'The version of freelm.', [[{ version: VERSION }, 1]]),
      ...this.#requests.lines(),
      ...this.#durations.lines(),
      ...this.#calls.lines(),
      ...this.#attempts.lines(),
      ...this.#tokens.lines(),
      ...gauge('freelm_keys', 'Keys by state.', keyCounts(pool.health())),
      ...single('freelm_routes_ready', 'Routes that can serve a call now.', readyRoutes(pool)),
      ...single('freelm_calls_waiting', 'Calls that wait for a route.', this.#waiting.size),
      ...single('freelm_http_requests_in_flight', 'Requests under way.', requests),
      ...single('freelm_http_connections', 'Open connections.', connections),
      ...single('freelm_http_body_bytes', 'Bytes of bodies that are held.', bodyBytes),
    ];
    return `${lines.join('\n')}\n`;
  }

  #noteAttempt({ provider, model, outcome, usage }: Extract<FreeLLMEvent, { type: 'attempt-end' }>): void {
    this.#attempts.add([provider, outcome]);
    if (usage === undefined) return;
    this.#tokens.add([provider, model, 'prompt'], usage.promptTokens);
    this.#tokens.add([provider, model, 'completion'], usage.completionTokens);
  }
}
