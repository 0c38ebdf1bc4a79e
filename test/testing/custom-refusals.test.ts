import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Fault, type ModelOptions } from '../../src/testing.ts';
import { ask, type Question } from './support.ts';

interface Case {
  readonly name: string;
  readonly fault?: Fault;
  readonly model?: Partial<ModelOptions>;
  readonly question?: Question;
  readonly status: number;
  readonly message: string;
  readonly code: string | null;
}

const CASES: readonly Case[] = [
  {
    name: 'no key',
    question: { headers: {} },
    status: 401,
    message: 'You did not provide an API key.',
    code: null,
  },
  {
    name: 'an unknown key',
    question: { key: 'sk-nobody' },
    status: 401,
    message: 'Incorrect API key provided.',
    code: 'invalid_api_key',
  },
  {
    name: 'a leaked key',
    fault: { kind: 'leaked' },
    status: 401,
    message: 'This API key was disabled because it was found in public.',
    code: 'invalid_api_key',
  },
  {
    name: 'an account without credit',
    fault: { kind: 'out-of-credits' },
    status: 402,
    message: 'Insufficient credits.',
    code: 'insufficient_quota',
  },
  {
    name: 'a body that is no JSON',
    question: { body: '{' },
    status: 400,
    message: 'We could not parse the JSON body of your request.',
    code: null,
  },
  {
    name: 'a body without a model',
    question: { body: '{}' },
    status: 400,
    message: 'you must provide a model parameter',
    code: null,
  },
  {
    name: 'an unknown model',
    fault: { kind: 'unknown-model' },
    status: 404,
    message: 'The model `m` does not exist or you do not have access to it.',
    code: 'model_not_found',
  },
  {
    name: 'a retired model',
    fault: { kind: 'retired' },
    status: 404,
    message: 'The model `m` has been deprecated.',
    code: 'model_not_found',
  },
  {
    name: 'a model closed to the account',
    model: { closed: true },
    status: 403,
    message: 'Your account does not have access to model `m`.',
    code: 'model_access_denied',
  },
  {
    name: 'an overloaded engine',
    fault: { kind: 'congested' },
    status: 503,
    message: 'The engine is currently overloaded, please try again later.',
    code: null,
  },
  {
    name: 'an error of its own',
    fault: { kind: 'server-error' },
    status: 500,
    message: 'The server had an error while processing your request.',
    code: null,
  },
  {
    name: 'a parameter',
    model: { refuses: ['seed'] },
    question: { fields: { seed: 1 } },
    status: 400,
    message: 'Unrecognized request argument supplied: seed',
    code: null,
  },
  {
    name: 'tools',
    fault: { kind: 'unsupported', capabilities: ['tools'] },
    question: { fields: { tools: [{}] } },
    status: 400,
    message: 'The model `m` does not support tools.',
    code: 'unsupported_value',
  },
  {
    name: 'a prompt beyond the window',
    model: { context: 1 },
    status: 400,
    message:
      "This model's maximum context length is 1 tokens. However, you requested 2 tokens (2 in the messages, 0 in the completion). Please reduce the length of the messages or completion.",
    code: 'context_length_exceeded',
  },
  {
    name: 'an unknown path',
    question: { path: '/nothing' },
    status: 404,
    message: 'Unknown request URL: /nothing.',
    code: 'unknown_url',
  },
];

describe("a refusal by a custom endpoint, in OpenAI's format", () => {
  it.each(CASES)('$name', ({ fault, model, question, status, message, code }) => {
    const custom = new ProviderSimulator('custom', {
      models: [{ id: 'm', ...model }],
      faults: fault === undefined ? [] : [fault],
    });
    const answer = ask(custom, question);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { message, code } });
  });
});
