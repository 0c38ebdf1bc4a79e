/** Reads what the pool answers where it is an error. */

import { errorFromResponse } from '../index.ts';
import { APIConnectionTimeoutError, APIError, causedBy, errorOfStatus } from './errors.ts';

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error that a body or an event tells of. */
function errorIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const error = isObject(value) ? value['error'] : undefined;
  return isObject(error) ? error : undefined;
}

/** How freelm says that `timeoutMs` ran out. */
const TIMEOUT = { status: 504, code: 'timeout' };

/** The error of a response whose status is one. */
export async function refusal(response: Response): Promise<APIError> {
  const text = await response.text();
  const { status, headers } = response;
  const error = errorIn(parse(text));
  const cause = errorFromResponse(response);
  if (status === TIMEOUT.status && error?.['code'] === TIMEOUT.code)
    return new APIConnectionTimeoutError({ message: String(error['message']), cause });
  const message = error === undefined && text !== '' ? text : undefined;
  return errorOfStatus({ status, headers, error, message, cause });
}

/** The error that an event of a stream tells of; undefined where it is a good one. */
export function errorInEvent(value: unknown, response: Response): APIError | undefined {
  const error = errorIn(value);
  if (error === undefined) return undefined;
  return causedBy(new APIError(undefined, error, undefined, response.headers), errorFromResponse(response));
}
