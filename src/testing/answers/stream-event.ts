/** The events of a streamed answer, before they become bytes. */

import type { StreamBody } from '../exchange.ts';

/**
 * The purpose of an event. A `token` carries text, reasoning or a part of a tool call. Only `finish` and `usage` may
 * carry a finish reason.
 */
type StreamEventKind = 'comment' | 'opening' | 'token' | 'finish' | 'usage' | 'error' | 'done';

export interface StreamEvent {
  readonly kind: StreamEventKind;
  /** The lines of the event, without the empty line at its end. */
  readonly text: string;
  /** The delay after the previous event, in milliseconds. @defaultValue 0 */
  readonly delayMs?: number;
}

/** The events of a stream, and what follows them. */
export interface StreamPlan {
  readonly events: Iterable<StreamEvent>;
  readonly ends: StreamBody['ends'];
}

/** The default interval of keep-alive comments in faults, in milliseconds. */
export const COMMENT_EVERY_MS = 1000;

export const DONE: StreamEvent = { kind: 'done', text: 'data: [DONE]' };

export function dataEvent(kind: Exclude<StreamEventKind, 'comment' | 'done'>, data: unknown): StreamEvent {
  return { kind, text: `data: ${JSON.stringify(data)}` };
}

/** A comment that keeps the connection alive. */
export function commentEvent(comment: string, delayMs = 0): StreamEvent {
  return { kind: 'comment', text: `: ${comment}`, delayMs };
}

/** The index after `count` tokens, but at most the index of the finish. */
export function afterToken(events: readonly StreamEvent[], count: number): number {
  let seen = 0;
  const at = events.findIndex(({ kind }) => {
    if (kind === 'token') seen += 1;
    return seen > count || kind === 'finish' || kind === 'usage' || kind === 'done';
  });
  return at === -1 ? events.length : at;
}
