/** OpenRouter's refusals, as recorded from June to October 2026. */

import type { Refusals, RequestFacts } from '../dialect.ts';
import { jsonReply, textReply, type JsonObject, type Reply } from '../exchange.ts';
import type { Account } from '../keyring.ts';
import type { Capability } from '../options.ts';
import type { ExceededLimit } from '../quotas/quotas.ts';
import { HEX, hashText, randomText, seededRandom } from '../seeded-random.ts';

/** The ids of models that are free of charge. */
export const FREE: RegExp = /:free$|^openrouter\/free$/;

interface Extra {
  readonly metadata?: JsonObject;
  readonly headers?: Reply['headers'];
  /** Some refusals have the user's id next to the error. */
  readonly owner?: Account | undefined;
}

function error(status: number, message: string, { metadata, headers = {}, owner }: Extra = {}): Reply {
  const body = { error: { message, code: status, ...(metadata && { metadata }) } };
  return jsonReply(status, { ...body, ...(owner && { user_id: userIdOf(owner) }) }, headers);
}

function userIdOf({ name }: Account): string {
  return `user_${randomText(seededRandom(hashText(name)), HEX, 24)}`;
}

/** An upstream's error, as a string in the metadata. */
function upstreamError(status: number, raw: string): Reply {
  return error(status, 'Provider returned error', { metadata: { raw, provider_name: 'Simulated' } });
}

function limitHeaders({ limit, resetsAt }: ExceededLimit): JsonObject {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': '0',
    'X-RateLimit-Reset': String(resetsAt),
  };
}

const REMEDIES = {
  day: 'Wait for the daily reset (see X-RateLimit-Reset), or purchase credits to raise your free-model daily limit.',
  dayWithCredit: 'Wait for the daily reset (see X-RateLimit-Reset)',
  upstream:
    'Retry shortly, add your own provider key (https://openrouter.ai/settings/integrations), or route to another ' +
    'provider with provider routing: https://openrouter.ai/docs/features/provider-routing',
};

function rateLimited(exceeded: ExceededLimit, { owner, modelId }: RequestFacts): Reply {
  const headers = limitHeaders(exceeded);
  const credit = owner?.tier === 'credit';
  switch (exceeded.rule.id) {
    case 'rpd': {
      const message = credit
        ? 'Rate limit exceeded: free-models-per-day-high-balance. '
        : 'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day';
      const remedy = credit ? REMEDIES.dayWithCredit : REMEDIES.day;
      const source = 'openrouter_free_tier_daily';
      return error(429, message, {
        metadata: { headers, limit_source: source, remedy_hint: remedy },
        owner,
      });
    }
    case 'rpm': {
      const metadata = { headers, limit_source: 'openrouter_free_tier_per_minute' };
      return error(429, 'Rate limit exceeded: free-models-per-min. ', { metadata, owner });
    }
    default: {
      const rule = `limit_rpm/${modelId.replace(/:free$/, '')}/00000000-0000-4000-8000-000000000000`;
      return error(
        429,
        `Rate limit exceeded: ${rule}. High demand for ${modelId} on OpenRouter - limited to ${exceeded.limit} ` +
          'requests per minute. Please retry shortly.',
        { metadata: { headers, provider_name: null }, owner },
      );
    }
  }
}

function congested(retryAfterSeconds: number | undefined, { modelId, owner }: RequestFacts): Reply {
  const metadata = {
    raw:
      `${modelId} is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate ` +
      'your rate limits: https://openrouter.ai/settings/integrations',
    provider_name: 'Simulated',
    is_byok: false,
    provider_error_code: 'upstream_429',
    limit_source: 'upstream_provider_shared_pool',
    remedy_hint: REMEDIES.upstream,
  };
  const message = 'Provider returned error';
  if (retryAfterSeconds === undefined) return error(429, message, { metadata, owner });
  const headers = { 'Retry-After': String(retryAfterSeconds) };
  const timed = { ...metadata, retry_after_seconds: retryAfterSeconds, headers };
  return error(429, message, { metadata: timed, headers, owner });
}

