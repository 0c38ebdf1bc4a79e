/** Streamed answers, and the faults in them. */

import type { Completion } from './completion.ts';
import { firstHalf, type Reply, type StreamReply } from '../exchange.ts';
import type { Fault } from '../faults/fault.ts';
import type { IncomingChat, ProviderState, RuleResult } from '../provider-state.ts';
import {
  outOfTokens,
  withoutContent,
  errorInside,
  withContentFiltered,
  plainReply,
  ANSWER_FAULTS,
} from './plain-answer.ts';
import {
  afterToken,
  COMMENT_EVERY_MS,
  commentEvent,
  dataEvent,
  DONE,
  type StreamPlan,
  type StreamEvent,
} from './stream-event.ts';
import { wholeReply } from './odd-answer.ts';
import { bodyOf } from './stream-form.ts';

const STREAM_FAULTS = [
  ...ANSWER_FAULTS,
  'stall',
  'stream-error',
  'garbage-chunk',
  'first-event-error',
  'json-instead',
  'no-finish',
  'endless',
] as const;
type StreamFaultKind = (typeof STREAM_FAULTS)[number];
type StreamFaultOf<Kind extends StreamFaultKind> = Extract<Fault, { readonly kind: Kind }>;

/** A chunk with truncated JSON. */
const TRUNCATED_CHUNK: StreamEvent = {
  kind: 'error',
  text: 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"del',
};

interface StreamContext {
  readonly state: ProviderState;
  readonly incoming: IncomingChat;
  readonly completion: Completion;
  /** The events of the stream without faults. */
  readonly events: readonly StreamEvent[];
}

function eventsOf(
  { state, incoming }: Omit<StreamContext, 'events'>,
  completion: Completion,
): readonly StreamEvent[] {
  return [...state.dialect.stream(completion, incoming.chat.includeUsage).events];
}

function planOf(events: Iterable<StreamEvent>): StreamPlan {
  return { events, ends: 'close' };
}

/** Splits the events after the given number of tokens. */
function splitAtToken(
  { events }: StreamContext,
  afterTokens = Math.floor(events.filter(({ kind }) => kind === 'token').length / 2),
): readonly [before: readonly StreamEvent[], after: readonly StreamEvent[]] {
  const at = afterToken(events, afterTokens);
  return [events.slice(0, at), events.slice(at)];
}

/** Replaces the text of all events that carry JSON. */
function withTexts(events: readonly StreamEvent[], textOf: (text: string) => string): StreamPlan {
  return planOf(
    events.map((event) => {
      return event.kind === 'comment' || event.kind === 'done'
        ? event
        : { ...event, text: textOf(event.text) };
    }),
  );
}

/** The events that a provider sends when it fails midway. */
function failure(context: StreamContext, as: 'frame' | 'event' | 'finish'): readonly StreamEvent[] {
  const frame = dataEvent('error', { error: context.state.dialect.streamError });
  if (as === 'frame') return [frame, DONE];
  if (as === 'event') return [{ ...frame, text: `event: error\n${frame.text}` }, DONE];
  const failed = eventsOf(context, { ...context.completion, finishReason: 'error' });
  return [...failed.filter(({ kind }) => kind === 'finish'), DONE];
}

function* withKeepAlives(before: readonly StreamEvent[], comment: StreamEvent): Generator<StreamEvent> {
  yield* before;
  for (;;) yield comment;
}

function* endless(events: readonly StreamEvent[]): Generator<StreamEvent> {
  yield* events.slice(0, afterToken(events, 0));
  const tokens = events.filter(({ kind }) => kind === 'token');
  while (tokens.length > 0) yield* tokens;
}

/** Total, so that a new fault does not compile until it has an entry here. */
const FAULTY_STREAMS: {
  readonly [Kind in StreamFaultKind]: (
    fault: StreamFaultOf<Kind>,
    context: StreamContext,
  ) => StreamPlan | Reply;
} = {
  'error-in-200': ({ as }, context) =>
    as === 'choice'
      ? planOf([...splitAtToken(context, 0)[0], ...failure(context, 'finish')])
      : errorInside(context.state, context.incoming),
  empty: ({ as }, context) => {
    if (as === 'body') return planOf([]);
    if (as === 'choices') return planOf([dataEvent('token', { choices: [] }), DONE]);
    const without = as === 'length' ? outOfTokens : withoutContent;
    return planOf(eventsOf(context, without(context.completion)));
  },
  malformed: (_, { events }) => withTexts(events, firstHalf),
  garbage: (_, { events }) => withTexts(events, () => 'data: {"choices":"none","usage":[]}'),
  cut: ({ afterTokens, as }, context) => ({
    events: splitAtToken(context, afterTokens)[0],
    ends: as ?? 'close',
  }),
  'content-filter': (_, context) => planOf(eventsOf(context, withContentFiltered(context.completion))),
  stall: ({ afterTokens, comments, everyMs = COMMENT_EVERY_MS }, context) => {
    const [before] = splitAtToken(context, afterTokens);
    if (comments !== true) return { events: before, ends: 'hang' };
    return planOf(withKeepAlives(before, commentEvent(context.state.dialect.keepAlive, everyMs)));
  },
  'stream-error': ({ afterTokens, as = 'frame' }, context) =>
    planOf([...splitAtToken(context, afterTokens)[0], ...failure(context, as)]),
  'garbage-chunk': ({ afterTokens }, context) => {
    const [before, after] = splitAtToken(context, afterTokens);
    return planOf([...before, TRUNCATED_CHUNK, ...after]);
  },
  'first-event-error': (_, context) => planOf(failure(context, 'frame')),
  'json-instead': (_, { state, completion }) => plainReply(state, completion),
  'no-finish': (_, { events }) =>
    planOf(events.filter(({ kind }) => kind !== 'finish' && kind !== 'usage' && kind !== 'done')),
  endless: (_, { events }) => planOf(endless(events)),
};

function faultyStream<Kind extends StreamFaultKind>(
  kind: Kind,
  fault: StreamFaultOf<Kind>,
  context: StreamContext,
): StreamPlan | Reply {
  return FAULTY_STREAMS[kind](fault, context);
}

/** Streams a completion without faults in the answer. */
export function streamReply(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
): StreamReply {
  const { events, headers } = state.dialect.stream(completion, incoming.chat.includeUsage);
  return { status: 200, headers, body: bodyOf(planOf(events), state, incoming) };
}

/** Streams a completion with the first fault that applies. The fault may replace the stream by a plain body. */
export function streamAnswer(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
): RuleResult {
  const fault = state.script.trigger(STREAM_FAULTS, incoming);
  if (fault === undefined) return { outcome: 'served', reply: wholeReply(state, incoming, completion) };
  const outcome = fault.kind === 'endless' ? 'served' : fault.kind;
  const { events, headers } = state.dialect.stream(completion, incoming.chat.includeUsage);
  const plan = faultyStream(fault.kind, fault, { state, incoming, completion, events: [...events] });
  if ('status' in plan) return { outcome, reply: plan };
  return { outcome, reply: { status: 200, headers, body: bodyOf(plan, state, incoming) } };
}
