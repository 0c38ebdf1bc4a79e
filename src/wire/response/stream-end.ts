import type { RefusedAnswer } from './chat-response.ts';
import type { StreamPart } from './stream-part.ts';

/** A stream that is a failure. */
export interface RefusedStream {
  readonly refusal: RefusedAnswer;
  /** The event's data or the document that it was read from. */
  readonly body: string;
}

/** How a stream ended, and its last parts. */
export type StreamEnd = { readonly parts: readonly StreamPart[] } & (
  | { readonly kind: 'finished' }
  /** It ended without a finish reason. */
  | { readonly kind: 'cut'; readonly message: string }
  | ({ readonly kind: 'refused' } & RefusedStream)
);