const LACKING: Readonly<Record<Capability, (model: string) => Reply>> = {
  tools: () =>
    error(
      404,
      'No endpoints found that support tool use. To learn more about provider routing, visit: ' +
        'https://openrouter.ai/docs/provider-routing',
    ),
  vision: () => error(404, 'No endpoints found that support image input'),
  system: (model) =>
    upstreamError(400, googleError(`Developer instruction is not enabled for models/${model}`)),
  prefill: () => upstreamError(400, googleError('Requests ending with a model turn are not supported.')),
  'parallel-tools': () =>
    upstreamError(400, '{"error":{"message":"This model only supports single tool-calls at once!"}}'),
};

function googleError(message: string): string {
  return JSON.stringify({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }, undefined, 2);
}

const SERVER_ERRORS: Readonly<Record<number, string>> = {
  502: 'Provider returned error',
  503: 'No available providers for this model',
  524: 'Request timed out. Please try again later.',
  529: 'Provider returned error',
};

export const openrouterRefusals: Refusals = {
  'unknown-path': () => error(404, 'Resource not found'),
  forbidden: () =>
    textReply(403, '<!DOCTYPE html><html><body>Access denied</body></html>', 'text/html; charset=UTF-8'),
  'missing-key': () => error(401, 'Missing Authentication header'),
  'bad-credentials': () => error(401, 'Missing Authentication header'),
  unauthorized: () => error(401, 'User not found.'),
  leaked: () => error(401, 'User not found.'),
  'echo-key': ({ status = 401 }, { key }) => error(status, `Incorrect API key provided: ${key}`),
  'out-of-credits': () => error(402, 'Insufficient credits. Add more using https://openrouter.ai/credits'),
  'unreadable-body': ({ detail }) => error(400, `Invalid request body: ${detail}`),
  'missing-model': () => error(400, 'No models provided'),
  'bad-request': ({ detail }) => error(400, `Invalid request parameters: ${detail}`),
  retired: (_, { modelId }) =>
    error(
      404,
      'This model is unavailable for free. The paid version is available now - use this slug instead: ' +
        modelId.replace(/:free$/, ''),
    ),
  'unknown-model': (_, { modelId, known, owner }) =>
    FREE.test(modelId) || known
      ? error(404, `No endpoints found for ${modelId}.`, { owner })
      : error(400, `${modelId} is not a valid model ID`, { owner }),
  'not-entitled': ({ as }, { modelId }) =>
    as === 'closed'
      ? error(
          403,
          `${modelId} is only available on agentic harnesses. Try plugging it into a coding agent or ` +
            'productivity app listed on https://openrouter.ai/apps',
        )
      : error(
          404,
          'No endpoints found matching your data policy (Free model publication). Configure: ' +
            'https://openrouter.ai/settings/privacy',
        ),
  'rate-limited': ({ exceeded: [first] }, request) =>
    first === undefined ? error(429, 'Rate limit exceeded') : rateLimited(first, request),
  'server-error': ({ status }) => error(status, SERVER_ERRORS[status] ?? 'Internal Server Error'),
  congested: ({ retryAfterSeconds }, request) => congested(retryAfterSeconds, request),
  moderated: ({ chat }, { modelId }) =>
    error(
      403,
      `${modelId} requires moderation on Simulated. Your input was flagged for "violence/graphic". ` +
        'No credits were charged.',
      { metadata: { reasons: ['violence/graphic'], flagged_input: chat.lastUserText.slice(0, 100) } },
    ),
  'unsupported-parameters': ({ parameters }) =>
    upstreamError(
      400,
      JSON.stringify({ error: { message: `Unsupported parameter(s): ${parameters.join(', ')}`, code: 400 } }),
    ),
  'unsupported-capability': ({ capability }, { modelId }) => LACKING[capability](modelId),
  disliked: ({ status, message }) =>
    upstreamError(status, JSON.stringify({ error: { message, type: 'BadRequestError', code: status } })),
  'context-too-long': ({ context, chat: { promptTokens, maxTokens } }) =>
    error(
      400,
      `This endpoint's maximum context length is ${context} tokens. However, you requested about ` +
        `${promptTokens + maxTokens} tokens (${promptTokens} of text input` +
        `${maxTokens > 0 ? `, ${maxTokens} in the output` : ''}). Please reduce the length of either one, or use ` +
        'the context-compression plugin to compress your prompt automatically.',
      { metadata: { provider_name: null } },
    ),
};
