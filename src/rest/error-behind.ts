/** Which error an answer tells of, for whoever is in the same process. */

import { FreeLMError } from '../errors.ts';

const errors = new WeakMap<Response, FreeLMError>();

/** Remembers why `response` is what it is. Errors that are not freelm's own are not handed out: nobody knows what they hold. */
export function remember(response: Response, error: unknown): Response {
  if (FreeLMError.is(error)) errors.set(response, error);
  return response;
}

/**
 * The error behind an answer of a `FreeLLM`'s `fetch`: why it has its status, or why its stream broke. Undefined where
 * nothing went wrong, where the request itself was not understood, and for every other response.
 */
export function errorBehind(response: Response): FreeLMError | undefined {
  return errors.get(response);
}
