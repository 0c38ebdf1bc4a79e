/** Applies a model's `continues` setting to a reply. */

import { tokensOf } from './tokens.ts';
import type { ReplyDetails } from './completion.ts';
import type { Continuation } from '../options.ts';

const REPEATED_WORDS = 3;

function continuationOf(whole: string, begun: string, continuation: Continuation): string {
  if (continuation === 'starts-over' || !whole.startsWith(begun)) return whole;
  const rest = whole.slice(begun.length);
  if (continuation !== 'repeats-last-words') return rest;
  return tokensOf(begun).slice(-REPEATED_WORDS).join('').trimStart() + rest;
}

/**
 * Removes the text `begun` from the start of a reply. A reply that does not start with it is returned unchanged: another
 * model began the answer, or a custom `reply` already returned the rest.
 */
export function continueReply(
  reply: string | ReplyDetails,
  begun: string | undefined,
  continuation: Continuation,
): string | ReplyDetails {
  if (begun === undefined) return reply;
  if (typeof reply === 'string') return continuationOf(reply, begun, continuation);
  return { ...reply, text: reply.text && continuationOf(reply.text, begun, continuation) };
}
