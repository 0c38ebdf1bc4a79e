/** A call and a stream in vitest. */
/* global test */

import { done } from './call.mjs';

test('a call and a stream', () => done);
