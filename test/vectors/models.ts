/** Runs the vectors of the models room. */

import * as z from 'zod/mini';
import { readModelList } from '../../src/models/discover.ts';
import { capabilityTags, sizeTags } from '../../src/models/size-tags.ts';

const sizeTagsInput = z.object({ text: z.string() });

const modelSpec = z.object({
  id: z.string(),
  tags: z.optional(z.array(z.string())),
  ctx: z.optional(z.number()),
  free: z.optional(z.boolean()),
  priority: z.optional(z.number()),
});

const discoveryInput = z.object({
  body: z.unknown(),
  options: z.object({
    now: z.number(),
    builtIn: z.array(modelSpec),
    freeOnly: z.boolean(),
    freePattern: z.optional(z.string()),
    exclude: z.array(z.string()),
  }),
});

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = {
  'size-tags': (input) => {
    const { text } = sizeTagsInput.parse(input);
    return { size: sizeTags(text), capabilities: capabilityTags(text) };
  },
  discovery: (input) => {
    const { body, options } = discoveryInput.parse(input);
    return { models: readModelList(body, options) };
  },
};
