/** Runs the vectors of classification: error bodies, answers, hints, quotas, and what they mean together. */

import * as z from 'zod/mini';
import { readdirSync } from 'node:fs';
import { parseJson } from '../../src/core/json.ts';
import { readRetryHints } from '../../src/providers/refusals/retry-hints.ts';
import { classify, classifyAnswer } from '../../src/providers/refusals/classify.ts';
import { readObservations } from '../../src/providers/refusals/quota-headers.ts';
import { type ProviderSpec, SPECS } from '../../src/providers/spec.ts';
import { readAnswer } from '../../src/wire/response/whole-answer.ts';
import { readErrorBody } from '../../src/wire/response/error-body.ts';
import { runWordings } from './wordings.ts';

/** The provider of that name; without one, a provider of which nothing is known. */
function specOf(name: string | undefined): Pick<ProviderSpec, 'refusals'> & Partial<ProviderSpec> {
  if (name === undefined) return { refusals: [] };
  const spec = Object.values(SPECS).find((one) => one.name === name);
  if (spec === undefined) throw new Error(`no provider is called ${name}`);
  return spec;
}

const bodyInput = z.object({ body: z.unknown() });
const replyInput = z.object({
  provider: z.optional(z.string()),
  status: z.number(),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.unknown(),
  now: z.number(),
});

const headersInput = z.object({
  provider: z.optional(z.string()),
  headers: z.record(z.string(), z.string()),
  now: z.number(),
});
const accountInput = z.object({ provider: z.string(), body: z.unknown() });

/** A body that is not a string stands for its JSON text. */
function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function runClassify(input: unknown): unknown {
  const { provider, status, headers = {}, body, now } = replyInput.parse(input);
  const reply = { status, headers, body: textOf(body) };
  const spec = specOf(provider);
  if (status !== 200) return classify(reply, spec, now);
  const answer = readAnswer(reply.body);
  if (answer.ok) throw new Error('a good answer is no refusal');
  return classifyAnswer(answer, reply, { spec, now });
}

/** The files of classification: one for the shared rules, one for the servers of this machine, one for each provider. */
const CLASSIFY = readdirSync(new URL('../../spec/vectors/', import.meta.url))
  .map((file) => file.replace(/\.json$/, ''))
  .filter((name) => name === 'classify' || name.startsWith('classify-'));

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = {
  'error-body': (input) => readErrorBody(textOf(bodyInput.parse(input).body)),
  'chat-response': (input) => {
    const answer = readAnswer(textOf(bodyInput.parse(input).body));
    if (!answer.ok) return answer;
    const { raw: _, ...completion } = answer.completion;
    return { ok: true, completion };
  },
  'retry-hints': (input) => {
    const { status, headers = {}, body, now } = replyInput.parse(input);
    const { json, message } = readErrorBody(textOf(body));
    return readRetryHints({ status, headers, json, message }, now);
  },
  'quota-headers': (input) => {
    const { provider, headers, now } = headersInput.parse(input);
    return readObservations(headers, specOf(provider).quotaHeaders ?? [], now);
  },
  'account-state': (input) => {
    const { provider, body } = accountInput.parse(input);
    const { account } = specOf(provider);
    if (account === undefined) throw new Error(`${provider} has no account endpoint`);
    return account.read(parseJson(textOf(body)));
  },
  wordings: runWordings,
  ...Object.fromEntries(CLASSIFY.map((file) => [file, runClassify])),
};
