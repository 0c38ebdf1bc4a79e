import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Fault, type ModelOptions } from '../../src/testing.ts';
import { ask, partly, textLike, type Question } from './support.ts';

const MODEL = 'acme/model';
const PROBLEM = 'application/problem+json';
const JSON_TYPE = 'application/json';
const TEXT = 'text/plain; charset=utf-8';
const tool = { type: 'function', function: { name: 'f' } };

interface Case {
  readonly name: string;
  readonly fault?: Fault;
  readonly model?: Partial<ModelOptions>;
  readonly question?: Question;
  readonly status: number;
  readonly type: string;
  /** The body, as a string or as JSON. */
  readonly body: unknown;
}

const CASES: readonly Case[] = [
  {
    name: 'no key',
    question: { headers: {} },
    status: 401,
    type: TEXT,
    body: 'Header of type `authorization` was missing',
  },
  {
    name: 'a credential that it cannot read',
    question: { headers: { authorization: 'Basic abc' } },
    status: 401,
    type: TEXT,
    body: 'Unauthorized access',
  },
  {
    name: 'an unknown key',
    question: { key: 'nvapi-nobody' },
    status: 403,
    type: PROBLEM,
    body: { status: 403, title: 'Forbidden', detail: 'Authorization failed' },
  },
  {
    name: 'a revoked key',
    fault: { kind: 'unauthorized' },
    status: 403,
    type: PROBLEM,
    body: { status: 403, title: 'Forbidden', detail: 'Authorization failed' },
  },
  {
    name: 'an account without credit',
    fault: { kind: 'out-of-credits' },
    status: 402,
    type: PROBLEM,
    body: {
      status: 402,
      title: 'Payment Required',
      detail: "Account 'account-1': Cloud credits expired - Please contact NVIDIA representatives",
    },
  },
  {
    name: 'a body that is no JSON',
    question: { body: 'x' },
    status: 500,
    type: TEXT,
    body: textLike(/^failed to decode json body: .+\n$/s),
  },
  {
    name: 'a body without a model, in JSON that is labelled as text',
    question: { body: '{}' },
    status: 400,
    type: TEXT,
    body: {
      error: {
        message: 'model field is required',
        type: 'invalid_request_error',
        param: null,
        code: 'missing_required_field',
      },
    },
  },
  {
    name: 'an unknown model, in plain text',
    question: { model: 'acme/nothing' },
    status: 404,
    type: TEXT,
    body: '404 page not found\n',
  },
  {
    name: 'an unknown path in the same way',
    question: { path: '/nothing' },
    status: 404,
    type: TEXT,
    body: '404 page not found\n',
  },
  {
    name: 'a model that the account does not have',
    fault: { kind: 'not-entitled' },
    status: 404,
    type: PROBLEM,
    body: {
      status: 404,
      title: 'Not Found',
      detail: textLike(/^Function '[0-9a-f-]{36}': Not found for account 'account-1'$/),
    },
  },
  {
    name: 'a model at its end',
    fault: { kind: 'retired' },
    status: 410,
    type: PROBLEM,
    body: {
      type: 'about:blank',
      title: 'Gone',
      status: 410,
      detail: `The model '${MODEL}' has reached its end of life on 2026-10-10T00:00:00Z and is no longer available.`,
    },
  },
  {
    name: 'a full worker',
    fault: { kind: 'congested' },
    status: 503,
    type: JSON_TYPE,
    body: {
      error: {
        message: 'ResourceExhausted: Worker local total request limit reached (16/16)',
        type: 'Service Unavailable',
        code: 503,
      },
    },
  },
  {
    name: 'a lost model server',
    fault: { kind: 'server-error' },
    status: 500,
    type: PROBLEM,
    body: {
      type: 'urn:inference-connection:problem-details:internal-server-error',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Inference connection error while making inference request',
    },
  },
  {
    name: 'a failed gateway',
    fault: { kind: 'server-error', status: 502 },
    status: 502,
    type: PROBLEM,
    body: { type: 'about:blank', title: 'Bad Gateway', status: 502, detail: 'Upstream request failed.' },
  },
  {
    name: 'parameters by schema',
    model: { refuses: ['frequency_penalty', 'n'] },
    question: { fields: { frequency_penalty: 1, n: 2 } },
    status: 422,
    type: PROBLEM,
    body: {
      type: 'urn:inference-service:problem-details:unprocessable-entity',
      title: 'Unprocessable Entity',
      status: 422,
      detail:
        'body -> frequency_penalty\n  Extra inputs are not permitted (type=extra_forbidden)\n' +
        'body -> n\n  Extra inputs are not permitted (type=extra_forbidden)',
    },
  },
  {
    name: 'a parameter in the words of Python',
    question: { fields: { prompt_cache_key: 'main' } },
    status: 400,
    type: JSON_TYPE,
    body: {
      error:
        "[{'type': 'extra_forbidden', 'loc': ('body', 'prompt_cache_key'), 'msg': 'Extra inputs are not permitted'}]",
    },
  },
  {
    name: 'parameters by validation',
    model: { refuses: ['reasoning_budget'] },
    question: { fields: { reasoning: {}, reasoning_budget: 1 } },
    status: 400,
    type: JSON_TYPE,
    body: {
      error: {
        message: 'Validation: Unsupported parameter(s): reasoning, reasoning_budget',
        type: 'Bad Request',
        code: 400,
      },
    },
  },
  {
    name: 'tools',
    model: { lacks: ['tools'] },
    question: { fields: { tools: [tool] } },
    status: 400,
    type: JSON_TYPE,
    body: {
      error: {
        message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
    },
  },
  {
    name: 'a system message, with status 500',
    model: { lacks: ['system'] },
    question: { fields: { messages: [{ role: 'system', content: 'Be brief.' }] } },
    status: 500,
    type: PROBLEM,
    body: {
      type: 'urn:inference-service:problem-details:internal-server-error',
      title: 'Internal Server Error',
      status: 500,
      detail: 'System role not supported',
    },
  },
  {
    name: 'several tool calls in one turn, with status 500',
    model: { lacks: ['parallel-tools'] },
    question: { fields: { messages: [{ role: 'assistant', tool_calls: [{}, {}] }] } },
    status: 500,
    type: PROBLEM,
    body: partly({ detail: 'This model only supports single tool-calls at once!' }),
  },
  {
    name: 'a prompt beyond the window, flat',
    model: { context: 100 },
    question: { fields: { max_tokens: 99 } },
    status: 400,
    type: JSON_TYPE,
    body: {
      object: 'error',
      message:
        "This model's maximum context length is 100 tokens. However, you requested 101 tokens (2 in the messages, 99 in the completion). Please reduce the length of the messages or completion.",
      type: 'BadRequestError',
      param: null,
      code: 400,
    },
  },
];

describe('a refusal by NVIDIA NIM', () => {
  it.each(CASES)('$name', ({ fault, model, question, status, type, body }) => {
    const nim = new ProviderSimulator('nim', {
      models: [{ id: MODEL, ...model }],
      faults: fault === undefined ? [] : [fault],
    });
    const answer = ask(nim, question);
    expect(answer.status).toBe(status);
    expect(answer.headers['Content-Type']).toBe(type);
    expect(answer.json ?? answer.text).toEqual(body);
  });
});
