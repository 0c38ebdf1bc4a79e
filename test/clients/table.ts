/** One table of cases for every client of OpenAI's protocol, against both faces of a pool. */

import { describe, expect, it } from 'vitest';
import { errorOf } from '../support/rejection.ts';
import { until } from '../support/server.ts';
import { bench, type Bench, FACES, type Face, type Place, SAYINGS, STRANGE } from './bench.ts';
import type { Call, Client } from './client.ts';

/** What a client does that others do not. */
export interface Traits {
  readonly name: string;
  make(place: Place, bench: Bench): Client;
  /** Whether it sends a request again that cannot go better: `x-should-retry` is not for it. */
  readonly retriesInVain?: boolean | undefined;
}

const HELLO = { text: 'Hello' };
const report = (city: string): string => `sunny in ${city}`;

async function read(pieces: AsyncIterable<string>): Promise<string[]> {
  const read: string[] = [];
  for await (const piece of pieces) if (piece !== '') read.push(piece);
  return read;
}
