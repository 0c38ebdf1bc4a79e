/** How a broken answer is gone on with: by whom it can be, and what the next model is asked. */

/** What of an answer was handed out before it broke. */
export interface HandedOut {
  readonly text: boolean;
  readonly toolCalls: boolean;
  /** The answer is to be JSON: a seam in it could not be seen, and not be mended. */
  readonly json: boolean;
}

/**
 * `restart`: nothing that counts was handed out, so that another route answers anew. `continue`: another route goes on
 * with the text. `no`: half a tool call or half a JSON text is of no use, and cannot be taken back.
 */
export function continuationOf({ text, toolCalls, json }: HandedOut): 'restart' | 'continue' | 'no' {
  if (toolCalls) return 'no';
  if (!text) return 'restart';
  return json ? 'no' : 'continue';
}

/** How a model is brought to go on: by a beginning put into its mouth, or by being asked. */
export type ContinuationStyle = 'prefill' | 'instruction';

/** A message that continues a conversation. */
export type ContinuationMessage = {
  readonly role: 'assistant' | 'user';
  readonly content: string;
};

const ANCHOR_LENGTH = 48;

/** The last words of a text, from the beginning of a word on where that is near. */
function lastWords(text: string): string {
  const end = text.slice(-ANCHOR_LENGTH);
  if (end.length === text.length) return end;
  const space = end.search(/\s\S/u);
  return space < 0 ? end : end.slice(space + 1);
}

/**
 * The messages to append to the conversation. Asked to go on, a model is told to say the last words again: it cannot
 * begin with a space or in the middle of a word, and what it repeats is trimmed at the seam.
 */
export function continuationMessages(
  delivered: string,
  style: ContinuationStyle,
): readonly ContinuationMessage[] {
  const answer = { role: 'assistant', content: delivered } as const;
  if (style === 'prefill') return [answer];
  const request = `Your answer was cut off. Go on from exactly where it stopped: first say its last words again, ${JSON.stringify(lastWords(delivered))}, then what follows. Do not start again, and do not comment on this.`;
  return [answer, { role: 'user', content: request }];
}
