/** Refusals of Google AI Studio's OpenAI-compatible route, as recorded up to October 2026. Each is in an array. */

import { filteredCompletion } from '../answers/completion.ts';
import type { Refusals, RequestFacts } from '../dialect.ts';
import { jsonReply, withRetryAfter, type JsonObject, type Reply } from '../exchange.ts';
import type { Capability } from '../options.ts';
import type { ExceededLimit } from '../quotas/quotas.ts';
import { hashText } from '../seeded-random.ts';
import { googleCompletion } from './google-completion.ts';

const TYPE = 'type.googleapis.com/google.rpc';
const SERVICE = 'generativelanguage.googleapis.com';
export const GOOGLE_HEADERS: Reply['headers'] = {
  'Content-Type': 'application/json; charset=UTF-8',
  Vary: 'Origin',
  'X-Gemini-Service-Tier': 'standard',
};

/** An HTTP status and Google's name for it. */
type Code = readonly [status: number, name: string];
const INVALID_ARGUMENT: Code = [400, 'INVALID_ARGUMENT'];
const PERMISSION_DENIED: Code = [403, 'PERMISSION_DENIED'];
const NOT_FOUND: Code = [404, 'NOT_FOUND'];
const RESOURCE_EXHAUSTED: Code = [429, 'RESOURCE_EXHAUSTED'];
const UNAVAILABLE: Code = [503, 'UNAVAILABLE'];

function error([status, name]: Code, message: string, details?: readonly JsonObject[]): Reply {
  const body = { code: status, message, status: name, ...(details && { details }) };
  return jsonReply(status, [{ error: body }], GOOGLE_HEADERS);
}

function errorInfo(reason: string, message: string, metadata: JsonObject = {}): JsonObject[] {
  return [
    {
      '@type': `${TYPE}.ErrorInfo`,
      reason,
      domain: 'googleapis.com',
      metadata: { service: SERVICE, ...metadata },
    },
    { '@type': `${TYPE}.LocalizedMessage`, locale: 'en-US', message },
  ];
}

function keyInvalid(message: string): Reply {
  return error(INVALID_ARGUMENT, message, errorInfo('API_KEY_INVALID', message));
}

/** Google's names of a limit of embeddings (recorded 2026-07 to 2026-09). */
function embedNamesOf(rule: string): { metric: string; quotaId: string } {
  const metric = `${SERVICE}/embed_content_free_tier_${rule === 'tpm' ? 'input_token_count' : 'requests'}`;
  if (rule === 'tpm')
    return { metric, quotaId: 'EmbedContentInputTokensPerMinutePerProjectPerModel-FreeTier' };
  const span = rule === 'rpd' ? 'Day' : 'Minute';
  return { metric, quotaId: `EmbedContentRequestsPer${span}PerUserPerProjectPerModel-FreeTier` };
}

/** Google's names of a limit. Those of paid tiers lack `FreeTier`. */
function namesOf(
  rule: string,
  tier: string,
  route: RequestFacts['route'],
): { metric: string; quotaId: string } {
  const paid = tier !== 'free';
  if (route === 'embeddings') return embedNamesOf(rule);
  if (rule === 'tpm') {
    return {
      metric: `${SERVICE}/generate_content_${paid ? 'paid' : 'free'}_tier_input_token_count`,
      quotaId: paid
        ? 'GenerateContentPaidTierInputTokensPerModelPerMinute'
        : 'GenerateContentInputTokensPerModelPerMinute-FreeTier',
    };
  }
  const span = rule === 'rpd' ? 'Day' : 'Minute';
  return {
    metric: `${SERVICE}/generate_content_${paid ? 'paid' : 'free'}_tier_requests`,
    quotaId: `GenerateRequestsPer${span}PerProjectPerModel${paid ? '' : '-FreeTier'}`,
  };
}

interface Violation {
  readonly rule: string;
  readonly limit: number;
}

function violationOf(
  { rule, limit }: Violation,
  tier: string,
  model: string,
  route: RequestFacts['route'],
): JsonObject {
  const { metric, quotaId } = namesOf(rule, tier, route);
  return {
    quotaMetric: metric,
    quotaId,
    quotaDimensions: { location: 'global', model },
    // A model without a free tier has no value here.
    ...(limit > 0 && { quotaValue: String(limit) }),
  };
}

function quotaFailure(violations: readonly Violation[], waitMs: number, request: RequestFacts): Reply {
  const model = request.known?.aliasOf ?? request.known?.id ?? request.modelId;
  const tier = request.owner?.tier ?? 'free';
  const lines = violations.map(
    ({ rule, limit }) =>
      `* Quota exceeded for metric: ${namesOf(rule, tier, request.route).metric}, limit: ${limit}, model: ${model}\n`,
  );
  const message =
    'You exceeded your current quota, please check your plan and billing details. For more information on this ' +
    'error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: ' +
    `https://ai.dev/rate-limit. \n${lines.join('')}Please retry in ${waitMs / 1000}s.`;
  return error(RESOURCE_EXHAUSTED, message, [
    {
      '@type': `${TYPE}.Help`,
      links: [
        {
          description: 'Learn more about Gemini API quotas',
          url: 'https://ai.google.dev/gemini-api/docs/rate-limits',
        },
      ],
    },
    {
      '@type': `${TYPE}.QuotaFailure`,
      violations: violations.map((violation) => violationOf(violation, tier, model, request.route)),
    },
    { '@type': `${TYPE}.RetryInfo`, retryDelay: `${Math.floor(waitMs / 1000)}s` },
  ]);
}

/** The misleading wait that Google reports for a daily limit: 15 to 59 seconds instead of the time to midnight. */
function misleadingWaitMs({ now, modelId }: RequestFacts): number {
  return 15_000 + (hashText(`${modelId}${now}`) % 44_000);
}

