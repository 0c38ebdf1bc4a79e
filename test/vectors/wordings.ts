/** Runs the vectors of wordings: one message, in several shapes of body, at every status and several providers. */

import * as z from 'zod/mini';
import type { Failure } from '../../src/core/failure.ts';
import { classify } from '../../src/providers/refusals/classify.ts';
import { SPECS } from '../../src/providers/spec.ts';

const NOW = 1_790_000_000_000;

const inputSchema = z.object({ message: z.string(), statuses: z.array(z.number()) });

/** The shapes of body in which a message arrives: OpenAI's, flat ones, a text, and those of gateways. */
const BODIES: readonly ((message: string, status: number) => string)[] = [
  (message) => JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
  (message, status) => JSON.stringify([{ error: { code: status, message, status: 'INVALID_ARGUMENT' } }]),
  (message, code) => JSON.stringify({ object: 'error', message, type: 'BadRequestError', param: null, code }),
  (message, status) => JSON.stringify({ type: 'about:blank', title: 'Bad Request', status, detail: message }),
  (message) => JSON.stringify({ error: message }),
  (message) => message,
  (message, code) =>
    JSON.stringify({
      error: {
        message: 'Provider returned error',
        code,
        metadata: { raw: JSON.stringify({ error: { message } }), provider_name: 'Somebody' },
      },
    }),
  (message, code) =>
    JSON.stringify({ error: { message: 'Provider returned error', code, metadata: { raw: message } } }),
];
const PROVIDERS = [
  { refusals: [] },
  SPECS.openrouter,
  SPECS.google,
  SPECS.nim,
  SPECS.groq,
  SPECS.vllm,
] as const;

function verdictOf({ kind, scope, parameters, capabilities, contextLength }: Failure): string {
  return JSON.stringify({ kind, scope, parameters, capabilities, contextLength });
}

/** A message as one refusal. */
interface Case {
  readonly spec: (typeof PROVIDERS)[number];
  readonly status: number;
  readonly bodyOf: (typeof BODIES)[number];
}

/** The verdict on a message, or each of them if they differ. */
function verdictsOf(message: string, cases: readonly Case[]): unknown {
  const failures = cases.map(({ spec, status, bodyOf }) =>
    classify({ status, headers: {}, body: bodyOf(message, status) }, spec, NOW),
  );
  const verdicts = [...new Set(failures.map(verdictOf))].map((verdict): unknown => JSON.parse(verdict));
  return verdicts.length === 1 ? verdicts[0] : verdicts;
}

/** Every shape of body at a provider of which nothing is known, and at each other provider another shape for each status. */
export function runWordings(input: unknown): unknown {
  const { message, statuses } = inputSchema.parse(input);
  const [unknown, ...known] = PROVIDERS;
  const shapes = statuses.flatMap((status) => BODIES.map((bodyOf) => ({ spec: unknown, status, bodyOf })));
  const providers = known.flatMap((spec, index) =>
    statuses.map((status, turn) => {
      const bodyOf = BODIES[(message.length + index + turn) % BODIES.length] ?? String;
      return { spec, status, bodyOf };
    }),
  );
  return verdictsOf(message, [...shapes, ...providers]);
}

/** Every shape of body, at every status and provider. */
export function runAllWordings(input: unknown): unknown {
  const { message, statuses } = inputSchema.parse(input);
  const cases = PROVIDERS.flatMap((spec) =>
    statuses.flatMap((status) => BODIES.map((bodyOf) => ({ spec, status, bodyOf }))),
  );
  return verdictsOf(message, cases);
}
