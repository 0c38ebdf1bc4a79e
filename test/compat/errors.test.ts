import RealOpenAI from 'openai';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import OpenAI, * as entry from '../../src/compat.ts';
import { errorOfStatus } from '../../src/compat/errors.ts';
import {
  BadRequestError,
  BrokenStreamError,
  ConfigError,
  DeadlineError,
  type FreeLLMError,
  NoProvidersAvailableError,
} from '../../src/index.ts';
import type { Fault } from '../../src/testing.ts';
import { errorOf } from '../support/rejection.ts';
import { compatClient, type CompatSetupOptions, HELLO } from './support.ts';

/** The names of a class and of its base classes, without `Error`. */
function lineage(Class: unknown): readonly string[] {
  if (typeof Class !== 'function' || Class === Error) return [];
  return [Class.name, ...lineage(Object.getPrototypeOf(Class))];
}

const ERROR_CLASSES = Object.keys(entry).filter((name) => name.endsWith('Error'));

describe('the error classes', () => {
  it.each(ERROR_CLASSES)(
    '%s has the base classes of the real one and is a static member of the client',
    (name) => {
      const own: unknown = Reflect.get(entry, name);
      expect(lineage(own)).toEqual(lineage(Reflect.get(RealOpenAI, name)));
      expect(Reflect.get(OpenAI, name)).toBe(own);
    },
  );

  const STATUSES = [400, 401, 402, 403, 404, 405, 408, 409, 418, 422, 429, 500, 501, 503, 504, 529];
  it.each(STATUSES)('include one for status %i that equals the real one field by field', (status) => {
    const headers = new Headers({ 'x-request-id': 'r-1', 'retry-after': '7' });
    const error = { message: 'No.', type: 'some_error', param: null, code: 'some_code' };
    const real = RealOpenAI.APIError.generate(status, { error }, undefined, headers);
    const ours = errorOfStatus({ status, headers, error, message: undefined, cause: undefined });
    expect(ours.constructor.name).toBe(real.constructor.name);
    const { message, code, param, type, requestID } = real;
    expect(ours).toMatchObject({ status, headers, error, message, code, param, type, requestID });
    expect(ours).not.toHaveProperty('cause');
  });

  it.each([
    { of: 'an answer without a body', status: 500, message: '500 (no message)' },
    { of: 'a body that is no error', status: 502, text: 'Bad Gateway', message: '502 Bad Gateway' },
    { of: 'an error without a message', status: 400, error: { code: 'c' }, message: '400 {"code":"c"}' },
    { of: 'an error without a status', error: { message: 'Cut.' }, message: 'Cut.' },
    { of: 'no arguments', message: 'The error has neither a status nor a message.' },
  ])('have a message for $of', ({ status, error, text, message }) => {
    expect(new OpenAI.APIError(status, error, text, undefined).message).toBe(message);
  });

  it('have their class as their name', () => {
    const error = new OpenAI.RateLimitError(429, undefined, 'Slow down', new Headers());
    expect(error.name).toBe('RateLimitError');
    expect(String(error)).toBe('RateLimitError: 429 Slow down');
  });
});

/** Failures, and the errors that the client throws for them. */
const failures: readonly {
  readonly case: string;
  readonly fault?: Fault;
  readonly provider?: CompatSetupOptions['provider'];
  /** How many calls succeed before the failure. */
  readonly calls?: number;
  readonly body?: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>;
  readonly is: new (...init: never) => Error;
  readonly shape: object;
  readonly cause?: new (...init: never) => FreeLLMError;
}[] = [
  {
    case: 'an empty list of messages',
    body: { messages: [] },
    is: OpenAI.BadRequestError,
    shape: { status: 400, param: 'messages' },
    cause: BadRequestError,
  },
  {
    case: 'a field of the wrong type',
    body: { temperature: -1 },
    is: OpenAI.BadRequestError,
    shape: { status: 400, param: 'temperature' },
  },
  {
    case: 'an invalid option of freelm',
    body: { freelm: { maxAttempts: 0 } },
    is: OpenAI.BadRequestError,
    shape: { status: 400, param: 'freelm.maxAttempts' },
  },
  {
    case: 'an unknown model',
    body: { model: 'nobody/has-this' },
    is: OpenAI.NotFoundError,
    shape: { status: 404, code: 'model_not_found', param: 'model' },
    cause: NoProvidersAvailableError,
  },
  {
    case: 'a spent quota',
    provider: { rpd: 1 },
    calls: 1,
    is: OpenAI.RateLimitError,
    shape: { status: 429, code: 'no_providers_available', type: 'rate_limit_error' },
    cause: NoProvidersAvailableError,
  },
  {
    case: 'an outage',
    fault: { kind: 'outage' },
    is: OpenAI.InternalServerError,
    shape: { status: 503, code: 'no_providers_available', type: 'server_error' },
    cause: NoProvidersAvailableError,
  },
  {
    case: 'a provider that does not answer',
    fault: { kind: 'hang' },
    body: { freelm: { timeoutMs: 50 } },
    is: OpenAI.APIConnectionTimeoutError,
    shape: { status: undefined },
    cause: DeadlineError,
  },
];

