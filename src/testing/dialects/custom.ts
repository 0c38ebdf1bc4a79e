/** A plain OpenAI-compatible endpoint. Has only the limits that a test gives it, per account by default. */

import { filteredCompletion } from '../answers/completion.ts';
import { bearerCredential, type Dialect, type Refusals, type RequestFacts } from '../dialect.ts';
import { jsonReply, textReply, withRetryAfter, type Reply } from '../exchange.ts';
import type { Limits, QuotaStyle } from '../options.ts';
import type { ExceededLimit, QuotaRule } from '../quotas/quotas.ts';
import { LETTERS_AND_DIGITS, randomText } from '../seeded-random.ts';
import { customCompletion, customEvents } from './custom-completion.ts';
import { PLAIN_EMBEDDINGS } from '../embeddings.ts';
import { customModels } from './models.ts';

function error(status: number, message: string, code: string | null, param: string | null = null): Reply {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return jsonReply(status, { error: { message, type, param, code } });
}

const SPANS: Readonly<Record<keyof Limits, string>> = {
  rps: 'requests per second (RPS)',
  rpd: 'requests per day (RPD)',
  rpm: 'requests per minute (RPM)',
  tpm: 'tokens per minute (TPM)',
};

function rateLimited(
  { rule, limit, requested, resetsAt }: ExceededLimit,
  { now, modelId }: RequestFacts,
  style: QuotaStyle,
): Reply {
  const seconds = Math.max(1, Math.ceil((resetsAt - now) / 1000));
  if (style.refusal === 'hint') return withRetryAfter(error(429, 'Too many requests.', null), seconds);
  const on = `on ${SPANS[rule.limit]}: Limit ${limit}`;
  if (requested > limit) {
    const message = `Request too large for model \`${modelId}\` ${on}, Requested ${requested}, please reduce your message size.`;
    return error(413, message, 'rate_limit_exceeded');
  }
  const message = `Rate limit reached ${on}. Please try again in ${seconds}s.`;
  return withRetryAfter(error(429, message, 'rate_limit_exceeded'), seconds);
}

const refuse: Refusals = {
  'unknown-path': (_, { path }) => error(404, `Unknown request URL: ${path}.`, 'unknown_url'),
  forbidden: () => textReply(403, '<!DOCTYPE html><html><body>Forbidden</body></html>', 'text/html'),
  'missing-key': () => error(401, 'You did not provide an API key.', null),
  'bad-credentials': () => error(401, 'You did not provide an API key.', null),
  unauthorized: () => error(401, 'Incorrect API key provided.', 'invalid_api_key'),
  leaked: () => error(401, 'This API key was disabled because it was found in public.', 'invalid_api_key'),
  'echo-key': ({ status = 401 }, { key }) =>
    error(status, `Incorrect API key provided: ${key}.`, 'invalid_api_key'),
  'out-of-credits': () => error(402, 'Insufficient credits.', 'insufficient_quota'),
  'unreadable-body': () => error(400, 'We could not parse the JSON body of your request.', null),
  'missing-model': () => error(400, 'you must provide a model parameter', null),
  'bad-request': ({ detail }) => error(400, detail, null),
  retired: (_, { modelId }) => error(404, `The model \`${modelId}\` has been deprecated.`, 'model_not_found'),
  'unknown-model': (_, { modelId }) =>
    error(404, `The model \`${modelId}\` does not exist or you do not have access to it.`, 'model_not_found'),
  'not-entitled': (_, { modelId }) =>
    error(403, `Your account does not have access to model \`${modelId}\`.`, 'model_access_denied'),
  'rate-limited': ({ exceeded: [first], style }, request) =>
    first === undefined || style.refusal === 'nothing'
      ? error(429, 'Too many requests.', null)
      : rateLimited(first, request, style),
  'server-error': ({ status }) =>
    error(status, 'The server had an error while processing your request.', null),
  congested: ({ retryAfterSeconds }) =>
    withRetryAfter(
      error(503, 'The engine is currently overloaded, please try again later.', null),
      retryAfterSeconds,
    ),
  moderated: ({ chat }, { modelId, now }) =>
    jsonReply(200, customCompletion(filteredCompletion(modelId, chat, now))),
  'unsupported-parameters': ({ parameters: [first = ''] }) =>
    error(400, `Unrecognized request argument supplied: ${first}`, null, first),
  'unsupported-capability': ({ capability }, { modelId }) =>
    error(400, `The model \`${modelId}\` does not support ${capability}.`, 'unsupported_value'),
  disliked: ({ status, message }) => error(status, message, null),
  'context-too-long': ({ context, chat: { promptTokens, maxTokens } }) =>
    error(
      400,
      `This model's maximum context length is ${context} tokens. However, you requested ` +
        `${promptTokens + maxTokens} tokens (${promptTokens} in the messages, ${maxTokens} in the completion). ` +
        'Please reduce the length of the messages or completion.',
      'context_length_exceeded',
      'messages',
    ),
};

