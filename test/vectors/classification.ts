/** Runs the vectors of classification: error bodies, answers, hints, and what they mean together. */

import * as z from 'zod/mini';
import { readRetryHints } from '../../src/core/retry-after.ts';
import { classify } from '../../src/providers/classify.ts';
import { googleSpec, nimSpec, openrouterSpec, type RefusalRule } from '../../src/providers/spec.ts';
import { readChatResponse } from '../../src/wire/chat-response.ts';
import { readErrorBody } from '../../src/wire/error-body.ts';

const rulesOf: Readonly<Record<string, readonly RefusalRule[]>> = {
  google: googleSpec.refusals,
  nim: nimSpec.refusals,
  openrouter: openrouterSpec.refusals,
};

const bodyInput = z.object({ body: z.unknown() });
const replyInput = z.object({
  provider: z.optional(z.string()),
  status: z.number(),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.unknown(),
  now: z.number(),
});

/** A body that is not a string stands for its JSON text. */
function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = {
  'error-body': (input) => readErrorBody(textOf(bodyInput.parse(input).body)),
  'chat-response': (input) => {
    const answer = readChatResponse(textOf(bodyInput.parse(input).body));
    if (!answer.ok) return answer;
    const { raw: _, ...completion } = answer.completion;
    return { ok: true, completion };
  },
  'retry-hints': (input) => {
    const { status, headers = {}, body, now } = replyInput.parse(input);
    const { json, message } = readErrorBody(textOf(body));
    return readRetryHints({ status, headers, json, message }, now);
  },
  classify: (input) => {
    const { provider, status, headers = {}, body, now } = replyInput.parse(input);
    const rules = provider === undefined ? [] : rulesOf[provider];
    if (rules === undefined) throw new Error(`no provider is called ${String(provider)}`);
    return classify({ status, headers, body: textOf(body) }, rules, now);
  },
};
