/** Runs the vectors of images. */

import * as z from 'zod/mini';
import { firstStep, nextStep } from '../../src/wire/images/fetch-step.ts';
import { imageType } from '../../src/wire/images/image-type.ts';
import { isPublicAddress } from '../../src/wire/images/public-address.ts';

const fetchInput = z.strictObject({
  url: z.string(),
  redirects: z.optional(z.number()),
  answer: z.optional(
    z.strictObject({ status: z.number(), location: z.optional(z.string()), length: z.optional(z.string()) }),
  ),
});

function step(input: unknown): unknown {
  const { url, answer, redirects = 0 } = fetchInput.parse(input);
  if (answer === undefined) return firstStep(url);
  const { status, location, length } = answer;
  return nextStep(url, { status, location, length }, redirects);
}

function typeOf(input: unknown): unknown {
  const { bytes } = z.strictObject({ bytes: z.string() }).parse(input);
  return imageType(Buffer.from(bytes, 'base64')) ?? null;
}

export const runners: Record<string, (input: unknown) => unknown> = {
  'public-address': (input) => isPublicAddress(z.strictObject({ address: z.string() }).parse(input).address),
  'image-fetch': step,
  'image-type': typeOf,
};
