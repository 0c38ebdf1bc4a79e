/** The headers in which an endpoint tells how much is left. */

import type { Reply, StreamReply } from '../exchange.ts';
import { limitOf, spendingOf, type IncomingChat, type ProviderState } from '../provider-state.ts';

const SHOWN = [
  ['requests', 'rpd'],
  ['tokens', 'tpm'],
] as const;

/** A span such as `1h55m12s`, `4m19.2s` or `825ms`. */
function spanOf(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = Math.round(ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

/** The same reply, with what is left of the day's requests and the minute's tokens, where the endpoint tells it. */
export function withRateHeaders<Any extends Reply | StreamReply>(
  state: ProviderState,
  incoming: IncomingChat,
  reply: Any,
): Any {
  if (state.style.headers !== true) return reply;
  const spending = spendingOf(incoming);
  const headers: Record<string, string> = { ...reply.headers };
  for (const [unit, limited] of SHOWN) {
    const status = state.quotas.status(limited, spending, (rule) => limitOf(state, incoming, rule));
    if (status === undefined) continue;
    const { limit, used, resetsAt } = status;
    headers[`x-ratelimit-limit-${unit}`] = String(limit);
    headers[`x-ratelimit-remaining-${unit}`] = String(Math.max(0, Math.floor(limit - used)));
    headers[`x-ratelimit-reset-${unit}`] = spanOf(Math.max(0, resetsAt - incoming.now));
  }
  return { ...reply, headers };
}
