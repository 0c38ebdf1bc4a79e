/** A chat request answered as a stream, and the faults that faulty one. */

import type { Completion } from './completion.ts';
import type { Reply, StreamReply } from '../exchange.ts';
import type { Fault } from '../faults/fault.ts';
import type { IncomingChat, ProviderState, RuleResult } from '../provider-state.ts';
import { emptied, errorInside, filtered, firstHalf, plainReply, ANSWER_FAULTS } from './plain-answer.ts';
import {
  afterToken,
  COMMENT_EVERY_MS,
  commentEvent,
  dataEvent,
  DONE,
  type StreamPlan,
  type StreamEvent,
} from './stream-event.ts';
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

/** JSON of a chunk that ends in the middle. */
const HALF_A_CHUNK: StreamEvent = {
  kind: 'error',
  text: 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"del',
};

/** A request about to be answered with a stream. */
interface StreamContext {
  readonly state: ProviderState;
  readonly incoming: IncomingChat;
  readonly completion: Completion;
  /** The sound stream. */
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

/** The sound stream before and after so many of its tokens. */
function splitAtToken(
  { events }: StreamContext,
  afterTokens = Math.floor(events.filter(({ kind }) => kind === 'token').length / 2),
): readonly [before: readonly StreamEvent[], after: readonly StreamEvent[]] {
  const at = afterToken(events, afterTokens);
  return [events.slice(0, at), events.slice(at)];
}

/** The same events, but those that carry JSON with another text. */
function withTexts(events: readonly StreamEvent[], textOf: (text: string) => string): StreamPlan {
  return planOf(
    events.map((event) => {
      return event.kind === 'comment' || event.kind === 'done'
        ? event
        : { ...event, text: textOf(event.text) };
    }),
  );
}

/** What a provider sends when it fails in the middle. */
function failure(served: StreamContext, as: 'frame' | 'event' | 'finish'): readonly StreamEvent[] {
  const frame = dataEvent('error', { error: served.state.dialect.streamError });
  if (as === 'frame') return [frame, DONE];
  if (as === 'event') return [{ ...frame, text: `event: error\n${frame.text}` }, DONE];
  const failed = eventsOf(served, { ...served.completion, finishReason: 'error' });
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

/** Total: a new fault does not compile until it is known what becomes of the stream. */
const FAULTY_STREAMS: {
  readonly [Kind in StreamFaultKind]: (
    fault: StreamFaultOf<Kind>,
    served: StreamContext,
  ) => StreamPlan | Reply;
} = {
  'error-in-200': ({ as }, served) =>
    as === 'choice'
      ? planOf([...splitAtToken(served, 0)[0], ...failure(served, 'finish')])
      : errorInside(served.state, served.incoming),
  empty: ({ as }, served) => {
    if (as === 'body') return planOf([]);
    if (as === 'choices') return planOf([dataEvent('token', { choices: [] }), DONE]);
    return planOf(eventsOf(served, emptied(served.completion)));
  },
  malformed: (_, { events }) => withTexts(events, firstHalf),
  garbage: (_, { events }) => withTexts(events, () => 'data: {"choices":"none","usage":[]}'),
  cut: ({ afterTokens, as }, served) => ({
    events: splitAtToken(served, afterTokens)[0],
    ends: as ?? 'close',
  }),
  'content-filter': (_, served) => planOf(eventsOf(served, filtered(served.completion))),
  stall: ({ afterTokens, comments, everyMs = COMMENT_EVERY_MS }, served) => {
    const [before] = splitAtToken(served, afterTokens);
    if (comments !== true) return { events: before, ends: 'hang' };
    return planOf(withKeepAlives(before, commentEvent(served.state.dialect.keepAlive, everyMs)));
  },
  'stream-error': ({ afterTokens, as = 'frame' }, served) =>
    planOf([...splitAtToken(served, afterTokens)[0], ...failure(served, as)]),
  'garbage-chunk': ({ afterTokens }, served) => {
    const [before, after] = splitAtToken(served, afterTokens);
    return planOf([...before, HALF_A_CHUNK, ...after]);
  },
  'first-event-error': (_, served) => planOf(failure(served, 'frame')),
  'json-instead': (_, { state, completion }) => plainReply(state, completion),
  'no-finish': (_, { events }) => planOf(events.filter(({ kind }) => kind !== 'finish' && kind !== 'usage')),
  endless: (_, { events }) => planOf(endless(events)),
};

function faulty<Kind extends StreamFaultKind>(
  kind: Kind,
  fault: StreamFaultOf<Kind>,
  served: StreamContext,
): StreamPlan | Reply {
  return FAULTY_STREAMS[kind](fault, served);
}

/** A sound stream. */
export function streamReply(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
): StreamReply {
  const { events, headers } = state.dialect.stream(completion, incoming.chat.includeUsage);
  return { status: 200, headers, body: bodyOf(planOf(events), state, incoming) };
}

/** A completion as a stream, spoilt by the first fault that strikes; it may also have it that there is no stream. */
export function streamAnswer(
  state: ProviderState,
  incoming: IncomingChat,
  completion: Completion,
): RuleResult {
  const fault = state.script.trigger(STREAM_FAULTS, incoming);
  if (fault === undefined) return { outcome: 'served', reply: streamReply(state, incoming, completion) };
  const outcome = fault.kind === 'endless' ? 'served' : fault.kind;
  const { events, headers } = state.dialect.stream(completion, incoming.chat.includeUsage);
  const plan = faulty(fault.kind, fault, { state, incoming, completion, events: [...events] });
  if ('status' in plan) return { outcome, reply: plan };
  return { outcome, reply: { status: 200, headers, body: bodyOf(plan, state, incoming) } };
}
