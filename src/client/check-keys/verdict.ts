import { type Failure, FAILURE_EFFECTS } from '../../core/failure.ts';

/** The requests that can prove a key: the list of models, a chat of one token, or the account's status. */
export type CheckRequest = 'models' | 'chat' | 'account';

/** What an answer proves about a key. */
export interface KeyVerdict {
  /** Undefined if the answer proves nothing about the key. */
  readonly works: boolean | undefined;
  readonly advice: string | undefined;
}

const LATER = 'This says nothing about the key. Try again later.';
const ROUTE = 'This says nothing about the key. Check the base URL.';

/** The verdict for a failed check. */
export function verdictOf({ kind, scope }: Failure, request: CheckRequest): KeyVerdict {
  const { transient, check } = FAILURE_EFFECTS[kind];
  if (scope === 'provider' && check.adviceAtProvider !== undefined) {
    return { works: undefined, advice: check.adviceAtProvider };
  }
  if (request !== 'chat' && check.chatOnly === true) {
    return { works: undefined, advice: transient === true ? LATER : ROUTE };
  }
  return { works: check.works, advice: check.advice };
}
