import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Fault, type ModelOptions } from '../../src/testing.ts';
import { anything, ask, partly, textWith, type Question } from './support.ts';

const MODEL = 'gemini-3.5-flash';
const KEY = `AIza${'x'.repeat(35)}`;
const INFO = 'type.googleapis.com/google.rpc.ErrorInfo';

interface Case {
  readonly name: string;
  readonly fault?: Fault;
  readonly model?: Partial<ModelOptions>;
  readonly question?: Question;
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details?: unknown;
}

const authorization = `Bearer ${KEY}`;
const keyInvalid = {
  code: 400,
  status: 'INVALID_ARGUMENT',
  message: 'API key not valid. Please pass a valid API key.',
  details: [
    {
      '@type': INFO,
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
    partly({ locale: 'en-US' }),
  ],
};
const invalid = { code: 400, status: 'INVALID_ARGUMENT' };
const twice = {
  ...invalid,
  message: 'Multiple authentication credentials received. Please pass only one.',
};
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };

const CASES: readonly Case[] = [
  {
    name: 'no key',
    question: { headers: { 'x-goog-api-key': KEY } },
    ...invalid,
    message: 'Missing or invalid Authorization header.',
  },
  {
    name: 'two credentials',
    question: { headers: { authorization, 'x-goog-api-key': KEY } },
    ...twice,
  },
  {
    name: "the headers of OpenAI's own SDK",
    question: { headers: { authorization, 'openai-organization': 'org' } },
    ...twice,
  },
  { name: 'an unknown key', question: { key: 'AIzaNobody' }, ...keyInvalid },
  { name: 'a dead key', fault: { kind: 'unauthorized' }, ...keyInvalid },
  {
    name: 'a leaked key',
    fault: { kind: 'leaked' },
    code: 403,
    status: 'PERMISSION_DENIED',
    message: 'Your API key was reported as leaked. Please use another API key.',
  },
  {
    name: 'a suspended key, which the answer repeats',
    fault: { kind: 'echo-key' },
    code: 403,
    status: 'PERMISSION_DENIED',
    message: `Permission denied: Consumer 'api_key:${KEY}' has been suspended.`,
    details: [partly({ reason: 'CONSUMER_SUSPENDED' }), partly({ locale: 'en-US' })],
  },
  {
    name: 'a project without credit',
    fault: { kind: 'out-of-credits' },
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message:
      'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.',
  },
  {
    name: 'a country',
    fault: { kind: 'forbidden' },
    code: 400,
    status: 'FAILED_PRECONDITION',
    message: 'User location is not supported for the API use.',
  },
  {
    name: 'an unknown model',
    question: { model: 'gemini-9-flash' },
    code: 404,
    status: 'NOT_FOUND',
    message:
      'models/gemini-9-flash is not found for API version v1main, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.',
  },
  {
    name: 'a model that only embeds',
    model: { output: 'embeddings' },
    code: 404,
    status: 'NOT_FOUND',
    message: `models/${MODEL} is not found for API version v1main, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
  },
  {
    name: 'a retired model',
    fault: { kind: 'retired' },
    code: 404,
    status: 'NOT_FOUND',
    message: `This model models/${MODEL} is no longer available. Please update your code to use a newer model for the latest features and improvements.`,
  },
  {
    name: 'a model closed to new projects',
    model: { closed: true },
    code: 404,
    status: 'NOT_FOUND',
    message: `This model models/${MODEL} is no longer available to new users. Please update your code to use a newer model for the latest features and improvements.`,
  },
  {
    name: 'high demand',
    fault: { kind: 'congested' },
    code: 503,
    status: 'UNAVAILABLE',
    message:
      'This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.',
  },
  {
    name: 'an error of its own',
    fault: { kind: 'server-error' },
    code: 500,
    status: 'INTERNAL',
    message:
      'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  },
  {
    name: 'a deadline',
    fault: { kind: 'server-error', status: 504 },
    code: 504,
    status: 'DEADLINE_EXCEEDED',
    message: 'Deadline expired before operation could complete.',
  },
  {
    name: 'fields that it does not know',
    question: { fields: { seed: 7, frequency_penalty: 1 } },
    ...invalid,
    message:
      'Invalid JSON payload received. Unknown name "seed": Cannot find field.\nInvalid JSON payload received. Unknown name "frequency_penalty": Cannot find field.',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [
          { description: textWith('"seed"') },
          { description: textWith('"frequency_penalty"') },
        ],
      },
    ],
  },
  {
    name: 'a prompt beyond the window',
    model: { context: 1 },
    ...invalid,
    message: 'The input token count exceeds the maximum number of tokens allowed (1).',
  },
  {
    name: 'a last turn of the model',
    model: { lacks: ['prefill'] },
    question: { fields: { messages: [{ role: 'assistant', content: 'Once' }] } },
    ...invalid,
    message: 'Requests ending with a model turn are not supported.',
  },
  {
    name: 'a system message',
    model: { lacks: ['system'] },
    question: { model: `models/${MODEL}`, fields: { messages: [{ role: 'system', content: 'Be brief' }] } },
    ...invalid,
    message: `Developer instruction is not enabled for models/${MODEL}`,
  },
  {
    name: 'an image',
    question: { fields: { messages: [{ role: 'user', content: [image] }] } },
    ...invalid,
    message: `Image input modality is not enabled for models/${MODEL}`,
  },
];

describe('a refusal by Google AI Studio, in an array', () => {
  it.each(CASES)('$name', ({ fault, model, question, code, status, message, details }) => {
    const google = new ProviderSimulator('google', {
      keys: [KEY],
      models: [{ id: MODEL, ...model }],
      faults: fault === undefined ? [] : [fault],
    });
    const answer = ask(google, question);
    expect(answer.status).toBe(code);
    expect(answer.json).toEqual([
      { error: { code, message, status, ...(details !== undefined && { details }) } },
    ]);
    expect(answer.headers['Content-Type']).toBe('application/json; charset=UTF-8');
    expect(answer.headers['X-Gemini-Service-Tier']).toBe('standard');
    expect(JSON.stringify(google.calls)).not.toContain(KEY);
  });

  it('of blocked content has the status 200 and no message', () => {
    const google = new ProviderSimulator('google', { faults: [{ kind: 'moderated' }] });
    const { status, json } = ask(google);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      choices: [{ index: 0, finish_reason: 'content_filter: PROHIBITED_CONTENT' }],
      usage: { completion_tokens: 0 },
    });
    expect(json).not.toMatchObject({ choices: [{ message: anything }] });
    expect(google.calls[0]).toMatchObject({ outcome: 'moderated', refused: true });
  });
});
