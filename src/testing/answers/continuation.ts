/** How a model goes on with an answer that was broken off. */

import { tokensOf } from './tokens.ts';
import type { ReplyDetails } from './completion.ts';
import type { Continuation } from '../options.ts';

const REPEATED_WORDS = 3;

function continuationOf(whole: string, begun: string, manner: Continuation): string {
  if (manner === 'starts-over' || !whole.startsWith(begun)) return whole;
  const rest = whole.slice(begun.length);
  if (manner !== 'repeats-last-words') return rest;
  return tokensOf(begun).slice(-REPEATED_WORDS).join('').trimStart() + rest;
}

/**
 * What is left to say of an answer of which `begun` was said before. An answer that does not begin like that is given
 * as it is: the model would not have begun so, or its `reply` went on by itself.
 */
export function continueReply(
  reply: string | ReplyDetails,
  begun: string | undefined,
  manner: Continuation,
): string | ReplyDetails {
  if (begun === undefined) return reply;
  if (typeof reply === 'string') return continuationOf(reply, begun, manner);
  return { ...reply, text: reply.text && continuationOf(reply.text, begun, manner) };
}
