/** Runs the vectors of broken and continued streams. */

import * as z from 'zod/mini';
import { continuationOf, OverlapTrimmer } from '../../src/wire/resume.ts';

const seamInput = z.strictObject({ delivered: z.string(), pieces: z.array(z.string()) });
const handedOut = z.strictObject({ text: z.boolean(), toolCalls: z.boolean(), json: z.boolean() });

export const runners: Readonly<Record<string, (input: unknown) => unknown>> = {
  overlap(input) {
    const { delivered, pieces } = seamInput.parse(input);
    const seam = new OverlapTrimmer(delivered);
    let text = '';
    for (const piece of pieces) text += seam.feed(piece);
    text += seam.end();
    return { text, diverged: seam.diverged };
  },
  continuation: (input) => continuationOf(handedOut.parse(input)),
};
