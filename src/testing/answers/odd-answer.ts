/** Applies the oddities of an answer. */

import type { Reply, StreamReply } from '../exchange.ts';
import type { IncomingChat, ProviderState } from '../provider-state.ts';
import type { Completion } from './completion.ts';
import { encodingHeaders, oddBody, oddEvents, suits, type Oddity } from './oddity.ts';
import { bodyOf } from './stream-form.ts';

function odditiesOf({ script }: ProviderState, incoming: IncomingChat): readonly Oddity[] {
  const { stream } = incoming.chat;
  return script.triggerAll('odd', incoming, ({ as }) => suits(as, stream)).map(({ as }) => as);
}

function plain({ dialect }: ProviderState, completion: Completion, oddities: readonly Oddity[]): Reply {
  const { body, headers } = dialect.complete(completion);
  const json = JSON.stringify(oddBody(body, oddities));
  return {
    status: 200,
    headers: { ...headers, ...encodingHeaders(oddities) },
    body: oddities.includes('json-then-done') ? `${json}\n\ndata: [DONE]\n\n` : json,
  };
}

function streamed(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
  oddities: readonly Oddity[],
): StreamReply {
  const { events, headers } = state.dialect.stream(completion, incoming.chat.includeUsage);
  const plan = {
    events: oddities.length === 0 ? events : oddEvents(events, oddities),
    ends: 'close',
  } as const;
  return {
    status: 200,
    headers: { ...headers, ...encodingHeaders(oddities) },
    body: bodyOf(plan, state, incoming),
  };
}

/** A whole answer, with all oddities that apply. */
export function wholeReply(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
): Reply | StreamReply {
  const oddities = odditiesOf(state, incoming);
  const asStream = incoming.chat.stream
    ? !oddities.includes('json-then-done')
    : oddities.includes('stream-instead');
  return asStream ? streamed(state, incoming, completion, oddities) : plain(state, completion, oddities);
}
