/** The table of conversations for a client of OpenAI's protocol, over both faces of a pool on virtual time. */

import type { Fetch } from '../../src/index.ts';
import type { VirtualClock } from '../../src/testing.ts';
import {
  describeConversations,
  type MakeTalker,
  type Talker,
  UNDER_FAULTS,
} from '../support/conversations.ts';
import { FACES, placeOf, type Place } from './served-pool.ts';

/** A part of the least wait that the library has. */
const STEP_MS = 20;
/** More than any conversation takes. */
const MOST_STEPS = 100_000;

/** Advances the clock until the promise settles. Sockets live on real time: between the steps they are read. */
async function runOn<Value>(clock: VirtualClock, promise: Promise<Value>): Promise<Value> {
  const state = { isSettled: false };
  const note = (): void => {
    state.isSettled = true;
  };
  promise.then(note, note);
  for (let steps = 0; !state.isSettled; steps += 1) {
    if (steps > MOST_STEPS) throw new Error('The client waits for something that does not happen.');
    await clock.advance(STEP_MS);
  }
  return promise;
}

/** The same place, where each request asks for the next model. The clients choose one model for all turns of their loops. */
function forced({ fetch, baseUrl }: Place, nextModel: () => string): Place {
  const asking: Fetch = (input, init) => {
    const body: unknown = JSON.parse(typeof init?.body === 'string' ? init.body : '');
    return fetch(input, { ...init, body: JSON.stringify(Object.assign({}, body, { model: nextModel() })) });
  };
  return { fetch: asking, baseUrl };
}

/** Runs the table with a client, made for a place. */
export function describeClientConversations(
  client: string,
  make: (place: Place) => Omit<Talker, 'run'>,
): void {
  for (const face of FACES) {
    const makeTalker: MakeTalker = async (pool, nextModel) => {
      const place = await placeOf(face, pool.llm);
      const talker = make(nextModel === undefined ? place : forced(place, nextModel));
      return { ...talker, run: (promise) => runOn(pool.clock, promise) };
    };
    // A gateway answers by `llm.fetch`, so each provider alone would show nothing new there.
    const pools = face === 'the gateway' ? UNDER_FAULTS : undefined;
    describeConversations(`${client} over ${face}`, makeTalker, pools);
  }
}
