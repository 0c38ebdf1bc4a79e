/** Runs the vectors of the wire: streams, and requests as providers take them. */

import * as z from 'zod/mini';
import { SPECS } from '../../src/providers/spec.ts';
import { chatBody } from '../../src/wire/request/chat-body.ts';
import { ChunkReader } from '../../src/wire/response/chat-chunk.ts';
import type { ChatMessage } from '../../src/wire/request/chat-request.ts';
import { reducedSchema } from '../../src/wire/request/schema-reduction.ts';
import type { RequestShape } from '../../src/wire/request/request-shape.ts';
import { featuresOf, plainFeaturesOf } from '../../src/wire/request/features.ts';
import { estimateTokens } from '../../src/wire/request/token-estimate.ts';
import {
  FIELD_TRANSFORMS,
  isFieldTransform,
  isMessageTransform,
  isRequestTransform,
  MESSAGE_TRANSFORMS,
  REQUEST_TRANSFORMS,
} from '../../src/wire/request/transforms.ts';
import { deepFreeze } from '../support/deep-freeze.ts';

const streamInput = z.union([
  z.strictObject({ body: z.string() }),
  z.strictObject({ data: z.array(z.unknown()) }),
]);

function bodyOf(input: z.output<typeof streamInput>): string {
  if ('body' in input) return input.body;
  const events = input.data.map((data) => (typeof data === 'string' ? data : JSON.stringify(data)));
  return events.map((data) => `data: ${data}\n\n`).join('');
}

function readStream(input: unknown): unknown {
  const reader = new ChunkReader();
  const parts = [...reader.read(new TextEncoder().encode(bodyOf(streamInput.parse(input))))];
  const end = reader.end();
  parts.push(...end.parts);
  if (end.kind === 'refused') return { parts, end: { kind: end.kind, refusal: end.refusal } };
  return { parts, end: end.kind === 'cut' ? { kind: end.kind, message: end.message } : { kind: end.kind } };
}

const messages = z.array(
  z.custom<ChatMessage>((value) => typeof value === 'object' && value !== null && 'role' in value),
);
const fields = z.record(z.string(), z.unknown());
const names = z.optional(z.array(z.string()));

const transformInput = z.union([
  z.strictObject({ transform: z.string(), messages, fields }),
  z.strictObject({ transform: z.string(), messages }),
  z.strictObject({ transform: z.string(), fields }),
]);

function transform(input: unknown): unknown {
  const given = deepFreeze(transformInput.parse(input));
  const name = given.transform;
  if ('messages' in given && 'fields' in given) {
    if (!isRequestTransform(name)) throw new Error(`${name} does not change a request`);
    return REQUEST_TRANSFORMS[name]({ messages: given.messages, fields: given.fields });
  }
  if ('messages' in given && isMessageTransform(name)) return MESSAGE_TRANSFORMS[name](given.messages);
  if ('fields' in given && isFieldTransform(name)) return FIELD_TRANSFORMS[name](given.fields);
  throw new Error(`no transform is called ${name}`);
}

const requestInput = z.strictObject({
  messages,
  fields,
  provider: z.optional(z.string()),
  shape: z.optional(z.custom<RequestShape>((value) => typeof value === 'object')),
  model: z.optional(z.string()),
  drop: names,
  lacks: names,
  plain: z.optional(z.boolean()),
  maxTokens: z.optional(z.number()),
  maxOutput: z.optional(z.number()),
});

function writeRequest(input: unknown): unknown {
  const {
    provider,
    model = 'm',
    shape,
    drop,
    lacks,
    plain,
    maxTokens,
    maxOutput,
    ...request
  } = deepFreeze(requestInput.parse(input));
  const spec = Object.values(SPECS).find(({ name }) => name === provider);
  if (provider !== undefined && spec === undefined) throw new Error(`no provider is called ${provider}`);
  const way = { shape: shape ?? spec?.request, provider, drop, lacks, plain, maxTokens, maxOutput };
  const written: unknown = JSON.parse(chatBody(request).for(model, way));
  return written;
}

function featuresOfForms(input: unknown): unknown {
  const request = deepFreeze(estimateInput.parse(input));
  return { usual: featuresOf(request), plain: plainFeaturesOf(request) };
}

const estimateInput = z.strictObject({ messages, fields });

function estimate(input: unknown): unknown {
  const written: unknown = JSON.parse(JSON.stringify(estimateTokens(estimateInput.parse(input))));
  return written;
}

const reductionInput = z.strictObject({
  schema: z.record(z.string(), z.unknown()),
  dialect: z.strictObject({
    takes: z.optional(z.array(z.string())),
    refuses: z.optional(z.array(z.string())),
    openApi: z.optional(z.boolean()),
  }),
});

function reduce(input: unknown): unknown {
  const { schema, dialect } = deepFreeze(reductionInput.parse(input));
  return reducedSchema(schema, dialect);
}

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = {
  'chat-chunks': readStream,
  transforms: transform,
  'chat-request': writeRequest,
  'schema-reduction': reduce,
  'token-estimate': estimate,
  features: featuresOfForms,
};
