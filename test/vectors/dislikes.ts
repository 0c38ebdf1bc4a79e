/** Runs the vectors of what models dislike: requests are rejected and served, and what is concluded is asked. */

import * as z from 'zod/mini';
import { CLOSED } from '../../src/core/circuit-breaker.ts';
import { dislikeOf, withRejection, withServing } from '../../src/core/records/dislikes.ts';
import type { ModelRecord } from '../../src/core/records/provider.ts';
import { deepFreeze } from '../support/deep-freeze.ts';

const features = z.array(z.string());
const step = z.discriminatedUnion('do', [
  z.strictObject({
    now: z.number(),
    do: z.literal('reject'),
    features,
    plain: z.prefault(z.boolean(), false),
  }),
  z.strictObject({ now: z.number(), do: z.literal('serve'), features }),
  z.strictObject({ now: z.number(), do: z.literal('ask'), usual: features, plain: features }),
]);
const schema = z.strictObject({ steps: z.array(step) });

export const runners: Record<string, (input: unknown) => unknown> = {
  dislikes: (input) => {
    let model: ModelRecord = { breaker: CLOSED };
    const answers: string[] = [];
    for (const one of schema.parse(input).steps) {
      const { now } = one;
      if (one.do === 'reject') model = deepFreeze(withRejection(model, one.features, one.plain, now));
      else if (one.do === 'serve') model = deepFreeze(withServing(model, one.features));
      else answers.push(dislikeOf(model, (plain) => (plain ? one.plain : one.usual), now) ?? 'no');
    }
    return answers;
  },
};
