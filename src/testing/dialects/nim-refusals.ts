/**
 * NVIDIA NIM's refusals: problem documents and plain text of the gateway, and the formats of the model servers. Sources:
 * the gateway's code (NVIDIA/nvcf, 2026-08-22) and recordings up to October 2026.
 */

import { filteredCompletion } from '../answers/completion.ts';
import type { Refusals, RequestFacts } from '../dialect.ts';
import { jsonReply, textReply, type JsonObject, type Reply } from '../exchange.ts';
import type { Capability } from '../options.ts';
import { HEX, hashText, randomText, seededRandom } from '../seeded-random.ts';
import { nimCompletion } from './nim-completion.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  410: 'Gone',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

function problem(status: number, detail?: string, extra: JsonObject = {}): Reply {
  const title = TITLES[status] ?? 'Error';
  const body = { status, title, ...(detail !== undefined && { detail }), ...extra };
  return jsonReply(status, body, { 'Content-Type': 'application/problem+json' });
}

/** A problem document that the model server sends. */
function serverProblem(source: string, status: number, detail: string): Reply {
  const name = (TITLES[status] ?? '').toLowerCase().replaceAll(' ', '-');
  return problem(status, detail, { type: `urn:${source}:problem-details:${name}` });
}

function modelServerError(status: number, message: string, type: string): Reply {
  return jsonReply(status, { error: { message, type, param: null, code: status } });
}

/** The id of the function behind a model. Deterministic per model. */
function functionOf({ modelId }: RequestFacts): string {
  const hex = randomText(seededRandom(hashText(modelId)), HEX, 12);
  return `00000000-0000-4000-8000-${hex}`;
}

const SCHEMA_CHECKED = new Set(['frequency_penalty', 'presence_penalty', 'n', 'logit_bias']);

/** The model servers refuse parameters in three formats. */
function unsupportedParameters(parameters: readonly string[]): Reply {
  if (parameters.every((name) => SCHEMA_CHECKED.has(name))) {
    const lines = parameters.map(
      (name) => `body -> ${name}\n  Extra inputs are not permitted (type=extra_forbidden)`,
    );
    return serverProblem('inference-service', 422, lines.join('\n'));
  }
  if (parameters.every((name) => name === 'prompt_cache_key')) {
    const message = 'Extra inputs are not permitted';
    const entry = `{'type': 'extra_forbidden', 'loc': ('body', 'prompt_cache_key'), 'msg': '${message}'}`;
    return jsonReply(400, { error: `[${entry}]` });
  }
  const message = `Validation: Unsupported parameter(s): ${parameters.join(', ')}`;
  return jsonReply(400, { error: { message, type: 'Bad Request', code: 400 } });
}

const LACKING: Readonly<Record<Capability, () => Reply>> = {
  tools: () =>
    modelServerError(
      400,
      '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      'BadRequestError',
    ),
  vision: () =>
    modelServerError(400, 'At most 0 image(s) may be provided in one request.', 'BadRequestError'),
  system: () => serverProblem('inference-service', 500, 'System role not supported'),
  prefill: () => serverProblem('inference-service', 500, 'Last role must be user or tool, got assistant'),
  'parallel-tools': () =>
    serverProblem('inference-service', 500, 'This model only supports single tool-calls at once!'),
};

function serverError(status: number): Reply {
  if (status === 500) {
    const detail = 'Inference connection error while making inference request';
    return serverProblem('inference-connection', 500, detail);
  }
  const details: Readonly<Record<number, string>> = {
    502: 'Upstream request failed.',
    504: 'worker did not acknowledge the status request.',
  };
  return problem(status, details[status] ?? 'The service is offline.', { type: 'about:blank' });
}

function congested(retryAfterSeconds: number | undefined): Reply {
  const message = 'ResourceExhausted: Worker local total request limit reached (16/16)';
  const headers: Reply['headers'] =
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
  return jsonReply(503, { error: { message, type: 'Service Unavailable', code: 503 } }, headers);
}

const PAGE_NOT_FOUND: Reply = {
  ...textReply(404, '404 page not found\n'),
  headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
};

export const nimRefusals: Refusals = {
  'unknown-path': () => PAGE_NOT_FOUND,
  forbidden: () => textReply(403, '<!DOCTYPE html><html><body>Access denied</body></html>', 'text/html'),
  'missing-key': () => textReply(401, 'Header of type `authorization` was missing'),
  'bad-credentials': () => textReply(401, 'Unauthorized access'),
  unauthorized: () => problem(403, 'Authorization failed'),
  leaked: () => problem(403, 'Authorization failed'),
  'echo-key': ({ status = 403 }, { key }) => problem(status, `Authorization failed for key ${key}`),
  'out-of-credits': (_, { owner }) =>
    problem(402, `Account '${owner?.name}': Cloud credits expired - Please contact NVIDIA representatives`),
  'unreadable-body': ({ detail }) => textReply(500, `failed to decode json body: ${detail}\n`),
  // The gateway sets no content type here, so the JSON arrives as plain text.
  'missing-model': () =>
    textReply(
      400,
      JSON.stringify({
        error: {
          message: 'model field is required',
          type: 'invalid_request_error',
          param: null,
          code: 'missing_required_field',
        },
      }),
    ),
  'bad-request': ({ detail }) =>
    jsonReply(400, {
      object: 'error',
      message: detail,
      type: 'BadRequestError',
      param: null,
      code: 400,
    }),
  retired: (_, { modelId, now }) =>
    problem(
      410,
      `The model '${modelId}' has reached its end of life on ` +
        `${new Date(now).toISOString().slice(0, 10)}T00:00:00Z and is no longer available.`,
      { type: 'about:blank' },
    ),
  'unknown-model': () => PAGE_NOT_FOUND,
  'not-entitled': (_, request) =>
    problem(404, `Function '${functionOf(request)}': Not found for account '${request.owner?.name}'`),
  'rate-limited': () => problem(429),
  'server-error': ({ status }) => serverError(status),
  congested: ({ retryAfterSeconds }) => congested(retryAfterSeconds),
  moderated: ({ chat }, { modelId, now }) =>
    jsonReply(200, nimCompletion(filteredCompletion(modelId, chat, now))),
  'unsupported-parameters': ({ parameters }) => unsupportedParameters(parameters),
  'unsupported-capability': ({ capability }) => LACKING[capability](),
  disliked: ({ status, message }) => modelServerError(status, message, 'BadRequestError'),
  'context-too-long': ({ context, chat: { promptTokens, maxTokens } }) =>
    jsonReply(400, {
      object: 'error',
      message:
        `This model's maximum context length is ${context} tokens. However, you requested ` +
        `${promptTokens + maxTokens} tokens (${promptTokens} in the messages, ${maxTokens} in the completion). ` +
        'Please reduce the length of the messages or completion.',
      type: 'BadRequestError',
      param: null,
      code: 400,
    }),
};