function rateLimited(exceeded: readonly ExceededLimit[], request: RequestFacts): Reply {
  const violations = exceeded.map(({ rule, limit }) => ({ rule: rule.id, limit }));
  const day = exceeded.some(({ rule }) => rule.id === 'rpd');
  const until = Math.max(...exceeded.map(({ resetsAt }) => resetsAt));
  return quotaFailure(
    violations,
    day ? misleadingWaitMs(request) : Math.max(0, until - request.now),
    request,
  );
}

const NO_FREE_TIER: readonly Violation[] = [
  { rule: 'rpd', limit: 0 },
  { rule: 'rpm', limit: 0 },
  { rule: 'tpm', limit: 0 },
];

function unknownFields(parameters: readonly string[]): Reply {
  const descriptions = parameters.map(
    (name) => `Invalid JSON payload received. Unknown name "${name}": Cannot find field.`,
  );
  return error(INVALID_ARGUMENT, descriptions.join('\n'), [
    {
      '@type': `${TYPE}.BadRequest`,
      fieldViolations: descriptions.map((description) => ({ description })),
    },
  ]);
}

const LACKING: Readonly<Record<Capability, (model: string) => string>> = {
  tools: (model) => `Function calling is not enabled for models/${model}`,
  vision: (model) => `Image input modality is not enabled for models/${model}`,
  system: (model) => `Developer instruction is not enabled for models/${model}`,
  prefill: () => 'Requests ending with a model turn are not supported.',
  'parallel-tools': () => 'Parallel tool calls are not supported.',
};

const SERVER_ERRORS: Readonly<Record<number, readonly [name: string, message: string]>> = {
  503: ['UNAVAILABLE', 'The service is currently unavailable.'],
  504: ['DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
};

function serverError(status: number): Reply {
  const [name, message] = SERVER_ERRORS[status] ?? [
    'INTERNAL',
    'An internal error has occurred. Please retry or report in ' +
      'https://developers.generativeai.google/guide/troubleshooting',
  ];
  return error([status, name], message);
}

/** The refusal of a request that is at fault. */
export function invalidArgument(message: string): Reply {
  return error(INVALID_ARGUMENT, message);
}

/** The model id without the optional prefix `models/`. */
function bare(modelId: string): string {
  return modelId.replace(/^models\//, '');
}

export const googleRefusals: Refusals = {
  'unknown-path': () => error(NOT_FOUND, 'Requested entity was not found.'),
  forbidden: () => error([400, 'FAILED_PRECONDITION'], 'User location is not supported for the API use.'),
  'missing-key': () => error(INVALID_ARGUMENT, 'Missing or invalid Authorization header.'),
  'bad-credentials': () =>
    error(INVALID_ARGUMENT, 'Multiple authentication credentials received. Please pass only one.'),
  unauthorized: () => keyInvalid('API key not valid. Please pass a valid API key.'),
  leaked: () => error(PERMISSION_DENIED, 'Your API key was reported as leaked. Please use another API key.'),
  'echo-key': ({ status = 403 }, { key }) => {
    const message = `Permission denied: Consumer 'api_key:${key}' has been suspended.`;
    const details = errorInfo('CONSUMER_SUSPENDED', message, { containerInfo: `api_key:${key}` });
    return error([status, 'PERMISSION_DENIED'], message, details);
  },
  'out-of-credits': () =>
    error(
      RESOURCE_EXHAUSTED,
      'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your ' +
        'project and billing.',
    ),
  'unreadable-body': ({ detail }) => error(INVALID_ARGUMENT, `Invalid JSON payload received. ${detail}`),
  'missing-model': () => error(INVALID_ARGUMENT, 'model is not specified'),
  'bad-request': ({ detail }) => error(INVALID_ARGUMENT, `Request contains an invalid argument: ${detail}`),
  retired: (_, { modelId }) =>
    error(
      NOT_FOUND,
      `This model models/${bare(modelId)} is no longer available. Please update your code to use a newer model for ` +
        'the latest features and improvements.',
    ),
  'unknown-model': (_, { modelId }) =>
    error(
      NOT_FOUND,
      `models/${bare(modelId)} is not found for API version v1main, or is not supported for generateContent. Call ` +
        'ListModels to see the list of available models and their supported methods.',
    ),
  'not-entitled': ({ as }, request) =>
    as === 'limit-zero'
      ? quotaFailure(NO_FREE_TIER, misleadingWaitMs(request), request)
      : error(
          NOT_FOUND,
          `This model models/${bare(request.modelId)} is no longer available to new users. Please update your code to ` +
            'use a newer model for the latest features and improvements.',
        ),
  'rate-limited': ({ exceeded }, request) => rateLimited(exceeded, request),
  'server-error': ({ status }) => serverError(status),
  congested: ({ retryAfterSeconds }) => {
    const busy = error(
      UNAVAILABLE,
      'This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again ' +
        'later.',
    );
    return withRetryAfter(busy, retryAfterSeconds);
  },
  moderated: ({ chat }, { modelId, now }) =>
    jsonReply(200, googleCompletion(filteredCompletion(bare(modelId), chat, now)), GOOGLE_HEADERS),
  'unsupported-parameters': ({ parameters }) => unknownFields(parameters),
  'unsupported-capability': ({ capability }, { modelId }) =>
    error(INVALID_ARGUMENT, LACKING[capability](bare(modelId))),
  // A refusal by Google always has the status 400.
  disliked: ({ message }) => error(INVALID_ARGUMENT, message),
  'context-too-long': ({ context }) =>
    error(
      INVALID_ARGUMENT,
      `The input token count exceeds the maximum number of tokens allowed (${context}).`,
    ),
};
