/** The rate-limit headers of a `custom` endpoint. */

import type { Reply, StreamReply } from '../exchange.ts';
import {
  limitOf,
  spendingOf,
  type IncomingChat,
  type IncomingEmbed,
  type ProviderState,
} from '../provider-state.ts';

const REPORTED = [
  ['requests', 'rpd'],
  ['tokens', 'tpm'],
] as const;

/** Formats a duration, e.g. `1h55m12s`, `4m19.2s` or `825ms`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = Math.round(ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

/** Adds the headers for requests per day and tokens per minute if the endpoint's `quota.headers` is true. */
export function withRateHeaders<Any extends Reply | StreamReply>(
  state: ProviderState,
  incoming: IncomingChat | IncomingEmbed,
  reply: Any,
): Any {
  if (state.style.headers !== true) return reply;
  const spending = spendingOf(incoming);
  const headers: Record<string, string> = { ...reply.headers };
  for (const [unit, limited] of REPORTED) {
    const status = state.quotas.status(limited, spending, (rule) => limitOf(state, incoming, rule));
    if (status === undefined) continue;
    const { limit, used, resetsAt } = status;
    headers[`x-ratelimit-limit-${unit}`] = String(limit);
    headers[`x-ratelimit-remaining-${unit}`] = String(Math.max(0, Math.floor(limit - used)));
    headers[`x-ratelimit-reset-${unit}`] = durationText(Math.max(0, resetsAt - incoming.now));
  }
  return { ...reply, headers };
}
