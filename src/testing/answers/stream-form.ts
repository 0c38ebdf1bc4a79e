/** Serialises the events of a stream, and applies the faults that change only its form. */

import type { StreamBody, StreamPiece } from '../exchange.ts';
import type { LineEnd } from '../faults/fault.ts';
import type { IncomingChat, ProviderState } from '../provider-state.ts';
import { COMMENT_EVERY_MS, commentEvent, type StreamPlan, type StreamEvent } from './stream-event.ts';

/** One piece per event. */
function* piecesOf(events: Iterable<StreamEvent>, lineEnd: LineEnd): Generator<StreamPiece> {
  const encoder = new TextEncoder();
  for (const { text, delayMs = 0 } of events) {
    yield { bytes: encoder.encode(`${text}\n\n`.replaceAll('\n', lineEnd)), delayMs };
  }
}

/**
 * Splits the bytes into pieces of the given sizes (cyclically). A size below one counts as one. The delay of a new piece
 * is the sum of the delays of the pieces that it combines.
 */
function* recut(pieces: Iterable<StreamPiece>, sizes: readonly number[]): Generator<StreamPiece> {
  let held = new Uint8Array();
  let delayMs = 0;
  let cuts = 0;
  for (const piece of pieces) {
    held = Buffer.concat([held, piece.bytes]);
    delayMs += piece.delayMs;
    for (;;) {
      const size = Math.max(1, sizes[cuts % sizes.length] ?? held.length);
      if (held.length < size) break;
      yield { bytes: held.subarray(0, size), delayMs };
      held = held.subarray(size);
      delayMs = 0;
      cuts += 1;
    }
  }
  if (held.length > 0) yield { bytes: held, delayMs };
}

function* slowed(events: Iterable<StreamEvent>, betweenMs: number): Generator<StreamEvent> {
  for (const event of events) yield event.kind === 'token' ? { ...event, delayMs: betweenMs } : event;
}

function* withoutDone(events: Iterable<StreamEvent>): Generator<StreamEvent> {
  for (const event of events) if (event.kind !== 'done') yield event;
}

function* afterComments(
  events: Iterable<StreamEvent>,
  count: number,
  comment: StreamEvent,
): Generator<StreamEvent> {
  for (let sent = 0; sent < count; sent += 1) yield comment;
  yield* events;
}

/** The body of a stream, with all faults of form that apply. */
export function bodyOf(
  { events, ends }: StreamPlan,
  { script, dialect }: ProviderState,
  incoming: IncomingChat,
): StreamBody {
  const drip = script.trigger(['slow-drip'], incoming);
  const silence = script.trigger(['silent-comments'], incoming);
  const noDone = script.trigger(['no-done'], incoming);
  const { sizes, lineEnds = '\n' } = script.trigger(['split'], incoming) ?? {};
  let formed = events;
  if (drip !== undefined) formed = slowed(formed, drip.betweenMs);
  if (silence !== undefined) {
    const comment = commentEvent(dialect.keepAlive, silence.everyMs ?? COMMENT_EVERY_MS);
    formed = afterComments(formed, silence.count, comment);
  }
  if (noDone !== undefined) formed = withoutDone(formed);
  const pieces = piecesOf(formed, lineEnds);
  return { pieces: sizes === undefined ? pieces : recut(pieces, sizes), ends };
}
