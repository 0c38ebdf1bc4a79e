/** Several answers to one request, by as many calls: no provider is sure to give more than one. */

import { addUsage } from '../wire/response/stream-part.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import { routeHeaders } from './answers.ts';
import type { Answer, ChatBackend, ChatCall } from './chat-backend.ts';

/** The most answers of one request. Each costs a request of a free quota. */
export const MAX_ANSWERS = 4;

export interface Answers {
  readonly answers: readonly Answer[];
  /** Of all calls. */
  readonly usage: TokenUsage | undefined;
  /** The route of the first answer, and the attempts of all. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes the calls at once. Fails if one fails, since a client counts the answers. */
export async function answersTo(
  backend: ChatBackend,
  calls: readonly [ChatCall, ...ChatCall[]],
): Promise<Answers> {
  const [first, ...others] = calls;
  const [answer, ...rest] = await Promise.all([
    backend.chat(first),
    ...others.map((call) => backend.chat(call)),
  ]);
  const answers = [answer, ...rest];
  const usage = answers.reduce<TokenUsage | undefined>(
    (sum, { usage: one }) => (one === undefined ? sum : addUsage(sum, one)),
    undefined,
  );
  const attempts = answers.reduce((sum, { attempts: made }) => sum + made.length, 0);
  return { answers, usage, headers: routeHeaders({ ...answer, attempts }) };
}
