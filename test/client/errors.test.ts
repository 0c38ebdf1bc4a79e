import { describe, expect, it } from 'vitest';
import {
  BadRequestError,
  CallError,
  ConfigError,
  ContentBlockedError,
  DeadlineError,
  type FreeLLM,
  FreeLLMError,
  NoProvidersAvailableError,
} from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { hangs, json, says, serve, type Handler } from '../support/server.ts';
import { aNumber, endpoint, open, providersOf, textLike, world } from './support.ts';

/** What a call of a pool over one server fails with. */
async function failure(handler: Handler, call: Parameters<FreeLLM['chat']>[1] = {}): Promise<Error> {
  const llm = open({ providers: [endpoint(await serve(handler), { keys: 'sk-mine-0123456789abcdef9f2c' })] });
  return errorOf(llm.chat('Hello', call));
}

const refuses =
  (status: number, message: string): Handler =>
  (_request, response) => {
    json(response, { error: { message } }, status);
  };

describe('an error of this library', () => {
  const errors: readonly (readonly [FreeLLMError, string, string, readonly unknown[]])[] = [
    [new ConfigError('m'), 'ConfigError', 'config', []],
    [new BadRequestError({ message: 'm' }), 'BadRequestError', 'bad_request', [CallError]],
    [
      new BadRequestError({ message: 'm', code: 'unsupported' }),
      'BadRequestError',
      'unsupported',
      [CallError],
    ],
    [new ContentBlockedError('m', []), 'ContentBlockedError', 'content_blocked', [CallError]],
    [new DeadlineError(5, []), 'DeadlineError', 'deadline', [CallError]],
    [
      new NoProvidersAvailableError({ message: 'm', attempts: [], keys: [], readyAt: undefined }),
      'NoProvidersAvailableError',
      'no_providers_available',
      [CallError],
    ],
  ];
  it.each(errors)('%s has a name, a code, and its place among errors', (error, name, code, also) => {
    expect(error).toMatchObject({ name, code });
    for (const Kind of [Error, FreeLLMError, ...also]) expect(error).toBeInstanceOf(Kind);
    expect(error.toString()).toMatch(new RegExp(`^${name}: `));
    expect(error.stack).toContain(name);
    expect(Object.keys(error)).not.toContain('name');
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name, code, message: error.message });
    expect(FreeLLMError.is(error)).toBe(true);
  });

  it('is recognised across copies of the library, and no other error is', () => {
    const foreign = Object.defineProperty(new Error('of another copy'), Symbol.for('freelm.error'), {
      value: true,
    });
    expect(FreeLLMError.is(foreign)).toBe(true);
    expect(foreign).not.toBeInstanceOf(FreeLLMError);
    for (const value of [new Error('e'), { code: 'config' }, 'freelm.error', null, undefined, 5])
      expect(FreeLLMError.is(value)).toBe(false);
  });

  it('keeps its cause, if it has one', () => {
    const cause = new Error('the cause');
    expect(new ConfigError('m', cause).cause).toBe(cause);
    expect('cause' in new ConfigError('m')).toBe(false);
  });
});

describe('BadRequestError', () => {
  it('names the provider that refused the request, and why', async () => {
    const error = await failure(refuses(400, 'messages.0.content: too odd'));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({
      code: 'bad_request',
      status: 400,
      message:
        'A model rejected the request. mine m (HTTP 400): messages.0.content: too odd. No second model could be asked. Correct the request, or add providers or models.',
      attempts: [{ provider: 'mine', model: 'm', outcome: 'rejected', status: 400 }],
    });
  });

  it('says that the request is too long for every model', async () => {
    const error = await failure(refuses(400, "This model's maximum context length is 10 tokens."));
    expect(error).toMatchObject({ name: 'BadRequestError', code: 'context_too_long', status: 400 });
    expect(error.message).toMatch(
      /^No model for auto accepts this request of \d+ characters\. .*maximum context length is 10/,
    );
    expect(error.message).toMatch(/Shorten it, or choose other models\.$/);
  });

  it('says, before anything is sent, that the request has more tokens than a minute allows', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server, { tpm: 1000 })] });
    const error = await errorOf(llm.chat('word '.repeat(5000)));
    expect(error).toMatchObject({ name: 'BadRequestError', code: 'context_too_long', attempts: [] });
    expect(error.message).toMatch(
      /^No model for auto accepts this request of 25\d{3} characters\. It is known/,
    );
    expect(server.requests).toEqual([]);
    expect(await llm.text('Hello')).toBe('fine');
  });
});

