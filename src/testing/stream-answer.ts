/** A chat request answered as a stream, and the faults that spoil one. */

import type { Completion } from './completion.ts';
import type { Reply, StreamReply } from './exchange.ts';
import type { Fault } from './fault.ts';
import type { ChatArrival, House, Verdict } from './house.ts';
import { emptied, errorInside, filtered, firstHalf, plainReply, SPOILERS } from './plain-answer.ts';
import {
  afterToken,
  COMMENT_EVERY_MS,
  commentEvent,
  dataEvent,
  DONE,
  type Course,
  type StreamEvent,
} from './stream-event.ts';
import { bodyOf } from './stream-form.ts';

const STREAM_SPOILERS = [
  ...SPOILERS,
  'stall',
  'stream-error',
  'garbage-chunk',
  'first-event-error',
  'json-instead',
  'no-finish',
  'endless',
] as const;
type SpoilerKind = (typeof STREAM_SPOILERS)[number];
type SpoilerOf<Kind extends SpoilerKind> = Extract<Fault, { readonly kind: Kind }>;

/** JSON of a chunk that ends in the middle. */
const HALF_A_CHUNK: StreamEvent = {
  kind: 'error',
  text: 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"del',
};

/** A request about to be answered with a stream. */
interface Served {
  readonly house: House;
  readonly arrival: ChatArrival;
  readonly completion: Completion;
  /** The sound stream. */
  readonly events: readonly StreamEvent[];
}

function eventsOf(
  { house, arrival }: Omit<Served, 'events'>,
  completion: Completion,
): readonly StreamEvent[] {
  return [...house.dialect.stream(completion, arrival.chat.includeUsage).events];
}

function whole(events: Iterable<StreamEvent>): Course {
  return { events, ends: 'close' };
}

/** The sound stream before and after so many of its tokens. */
function parted(
  { events }: Served,
  afterTokens = Math.floor(events.filter(({ kind }) => kind === 'token').length / 2),
): readonly [before: readonly StreamEvent[], after: readonly StreamEvent[]] {
  const at = afterToken(events, afterTokens);
  return [events.slice(0, at), events.slice(at)];
}

/** The same events, but those that carry JSON with another text. */
function rewritten(events: readonly StreamEvent[], textOf: (text: string) => string): Course {
  return whole(
    events.map((event) => {
      return event.kind === 'comment' || event.kind === 'done'
        ? event
        : { ...event, text: textOf(event.text) };
    }),
  );
}

/** What a provider sends when it fails in the middle. */
function failure(served: Served, as: 'frame' | 'event' | 'finish'): readonly StreamEvent[] {
  const frame = dataEvent('error', { error: served.house.dialect.streamError });
  if (as === 'frame') return [frame, DONE];
  if (as === 'event') return [{ ...frame, text: `event: error\n${frame.text}` }, DONE];
  const failed = eventsOf(served, { ...served.completion, finishReason: 'error' });
  return [...failed.filter(({ kind }) => kind === 'finish'), DONE];
}

function* signsOfLife(before: readonly StreamEvent[], comment: StreamEvent): Generator<StreamEvent> {
  yield* before;
  for (;;) yield comment;
}

function* endless(events: readonly StreamEvent[]): Generator<StreamEvent> {
  yield* events.slice(0, afterToken(events, 0));
  const tokens = events.filter(({ kind }) => kind === 'token');
  while (tokens.length > 0) yield* tokens;
}

/** Total: a new spoiler does not compile until it is known what becomes of the stream. */
const SPOIL: {
  readonly [Kind in SpoilerKind]: (spoiler: SpoilerOf<Kind>, served: Served) => Course | Reply;
} = {
  'error-in-200': ({ as }, served) =>
    as === 'choice'
      ? whole([...parted(served, 0)[0], ...failure(served, 'finish')])
      : errorInside(served.house, served.arrival),
  empty: ({ as }, served) => {
    if (as === 'body') return whole([]);
    if (as === 'choices') return whole([dataEvent('token', { choices: [] }), DONE]);
    return whole(eventsOf(served, emptied(served.completion)));
  },
  malformed: (_, { events }) => rewritten(events, firstHalf),
  garbage: (_, { events }) => rewritten(events, () => 'data: {"choices":"none","usage":[]}'),
  cut: ({ afterTokens, as }, served) => ({ events: parted(served, afterTokens)[0], ends: as ?? 'close' }),
  'content-filter': (_, served) => whole(eventsOf(served, filtered(served.completion))),
  stall: ({ afterTokens, comments, everyMs = COMMENT_EVERY_MS }, served) => {
    const [before] = parted(served, afterTokens);
    if (comments !== true) return { events: before, ends: 'hang' };
    return whole(signsOfLife(before, commentEvent(served.house.dialect.keepAlive, everyMs)));
  },
  'stream-error': ({ afterTokens, as = 'frame' }, served) =>
    whole([...parted(served, afterTokens)[0], ...failure(served, as)]),
  'garbage-chunk': ({ afterTokens }, served) => {
    const [before, after] = parted(served, afterTokens);
    return whole([...before, HALF_A_CHUNK, ...after]);
  },
  'first-event-error': (_, served) => whole(failure(served, 'frame')),
  'json-instead': (_, { house, completion }) => plainReply(house, completion),
  'no-finish': (_, { events }) => whole(events.filter(({ kind }) => kind !== 'finish' && kind !== 'usage')),
  endless: (_, { events }) => whole(endless(events)),
};

function spoil<Kind extends SpoilerKind>(
  kind: Kind,
  spoiler: SpoilerOf<Kind>,
  served: Served,
): Course | Reply {
  return SPOIL[kind](spoiler, served);
}

/** A sound stream. */
export function streamReply(house: House, arrival: ChatArrival, completion: Completion): StreamReply {
  const { events, headers } = house.dialect.stream(completion, arrival.chat.includeUsage);
  return { status: 200, headers, body: bodyOf(whole(events), house, arrival) };
}

/** A completion as a stream, spoilt by the first fault that strikes; it may also have it that there is no stream. */
export function streamAnswer(house: House, arrival: ChatArrival, completion: Completion): Verdict {
  const spoiler = house.script.strike(STREAM_SPOILERS, arrival);
  if (spoiler === undefined) return { outcome: 'served', reply: streamReply(house, arrival, completion) };
  const outcome = spoiler.kind === 'endless' ? 'served' : spoiler.kind;
  const { events, headers } = house.dialect.stream(completion, arrival.chat.includeUsage);
  const course = spoil(spoiler.kind, spoiler, { house, arrival, completion, events: [...events] });
  if ('status' in course) return { outcome, reply: course };
  return { outcome, reply: { status: 200, headers, body: bodyOf(course, house, arrival) } };
}
