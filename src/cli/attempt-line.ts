/** One attempt on one line: whom it went to, how long it took, and why the call moved on. */

import type { OutcomeEvent } from '../index.ts';
import type { Paint } from './paint.ts';
import { cell } from './text.ts';

const MOVED_ON: Readonly<Partial<Record<OutcomeEvent['outcome'], string>>> = {
  rate_limited: 'quota of the minute used up',
  quota_exhausted: 'quota of the day used up',
  model_busy: 'model congested: it rests',
  out_of_credits: 'no credit: the account rests',
  unauthorized: 'dead key: never again today',
  not_entitled: 'not for this account: remembered',
  model_gone: 'model gone',
  server_error: 'server error: counts against the provider',
  timeout: 'no answer in time: counts against the provider',
  network: 'unreachable: counts against the provider',
  broken_stream: 'answer broken off: counts against the provider',
};

export function attemptLine(event: OutcomeEvent, paint: Paint): string {
  const good = event.outcome === 'success';
  const mark = good ? paint('green', '✓') : paint('red', '✗');
  const route = `${cell(event.provider, 10)} ${cell(event.key, 12)} ${cell(event.model, 34)}`;
  const status = event.status === undefined ? '' : ` HTTP ${event.status}`;
  const why = good ? '' : paint('yellow', ` →${status} ${MOVED_ON[event.outcome] ?? event.outcome}`);
  return `${mark} ${route} ${paint('dim', `${String(event.latencyMs).padStart(4)} ms`)}${why}`;
}
