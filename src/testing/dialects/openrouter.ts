/**
 * OpenRouter. The limits of an account cover all free models, per minute of the clock and per UTC day. Refused requests
 * count. Bodies follow recordings from June to October 2026.
 */

import { bearerCredential, type AccountRoute, type Dialect } from '../dialect.ts';
import { jsonReply, type JsonObject } from '../exchange.ts';
import { maskKey } from '../mask-key.ts';
import type { ModelOptions } from '../options.ts';
import { HEX, randomText } from '../seeded-random.ts';
import { PLAIN_EMBEDDINGS } from '../embeddings.ts';
import { openrouterModels } from './models.ts';
import {
  DISCONNECTED,
  generationId,
  openrouterCompletion,
  openrouterEvents,
  PROCESSING,
} from './openrouter-completion.ts';
import { FREE, openrouterRefusals } from './openrouter-refusals.ts';

function listEntry(model: ModelOptions): JsonObject {
  const { id, context = 131_072, lacks = ['vision'], output = 'text', reasons = false } = model;
  const inputs = lacks.includes('vision') ? ['text'] : ['text', 'image'];
  const price = FREE.test(id) || output === 'audio' ? '0' : '0.0000001';
  const parameters = ['max_tokens', 'response_format', 'seed', 'temperature', 'top_p'];
  if (!lacks.includes('tools')) parameters.push('tool_choice', 'tools');
  if (reasons) parameters.push('include_reasoning', 'reasoning');
  return {
    id,
    canonical_slug: id.replace(/:free$/, ''),
    name: FREE.test(id) ? `${id} (free)` : id,
    created: 1_780_000_000,
    description: 'A simulated model.',
    context_length: context,
    architecture: {
      modality: `${inputs.join('+')}->${output}`,
      input_modalities: inputs,
      output_modalities: [output],
      tokenizer: 'Other',
      instruct_type: null,
    },
    pricing: { prompt: price, completion: price },
    top_provider: { context_length: context, max_completion_tokens: 32_768, is_moderated: false },
    per_request_limits: null,
    supported_parameters: output === 'text' ? parameters : [],
    expiration_date: null,
  };
}

function isFreeChat({ id, output = 'text', closed }: ModelOptions): boolean {
  return id.endsWith(':free') && output === 'text' && closed !== true;
}

const aboutKey: AccountRoute = (request, quota) => {
  const { used, limit } = quota('rpd');
  const data = {
    label: maskKey(request.key ?? ''),
    limit: null,
    limit_remaining: null,
    limit_reset: null,
    usage: 0,
    is_free_tier: request.owner?.tier === 'free',
    is_management_key: false,
    is_provisioning_key: false,
    rate_limit: { requests: -1, interval: '10s', note: 'This field is deprecated and safe to ignore.' },
    free_model_daily_requests: { used, limit, remaining: Math.max(0, limit - used) },
  };
  return jsonReply(200, { data });
};

export const openrouter: Dialect = {
  name: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  listsWithoutKey: true,
  listsRetired: false,
  models: openrouterModels,
  refuses: [],
  quotas: () => [
    {
      id: 'rpd',
      limit: 'rpd',
      per: 'account',
      counter: { kind: 'daily', timeZone: 'UTC' },
      setBy: ['provider'],
      countsRefused: true,
    },
    {
      id: 'rpm',
      limit: 'rpm',
      per: 'account',
      counter: { kind: 'fixed-window' },
      setBy: ['provider'],
      countsRefused: true,
    },
    {
      id: 'model-rpm',
      limit: 'rpm',
      per: 'account-model',
      counter: { kind: 'fixed-window' },
      setBy: ['model'],
      countsRefused: true,
    },
  ],
  usualLimits: (tier) => ({ rpm: 20, rpd: tier === 'credit' ? 1000 : 50 }),
  makeKey: (random) => `sk-or-v1-${randomText(random, HEX, 64)}`,
  credentialOf: bearerCredential,
  modelIdOf: (id) => id,
  isFree: ({ id, free = FREE.test(id) }) => free,
  resolve: (model, all) => {
    if (model.id !== 'openrouter/free') return model;
    return all.find(isFreeChat) ?? model;
  },
  listModels: (models) =>
    jsonReply(
      200,
      { data: models.map(listEntry), total_count: models.length, links: { next: null } },
      { 'Cache-Control': 'public, max-age=300, stale-while-revalidate=3600, stale-if-error=3600' },
    ),
  complete: (completion) => ({
    body: openrouterCompletion(completion),
    headers: { 'Content-Type': 'application/json', 'X-Generation-Id': generationId(completion) },
  }),
  stream: (completion) => ({
    events: openrouterEvents(completion),
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache',
      'X-Generation-Id': generationId(completion),
    },
  }),
  keepAlive: PROCESSING,
  streamError: DISCONNECTED,
  embeddings: { ...PLAIN_EMBEDDINGS, order: 'forward', extra: { id: 'gen-emb-1', provider: 'Nvidia' } },
  accountRoutes: { 'GET /key': aboutKey, 'GET /auth/key': aboutKey },
  refuse: openrouterRefusals,
};
