/** What a provider's answer to a check says of the key that was sent, and what a person can do about it. */

import type { Failure, FailureKind } from '../../core/failure.ts';

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
const FINE = { works: true, advice: undefined };

/** What a failure of a chat says. */
const OF_A_CHAT: Readonly<Record<FailureKind, KeyVerdict>> = {
  rate_limited: { works: true, advice: 'It is valid; its quota of the minute is used up just now.' },
  quota_exhausted: { works: true, advice: 'It is valid; its quota is used up until it resets.' },
  model_busy: FINE,
  out_of_credits: {
    works: false,
    advice: 'The account has no credit left: top it up, or leave the key out until then.',
  },
  unauthorized: { works: false, advice: 'Remove the key, or put a new one in its place.' },
  not_entitled: {
    works: true,
    advice: 'It is valid, but may not use the model that was asked for; others may be open to it.',
  },
  forbidden: {
    works: false,
    advice: 'Look at the settings of the account and at where the key may be used from.',
  },
  model_gone: FINE,
  unsupported: FINE,
  context_too_long: FINE,
  content_blocked: FINE,
  server_error: { works: undefined, advice: LATER },
  timeout: { works: undefined, advice: LATER },
  network: { works: undefined, advice: 'See that this machine, or its proxy, reaches the provider.' },
  broken_stream: { works: undefined, advice: LATER },
  bad_request: {
    works: undefined,
    advice: 'Nothing is said of the key; the message tells what was refused.',
  },
};

const NO_PATH = { works: undefined, advice: ROUTE };
/** Kinds that speak of a model or of what it was asked: to another request they mean something else. */
const OF_NO_CHAT: Readonly<Partial<Record<FailureKind, KeyVerdict>>> = {
  model_busy: { works: undefined, advice: LATER },
  model_gone: NO_PATH,
  unsupported: NO_PATH,
  context_too_long: NO_PATH,
  content_blocked: NO_PATH,
  bad_request: NO_PATH,
};

/** What a failed check says of its key. */
export function verdictOf({ kind, scope }: Failure, request: CheckRequest): KeyVerdict {
  // An edge, a region or a redirect: the key was not looked at.
  if (kind === 'forbidden' && scope === 'provider') {
    const advice = 'The provider turns away this network or region, or the base URL is wrong.';
    return { works: undefined, advice };
  }
  return (request === 'chat' ? undefined : OF_NO_CHAT[kind]) ?? OF_A_CHAT[kind];
}