const DAY_MS = 24 * 60 * 60 * 1000;
const SECOND: QuotaRule['counter'] = { kind: 'sliding-window', windowMs: 1000 };
const COUNTERS: Readonly<
  Record<NonNullable<QuotaStyle['limiter']>, Readonly<Record<keyof Limits, QuotaRule['counter']>>>
> = {
  windows: {
    rps: SECOND,
    rpd: { kind: 'daily', timeZone: 'UTC' },
    rpm: { kind: 'sliding-window' },
    tpm: { kind: 'sliding-window' },
  },
  'token-bucket': {
    rps: SECOND,
    rpd: { kind: 'token-bucket', windowMs: DAY_MS },
    rpm: { kind: 'token-bucket', windowMs: 60_000 },
    tpm: { kind: 'token-bucket', windowMs: 60_000 },
  },
};

function rules(
  setBy: QuotaRule['setBy'][number],
  per: QuotaRule['per'],
  { limiter = 'windows', tokens = 'input' }: QuotaStyle,
): QuotaRule[] {
  const counters = COUNTERS[limiter];
  return (['rpd', 'rpm', 'rps', 'tpm'] as const).map((limit) => ({
    id: setBy === 'model' ? `model-${limit}` : limit,
    limit,
    per,
    counter: counters[limit],
    setBy: [setBy],
    countsRefused: false,
    counts: tokens,
  }));
}

export const custom: Dialect = {
  name: 'custom',
  baseUrl: 'http://custom.localhost/v1',
  listsWithoutKey: false,
  listsRetired: false,
  models: customModels,
  refuses: [],
  quotas: (style) => [
    ...rules('provider', style.per ?? 'account', style),
    ...rules('model', 'account-model', style),
  ],
  usualLimits: () => ({}),
  makeKey: (random) => `sk-${randomText(random, LETTERS_AND_DIGITS, 48)}`,
  credentialOf: bearerCredential,
  modelIdOf: (id) => id,
  isFree: () => true,
  resolve: (model) => model,
  listModels: (models) =>
    jsonReply(200, {
      object: 'list',
      data: models.map(({ id }) => ({ id, object: 'model', created: 1_780_000_000, owned_by: 'custom' })),
    }),
  complete: (completion) => ({
    body: customCompletion(completion),
    headers: { 'Content-Type': 'application/json' },
  }),
  stream: (completion, includeUsage) => ({
    events: customEvents(completion, includeUsage),
    headers: { 'Content-Type': 'text/event-stream' },
  }),
  keepAlive: 'keep-alive',
  streamError: {
    message: 'The server had an error while processing your request.',
    type: 'server_error',
    param: null,
    code: null,
  },
  accountRoutes: {},
  embeddings: PLAIN_EMBEDDINGS,
  refuse,
};