describe('a call that fails', () => {
  const byCase = failures.map((failure) => [failure.case, failure] as const);

  it.each(byCase)('by %s', async (_case, { fault, provider, calls, body, is, shape, cause }) => {
    const { client, world } = await compatClient({ provider });
    for (let done = 0; done < (calls ?? 0); done += 1) await client.chat.completions.create(HELLO);
    if (fault !== undefined) world.custom.script(fault);
    const error = await errorOf(client.chat.completions.create({ ...HELLO, ...body }));
    expect(error).toBeInstanceOf(is);
    expect(error).toMatchObject(shape);
    if (cause === undefined) expect(error).not.toHaveProperty('cause');
    else expect(error.cause).toBeInstanceOf(cause);
  });

  it.each(byCase)('by %s, as a stream', async (_case, { fault, provider, calls, body, is, shape }) => {
    const { client, world } = await compatClient({ provider });
    for (let done = 0; done < (calls ?? 0); done += 1) await client.chat.completions.create(HELLO);
    if (fault !== undefined) world.custom.script(fault);
    const error = await errorOf(client.chat.completions.create({ ...HELLO, ...body, stream: true }));
    expect(error).toBeInstanceOf(is);
    expect(error).toMatchObject(shape);
  });

  it('has retry-after when the quota is spent', async () => {
    const { client } = await compatClient({ provider: { rpm: 1 } });
    await client.chat.completions.create(HELLO);
    const error = await errorOf(client.chat.completions.create(HELLO));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(
      error instanceof OpenAI.RateLimitError && Number(error.headers.get('retry-after')),
    ).toBeGreaterThan(0);
  });

  it('shows no key, however it is printed', async () => {
    const { client, world } = await compatClient({ client: { apiKey: 'sk-of-the-caller' } });
    const [key = ''] = world.custom.keys;
    world.custom.script({ kind: 'echo-key' });
    const error = await errorOf(client.chat.completions.create(HELLO));
    const shown = [
      inspect(error, { depth: 9, showHidden: true }),
      JSON.stringify(error),
      inspect(client, { depth: 9, showHidden: true }),
    ].join('\n');
    expect(key).not.toBe('');
    expect(shown).not.toContain(key);
    expect(shown).not.toContain('sk-of-the-caller');
  });

  it('because its pool is closed', async () => {
    const { client, llm } = await compatClient();
    await llm.close();
    const error = await errorOf(client.chat.completions.create(HELLO));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ status: 503, code: 'closed', cause: { code: 'closed' } });
  });

  it('because its body cannot be serialised', async () => {
    const { client } = await compatClient();
    const parameters: Record<string, unknown> = {};
    parameters['self'] = parameters;
    const tool = { type: 'function', function: { name: 'f', parameters } } as const;
    const error = await errorOf(client.chat.completions.create({ ...HELLO, tools: [tool] }));
    expect(error).toBeInstanceOf(OpenAI.APIConnectionError);
    expect(error.message).toContain('circular');
    expect(error.cause).toBeInstanceOf(TypeError);
  });
});

describe('a stream that breaks', () => {
  it("throws the pool's error", async () => {
    const { client, world } = await compatClient();
    world.custom.script({ kind: 'cut', afterTokens: 2 });
    const stream = await client.chat.completions.create({
      ...HELLO,
      stream: true,
      freelm: { onCut: 'fail' },
    });
    const texts: string[] = [];
    const error = await errorOf(async () => {
      for await (const { choices } of stream) texts.push(choices[0]?.delta.content ?? '');
    });
    expect(texts.join('')).toBe('You said:');
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ status: undefined, code: 'broken_stream', type: 'server_error' });
    expect(error.cause).toBeInstanceOf(BrokenStreamError);
    expect(stream.controller.signal.aborted).toBe(true);
  });
});

describe('the constructor', () => {
  it('names the variables of the keys that are missing', async () => {
    for (const name of Object.keys(process.env)) if (/_KEYS?$/.test(name)) vi.stubEnv(name, '');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const error = await errorOf(() => new OpenAI({ apiKey: 'sk-of-openai' }));
    expect(error).toBeInstanceOf(OpenAI.OpenAIError);
    expect(error.message).toContain('OPENROUTER_API_KEY');
    expect(error.cause).toBeInstanceOf(ConfigError);
  });

  it('names the option that is invalid', () => {
    expect(() => new OpenAI({ freelm: { providers: [] } })).toThrow(/options\.providers: must not be empty/);
  });
});
