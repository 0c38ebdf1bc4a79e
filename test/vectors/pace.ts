/** Runs the vectors of the pace at which requests pass after a hint. */

import * as z from 'zod/mini';
import {
  type Pace,
  paceReadyAt,
  withPacedRefusal,
  withPacedRequest,
  withPacedSuccess,
  withSlowStart,
} from '../../src/core/limits/pace.ts';

const step = z.discriminatedUnion('do', [
  z.strictObject({ now: z.number(), do: z.literal('send'), times: z.prefault(z.number(), 1) }),
  z.strictObject({
    now: z.number(),
    do: z.literal('serve'),
    sentAt: z.number(),
    times: z.prefault(z.number(), 1),
  }),
  z.strictObject({
    now: z.number(),
    do: z.literal('refuse'),
    sentAt: z.number(),
    /** The hint; without one, `until` is the end of the pause. */
    retryAt: z.exactOptional(z.number()),
    until: z.prefault(z.number(), 0),
    times: z.prefault(z.number(), 1),
  }),
  z.strictObject({ now: z.number(), do: z.literal('look') }),
]);
const inputSchema = z.strictObject({ steps: z.array(step) });
type Step = z.output<typeof step>;

function after(pace: Pace | undefined, one: Exclude<Step, { do: 'look' }>): Pace | undefined {
  if (one.do === 'refuse') {
    const { sentAt, retryAt, until, now } = one;
    return retryAt === undefined
      ? withSlowStart(pace, sentAt, until, now)
      : withPacedRefusal(pace, sentAt, retryAt, now);
  }
  if (pace === undefined) return undefined;
  return one.do === 'send' ? withPacedRequest(pace, one.now) : withPacedSuccess(pace, one.sentAt);
}

function run(steps: readonly Step[]): unknown {
  let pace: Pace | undefined;
  const looks: unknown[] = [];
  for (const one of steps) {
    if (one.do === 'look') {
      looks.push({ pace: pace ?? null, readyAt: Math.max(one.now, paceReadyAt(pace, one.now)) });
      continue;
    }
    for (let time = 0; time < one.times; time += 1) pace = after(pace, one);
  }
  return looks;
}

export const runners: Readonly<Record<string, (input: unknown) => unknown>> = {
  pace: (input) => run(inputSchema.parse(input).steps),
};