describe('ContentBlockedError', () => {
  it('is thrown when every provider refused the content', async () => {
    const simulated = await world({
      openrouter: { faults: [{ kind: 'moderated' }] },
      google: { faults: [{ kind: 'content-filter' }] },
    });
    const [openrouter, google] = providersOf(simulated);
    const error = await errorOf(open({ providers: [openrouter, google] }).chat('Hello'));
    expect(error).toBeInstanceOf(ContentBlockedError);
    expect(error).toMatchObject({
      code: 'content_blocked',
      attempts: [{ outcome: 'content_blocked' }, { outcome: 'content_blocked' }],
    });
    expect(error.message).toMatch(
      /^Every provider that could serve auto refused the content\. The last one said: /,
    );
  });
});

describe('DeadlineError', () => {
  it('says how long it took and what to do', async () => {
    const error = await failure(hangs, { timeoutMs: 60 });
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({
      code: 'deadline',
      timeoutMs: 60,
      message: textLike(
        /^No answer within timeoutMs = 60 ms \(1 attempt\)\. Raise timeoutMs, or lower attemptTimeoutMs/,
      ),
      attempts: [{ outcome: 'timeout', message: textLike(/^no complete answer within \d+ ms$/) }],
    });
  });
});

describe('NoProvidersAvailableError', () => {
  it('says when the next route is ready and why each key is not', async () => {
    const now = Date.now();
    const error = await failure((_request, response) => {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '90' });
      response.end(JSON.stringify({ error: { message: 'Slow down, please' } }));
    });
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(error).toMatchObject({
      code: 'no_providers_available',
      readyAt: aNumber,
      attempts: [{ outcome: 'rate_limited', status: 429, message: 'Slow down, please', retryAt: aNumber }],
      keys: [
        { provider: 'mine', key: 'sk-min…9f2c', readyAt: aNumber, reason: 'rate-limited by the provider' },
      ],
    });
    const readyAt = error instanceof NoProvidersAvailableError ? (error.readyAt ?? 0) : 0;
    expect(readyAt).toBeGreaterThanOrEqual(now + 90_000);
    expect(readyAt).toBeLessThan(now + 100_000);
    const [first = '', ...rows] = error.message.split('\n');
    expect(first).toContain(
      'No route could serve auto. 1 attempt failed, the last at mine m (rate_limited, HTTP 429: Slow down, please).',
    );
    expect(first).toContain(`The next route is ready in 90 s, at ${new Date(readyAt).toISOString()}.`);
    expect(first).toContain('Pass wait: true to wait for it, or add keys or providers.');
    expect(rows).toEqual(['  mine sk-min…9f2c: rate-limited by the provider; ready in 90 s']);
  });

  it('says that maxAttempts was reached', async () => {
    const error = await failure(refuses(500, 'oops'), { maxAttempts: 1 });
    expect(error.message).toContain('The call stopped at maxAttempts = 1.');
  });

  it('counts the keys that it does not show', async () => {
    const server = await serve(refuses(401, 'Invalid API key'));
    const keys = Array.from({ length: 11 }, (_, index) => `key-number-${index}`);
    const error = await errorOf(open({ providers: [endpoint(server, { keys })] }).chat('Hello'));
    expect(error).toMatchObject({ keys: { length: 11 }, attempts: { length: 11 } });
    expect(error.message.match(/the key was refused as invalid/g)).toHaveLength(8);
    expect(error.message).toMatch(/\n {2}and 3 more keys$/);
  });

  it('says that nothing was sent', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server, { rpm: 1 })] });
    await llm.text('Hello');
    const error = await errorOf(llm.text('Hello'));
    expect(error).toMatchObject({ attempts: [] });
    expect(error.message).toMatch(
      /^No route could serve auto\. Nothing was sent\. The next route is ready in \d\d s, at /,
    );
    expect(error.message).toContain("this minute's quota is used up");
  });

  it('has all its fields in JSON', async () => {
    const error = await failure(refuses(503, 'down for maintenance'), { maxAttempts: 1 });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'NoProvidersAvailableError',
      code: 'no_providers_available',
      message: error.message,
      readyAt: aNumber,
      attempts: [
        {
          provider: 'mine',
          key: 'sk-min…9f2c',
          account: textLike(/^[0-9a-f]{16}$/),
          model: 'm',
          outcome: textLike(/^(server_error|model_busy)$/),
          message: 'down for maintenance',
          status: 503,
          startedAt: aNumber,
          latencyMs: aNumber,
        },
      ],
      keys: [{ provider: 'mine', key: 'sk-min…9f2c', readyAt: aNumber, reason: textLike(/./) }],
    });
  });
});
