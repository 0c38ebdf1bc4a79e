import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Fault, type ModelOptions } from '../../src/testing.ts';
import { ask, partly, textWith, type Question } from './support.ts';

const MODEL = 'acme/model:free';
const TOOLS = { tools: [{ type: 'function', function: { name: 'f' } }] };

interface Case {
  readonly name: string;
  readonly fault?: Fault;
  readonly model?: Partial<ModelOptions>;
  readonly question?: Question;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole error object. */
  readonly error?: unknown;
  /** The body if it is not JSON. */
  readonly text?: string;
}

const message = (code: number, text: string): { code: number; message: string } => ({
  code,
  message: text,
});

const CASES: readonly Case[] = [
  {
    name: 'no key',
    question: { headers: {} },
    status: 401,
    error: message(401, 'Missing Authentication header'),
  },
  {
    name: 'an unknown key',
    question: { key: 'sk-or-v1-nobody' },
    status: 401,
    error: message(401, 'User not found.'),
  },
  {
    name: 'a dead key',
    fault: { kind: 'unauthorized' },
    status: 401,
    error: message(401, 'User not found.'),
  },
  {
    name: 'an account without credit',
    fault: { kind: 'out-of-credits' },
    status: 402,
    error: message(402, 'Insufficient credits. Add more using https://openrouter.ai/credits'),
  },
  {
    name: 'a free variant that ended',
    fault: { kind: 'retired' },
    status: 404,
    error: message(
      404,
      'This model is unavailable for free. The paid version is available now - use this slug instead: acme/model',
    ),
  },
  {
    name: 'a free id that nobody serves',
    question: { model: 'acme/nothing:free' },
    status: 404,
    error: message(404, 'No endpoints found for acme/nothing:free.'),
  },
  {
    name: 'an id that never was',
    question: { model: 'acme/nothing' },
    status: 400,
    error: message(400, 'acme/nothing is not a valid model ID'),
  },
  {
    name: 'a model for agents only',
    model: { closed: true },
    status: 403,
    error: message(
      403,
      `${MODEL} is only available on agentic harnesses. Try plugging it into a coding agent or productivity app listed on https://openrouter.ai/apps`,
    ),
  },
  {
    name: 'a data policy that forbids free models',
    fault: { kind: 'not-entitled' },
    status: 404,
    error: message(
      404,
      'No endpoints found matching your data policy (Free model publication). Configure: https://openrouter.ai/settings/privacy',
    ),
  },
  {
    name: 'congestion upstream',
    fault: { kind: 'congested' },
    status: 429,
    error: {
      ...message(429, 'Provider returned error'),
      metadata: {
        raw: textWith(`${MODEL} is temporarily rate-limited upstream. Please retry shortly`),
        provider_name: 'Simulated',
        is_byok: false,
        provider_error_code: 'upstream_429',
        limit_source: 'upstream_provider_shared_pool',
        remedy_hint: textWith('Retry shortly'),
      },
    },
  },
  {
    name: 'congestion upstream with a time',
    fault: { kind: 'congested', retryAfterMs: 4200 },
    status: 429,
    headers: { 'Content-Type': 'application/json', 'Retry-After': '5' },
    error: {
      ...message(429, 'Provider returned error'),
      metadata: partly({ retry_after_seconds: 5, headers: { 'Retry-After': '5' } }),
    },
  },
  {
    name: 'moderation',
    fault: { kind: 'moderated' },
    status: 403,
    error: {
      ...message(
        403,
        `${MODEL} requires moderation on Simulated. Your input was flagged for "violence/graphic". No credits were charged.`,
      ),
      metadata: { reasons: ['violence/graphic'], flagged_input: 'Hello' },
    },
  },
  {
    name: 'a prompt beyond the window',
    model: { context: 100 },
    question: { fields: { max_tokens: 99 } },
    status: 400,
    error: {
      ...message(
        400,
        "This endpoint's maximum context length is 100 tokens. However, you requested about 101 tokens (2 of text input, 99 in the output). Please reduce the length of either one, or use the context-compression plugin to compress your prompt automatically.",
      ),
      metadata: { provider_name: null },
    },
  },
  {
    name: 'tools that nobody offers',
    model: { lacks: ['tools'] },
    question: { fields: TOOLS },
    status: 404,
    error: message(
      404,
      'No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing',
    ),
  },
  {
    name: 'a system message upstream refuses',
    model: { lacks: ['system'] },
    question: { fields: { messages: [{ role: 'system', content: 'Be brief.' }] } },
    status: 400,
    error: {
      ...message(400, 'Provider returned error'),
      metadata: {
        raw: textWith('"message": "Developer instruction is not enabled for models/'),
        provider_name: 'Simulated',
      },
    },
  },
  {
    name: 'an unknown parameter upstream',
    fault: { kind: 'unsupported', parameters: ['seed'] },
    question: { fields: { seed: 1 } },
    status: 400,
    error: {
      ...message(400, 'Provider returned error'),
      metadata: partly({ raw: textWith('Unsupported parameter(s): seed') }),
    },
  },
  {
    name: 'an upstream error',
    fault: { kind: 'server-error', status: 502 },
    status: 502,
    error: message(502, 'Provider returned error'),
  },
  {
    name: 'an error of its own',
    fault: { kind: 'server-error' },
    status: 500,
    error: message(500, 'Internal Server Error'),
  },
  {
    name: 'nobody left to serve',
    fault: { kind: 'server-error', status: 503, retryAfterMs: 1 },
    status: 503,
    headers: { 'Content-Type': 'application/json', 'Retry-After': '1' },
    error: message(503, 'No available providers for this model'),
  },
  {
    name: 'an outage at the edge',
    fault: { kind: 'outage' },
    status: 502,
    headers: { 'Content-Type': 'text/html' },
    text: '<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>',
  },
  {
    name: 'an unknown path',
    question: { path: '/nothing' },
    status: 404,
    error: message(404, 'Resource not found'),
  },
];

describe('a refusal by OpenRouter', () => {
  it.each(CASES)('$name', ({ fault, model, question, status, headers, error, text }) => {
    const openrouter = new ProviderSimulator('openrouter', {
      models: [{ id: MODEL, ...model }],
      faults: fault === undefined ? [] : [fault],
    });
    const answer = ask(openrouter, question);
    expect(answer.status).toBe(status);
    if (headers !== undefined) expect(answer.headers).toEqual(headers);
    // Some refusals have the user's id next to the error.
    if (error !== undefined) expect(answer.json).toEqual(partly({ error }));
    if (text !== undefined) expect(answer.text).toBe(text);
    expect(openrouter.calls).toHaveLength(1);
    expect(openrouter.calls[0]).toMatchObject({ status, refused: true });
  });
});
