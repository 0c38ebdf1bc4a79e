/**
 * Google AI Studio's OpenAI-compatible route. Each model of a project has its own limits, in sliding windows of 60 seconds
 * and in days that end at midnight in Los Angeles.
 */

import { bearerOf, type Credential, type Dialect } from '../dialect.ts';
import { jsonReply, type SimulatedRequest } from '../exchange.ts';
import type { Limits } from '../options.ts';
import type { QuotaRule } from '../quotas/quotas.ts';
import { LETTERS_AND_DIGITS, randomText } from '../seeded-random.ts';
import { googleCompletion, googleEvents } from './google-completion.ts';
import { PLAIN_EMBEDDINGS } from '../embeddings.ts';
import { GOOGLE_HEADERS, googleRefusals, invalidArgument } from './google-refusals.ts';
import { googleModels } from './models.ts';

const NO_FREE_TIER: Limits = { rpm: 0, rpd: 0, tpm: 0 };

/** AI Studio's rate-limit pages of several accounts, 2026-07-18 to 2026-10-04. The first match applies. */
const FREE_TIER: readonly (readonly [models: RegExp, limits: Limits])[] = [
  [/-pro\b|^gemini-2\.0-|-image\b|computer-use/, NO_FREE_TIER],
  [/^gemini-2\.5-flash-lite/, { rpm: 10, rpd: 20, tpm: 250_000 }],
  [/embedding/, { rpm: 100, rpd: 1000, tpm: 30_000 }],
  [/flash-lite/, { rpm: 15, rpd: 500, tpm: 250_000 }],
  [/^gemma-/, { rpm: 30, rpd: 14_400, tpm: 16_000 }],
  [/^/, { rpm: 5, rpd: 20, tpm: 250_000 }],
];

/** Not published. The order of magnitude follows reports of paying users. */
const TIER_1: Limits = { rpm: 300, rpd: 10_000, tpm: 1_000_000 };

function rule(limit: keyof Limits, counter: QuotaRule['counter']): QuotaRule {
  return {
    id: limit,
    limit,
    per: 'account-model',
    counter,
    setBy: ['model', 'provider'],
    // Unknown for Google.
    countsRefused: false,
    countsInputs: true,
  };
}

/** Google refuses a second credential next to the bearer token, and counts OpenAI's own headers as one. */
function credentialOf(request: SimulatedRequest): Credential {
  const key = bearerOf(request);
  if (key === undefined) return { problem: 'missing-key' };
  const others = ['x-goog-api-key', 'openai-organization', 'openai-project'];
  const doubled = others.some((name) => name in request.headers) || /[?&]key=/.test(request.path);
  return doubled ? { problem: 'bad-credentials' } : { key };
}

export const google: Dialect = {
  name: 'google',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  listsWithoutKey: false,
  listsRetired: true,
  models: googleModels,
  refuses: ['frequency_penalty', 'reasoning', 'seed', 'top_k'],
  quotas: () => [
    rule('rpd', { kind: 'daily', timeZone: 'America/Los_Angeles' }),
    rule('rpm', { kind: 'sliding-window' }),
    rule('tpm', { kind: 'sliding-window' }),
  ],
  usualLimits: (tier, model) =>
    tier === 'free' ? (FREE_TIER.find(([models]) => models.test(model))?.[1] ?? {}) : TIER_1,
  makeKey: (random) => `AIza${randomText(random, LETTERS_AND_DIGITS, 35)}`,
  credentialOf,
  modelIdOf: (id) => id.replace(/^models\//, ''),
  isFree: () => true,
  resolve: (model) => model,
  listModels: (models) =>
    jsonReply(
      200,
      {
        object: 'list',
        data: models.map(({ id }) => ({ id: `models/${id}`, object: 'model', owned_by: 'google' })),
      },
      GOOGLE_HEADERS,
    ),
  complete: (completion) => ({ body: googleCompletion(completion), headers: GOOGLE_HEADERS }),
  stream: (completion) => ({
    events: googleEvents(completion),
    headers: { ...GOOGLE_HEADERS, 'Content-Type': 'text/event-stream' },
  }),
  keepAlive: 'keep-alive',
  streamError: { code: 503, message: 'The service is currently unavailable.', status: 'UNAVAILABLE' },
  accountRoutes: {},
  // As recorded in 2026-01. Nothing is known of its usage.
  embeddings: {
    ...PLAIN_EMBEDDINGS,
    maxInputs: 100,
    refuse: invalidArgument,
    tooMany: (most) => `* BatchEmbedContentsRequest.requests: at most ${most} requests can be in one batch\n`,
    reportsUsage: false,
    order: 'forward',
    omitsZero: true,
  },
  refuse: googleRefusals,
};
