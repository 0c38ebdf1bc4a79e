/** What a provider's answer to a check says of the key that was sent, and what a person can do about it. */

import { type Failure, FAILURE_EFFECTS } from '../../core/failure.ts';

/** The requests that can prove a key: the list of models, a chat of one token, or the account's own page. */
export type CheckRequest = 'models' | 'chat' | 'account';

/** What an answer says of a key. */
export interface KeyVerdict {
  /** `undefined`: the answer says nothing of the key. */
  readonly works: boolean | undefined;
  readonly advice: string | undefined;
}

const LATER = 'Nothing is said of the key; try again later.';
const ROUTE = 'Nothing is said of the key; see that the base URL is right.';

/** What a failed check says of its key. */
export function verdictOf({ kind, scope }: Failure, request: CheckRequest): KeyVerdict {
  // An edge, a region or a redirect: the key was not looked at.
  if (kind === 'forbidden' && scope === 'provider') {
    const advice = 'The provider turns away this network or region, or the base URL is wrong.';
    return { works: undefined, advice };
  }
  const { aboutChat, transient, check } = FAILURE_EFFECTS[kind];
  if (request !== 'chat' && aboutChat === true) {
    return { works: undefined, advice: transient === true ? LATER : ROUTE };
  }
  return { works: check.works, advice: check.advice };
}
