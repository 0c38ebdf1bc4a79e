/** What becomes of requests once the pool is closed. */

import { FreeLMError } from '../errors.ts';

export function closedError(): FreeLMError {
  return new FreeLMError({ code: 'closed', message: 'This FreeLLM is closed. Make a new one.' });
}
