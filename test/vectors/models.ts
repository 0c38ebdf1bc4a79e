/** Runs the vectors of the models room. */

import * as z from 'zod/mini';
import { readModelList } from '../../src/catalog/discover.ts';
import { capabilityTags, sizeTags } from '../../src/catalog/size-tags.ts';
import { SPECS } from '../../src/providers/spec.ts';

const sizeTagsInput = z.object({ text: z.string() });

const modelSpec = z.object({
  id: z.string(),
  tags: z.optional(z.array(z.string())),
  ctx: z.optional(z.number()),
  maxOutput: z.optional(z.number()),
  free: z.optional(z.boolean()),
  priority: z.optional(z.number()),
});

const values = z.array(z.union([z.string(), z.number(), z.boolean()]));
const condition = z.strictObject({
  path: z.string(),
  is: z.optional(values),
  only: z.optional(values),
  not: z.optional(values),
  required: z.optional(z.boolean()),
});
const shape = z.strictObject({
  list: z.optional(z.string()),
  id: z.optional(z.string()),
  ctx: z.optional(z.array(z.string())),
  maxOutput: z.optional(z.string()),
  chat: z.optional(z.array(condition)),
  capabilities: z.optional(
    z.strictObject({
      tools: z.optional(condition),
      vision: z.optional(condition),
      reasoning: z.optional(condition),
    }),
  ),
});

const discoveryInput = z.object({
  body: z.unknown(),
  options: z.strictObject({
    now: z.number(),
    builtIn: z.array(modelSpec),
    freeOnly: z.boolean(),
    freePattern: z.optional(z.string()),
    freePrices: z.optional(z.array(z.string())),
    exclude: z.array(z.string()),
    shape: z.optional(shape),
    complete: z.optional(z.boolean()),
  }),
});

const providerListInput = z.object({ provider: z.string(), body: z.unknown(), freeOnly: z.boolean() });
const AS_OF = Date.UTC(2026, 10, 22);

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
  'provider-lists': (input) => {
    const { provider, body, freeOnly } = providerListInput.parse(input);
    const spec = Object.values(SPECS).find(({ name }) => name === provider);
    if (spec?.discovery === undefined) throw new Error(`${provider} has no list`);
    return { models: readModelList(body, { ...spec.discovery, freeOnly, builtIn: spec.models, now: AS_OF }) };
  },
};
