/** The vectors of classification, for tests that read all of them. */

import * as z from 'zod/mini';
import { readdirSync, readFileSync } from 'node:fs';
import type { Failure } from '../../src/core/failure.ts';
import { classify, classifyAnswer, type Reply } from '../../src/providers/refusals/classify.ts';
import { type ProviderSpec, SPECS } from '../../src/providers/spec.ts';
import { readAnswer } from '../../src/wire/response/whole-answer.ts';

const inputSchema = z.object({
  provider: z.optional(z.string()),
  status: z.number(),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.unknown(),
});
export type RefusalInput = z.infer<typeof inputSchema>;

const fileSchema = z.object({
  cases: z.array(
    z.object({
      input: inputSchema,
      expect: z.object({ kind: z.string(), retryAt: z.optional(z.number()) }),
    }),
  ),
});

const folder = new URL('../../spec/vectors/', import.meta.url);

const wordingsSchema = z.object({
  cases: z.array(
    z.object({
      input: z.object({ message: z.string(), statuses: z.array(z.number()) }),
      expect: z.object({ kind: z.string() }),
    }),
  ),
});

/** The wordings, each as one refusal of a provider of which nothing is known. */
function wordings(): z.infer<typeof fileSchema>['cases'] {
  const { cases } = wordingsSchema.parse(JSON.parse(readFileSync(new URL('wordings.json', folder), 'utf8')));
  return cases.map(({ input: { message, statuses }, expect }) => ({
    input: { status: statuses[0] ?? 400, body: { error: { message } } },
    expect,
  }));
}

/** The cases of every classification vector, with the kind of failure expected. */
export const REFUSAL_VECTORS: z.infer<typeof fileSchema>['cases'] = readdirSync(folder)
  .filter((file) => file === 'classify.json' || file.startsWith('classify-'))
  .flatMap((file) => fileSchema.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))).cases)
  .concat(wordings());

/** A body that is not a string stands for its JSON text. */
export function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

export type KnownRefusals = Pick<ProviderSpec, 'refusals' | 'quotaHeaders' | 'identity'>;

/** A provider without rules of its own. */
export const NOBODY: KnownRefusals = { refusals: [] };

/** The refusal data of a provider. */
export function refusalsOf(provider: string | undefined): KnownRefusals {
  return Object.values(SPECS).find(({ name }) => name === provider) ?? NOBODY;
}

/** Classifies any answer; `undefined` for a good one. */
export function failureIn(reply: Reply, spec: KnownRefusals, now: number): Failure | undefined {
  if (reply.status !== 200) return classify(reply, spec, now);
  const answer = readAnswer(reply.body);
  return answer.ok ? undefined : classifyAnswer(answer, reply, { spec, now });
}
