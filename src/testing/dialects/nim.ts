/**
 * NVIDIA NIM. Each model of an account, or the account, has a limit that no answer reports. Refused requests count, so that hammering
 * prolongs the block.
 */

import { bearerOf, type Dialect } from '../dialect.ts';
import { jsonReply, type Reply } from '../exchange.ts';
import type { Completion } from '../answers/completion.ts';
import type { Limits, ModelOptions } from '../options.ts';
import type { QuotaRule } from '../quotas/quotas.ts';
import { LETTERS_AND_DIGITS, randomText } from '../seeded-random.ts';
import { PLAIN_EMBEDDINGS } from '../embeddings.ts';
import { nimModels } from './models.ts';
import { nimCompletion, nimEvents } from './nim-completion.ts';
import { nimRefusals } from './nim-refusals.ts';

const KEY_CHARACTERS = `${LETTERS_AND_DIGITS}-_`;
/** The value of `created` in all entries of the real list. */
const CREATED = 735_790_403;

function rule(
  limit: keyof Limits,
  counter: QuotaRule['counter'],
  per: QuotaRule['per'] = 'account-model',
): QuotaRule {
  const setBy = ['model', 'provider'] as const;
  return { id: limit, limit, per, counter, setBy, countsRefused: true };
}

function functionHeaders({ serial }: Completion): Reply['headers'] {
  return {
    'nvcf-reqid': `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`,
    'nvcf-status': 'fulfilled',
  };
}

function listModels(models: readonly ModelOptions[]): Reply {
  const data = models
    .map(({ id }) => ({ id, object: 'model', created: CREATED, owned_by: id.split('/')[0] }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return jsonReply(200, { object: 'list', data });
}

export const nim: Dialect = {
  name: 'nim',
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  listsWithoutKey: true,
  listsRetired: false,
  models: nimModels,
  refuses: ['prompt_cache_key', 'reasoning'],
  quotas: ({ per }) => [
    rule('rpd', { kind: 'daily', timeZone: 'UTC' }, per),
    rule('rpm', { kind: 'sliding-window' }, per),
  ],
  usualLimits: () => ({ rpm: 40 }),
  makeKey: (random) => `nvapi-${randomText(random, KEY_CHARACTERS, 64)}`,
  credentialOf: (request) => {
    if (request.headers['authorization'] === undefined) return { problem: 'missing-key' };
    const key = bearerOf(request);
    return key === undefined ? { problem: 'bad-credentials' } : { key };
  },
  modelIdOf: (id) => id,
  isFree: () => true,
  resolve: (model) => model,
  listModels,
  complete: (completion) => ({
    body: nimCompletion(completion),
    headers: { 'Content-Type': 'application/json', ...functionHeaders(completion) },
  }),
  stream: (completion, includeUsage) => ({
    events: nimEvents(completion, includeUsage),
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      ...functionHeaders(completion),
    },
  }),
  keepAlive: 'keep-alive',
  streamError: {
    message: 'ResourceExhausted: Worker local total request limit reached (16/16)',
    type: 'Service Unavailable',
    code: 503,
  },
  accountRoutes: {},
  // The error of its retrieval models is a text (recorded 2025-11).
  embeddings: {
    ...PLAIN_EMBEDDINGS,
    refuse: (detail) => jsonReply(400, { error: detail }),
    order: 'forward',
  },
  refuse: nimRefusals,
};
