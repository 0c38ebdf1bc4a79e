/** The events that a streamed answer is made of, before they are bytes. */

import type { StreamBody } from '../exchange.ts';

/**
 * What an event is there for. A `token` brings a piece of the answer: of its text, of its reasoning or of a tool call;
 * only `finish` and `usage` may carry a finish reason.
 */
type StreamEventKind = 'comment' | 'opening' | 'token' | 'finish' | 'usage' | 'error' | 'done';

/** One event. */
export interface StreamEvent {
  readonly kind: StreamEventKind;
  /** Its lines as they stand in the stream, without the empty line that ends it. */
  readonly text: string;
  /** How long after the event before it, in milliseconds. @defaultValue 0 */
  readonly delayMs?: number;
}

/** The plan that a stream takes. */
export interface StreamPlan {
  readonly events: Iterable<StreamEvent>;
  readonly ends: StreamBody['ends'];
}

/** How far signs of life are apart unless a fault says otherwise, in milliseconds. */
export const COMMENT_EVERY_MS = 1000;

export const DONE: StreamEvent = { kind: 'done', text: 'data: [DONE]' };

/** An event that carries JSON. */
export function dataEvent(kind: Exclude<StreamEventKind, 'comment' | 'done'>, data: unknown): StreamEvent {
  return { kind, text: `data: ${JSON.stringify(data)}` };
}

/** Nothing but a sign of life. */
export function commentEvent(comment: string, delayMs = 0): StreamEvent {
  return { kind: 'comment', text: `: ${comment}`, delayMs };
}

/** Where the events of an answer come apart, so that `count` of its tokens lie before it. */
export function afterToken(events: readonly StreamEvent[], count: number): number {
  let seen = 0;
  const at = events.findIndex(({ kind }) => {
    if (kind === 'token') seen += 1;
    return seen > count || kind === 'finish' || kind === 'usage' || kind === 'done';
  });
  return at === -1 ? events.length : at;
}
