import { describe, expect, it } from 'vitest';
import {
  type AttemptReport,
  BadRequestError,
  BrokenStreamError,
  ConfigError,
  ContentBlockedError,
  DeadlineError,
  FreeLLMError,
  type KeyReport,
  ModelNotFoundError,
  NoProvidersAvailableError,
} from '../../src/errors.ts';
import { MESSAGES, NOW, freelmHeaders, scripted } from './support.ts';

const ATTEMPT: AttemptReport = {
  provider: 'nim',
  key: 'nvapi-…1234',
  account: 'a',
  model: 'm',
  outcome: 'server_error',
  startedAt: NOW,
  latencyMs: 1,
};

function none(waitMs: number | undefined, ...kinds: readonly KeyReport['kind'][]): Error {
  const readyAt = waitMs === undefined ? undefined : NOW + waitMs;
  const keys = kinds.map((kind) => ({ provider: 'nim', key: 'nvapi-…1234', readyAt, reason: '', kind }));
  return new NoProvidersAvailableError({ message: 'None.', attempts: [ATTEMPT], keys, readyAt });
}

type Row = readonly [
  what: string,
  error: unknown,
  status: number,
  shape: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
];

const NO = { 'x-should-retry': 'false' };
const ONE = { 'x-freelm-attempts': '1' };
const NONE_SENT = { 'x-freelm-attempts': '0' };
const REQUEST = 'invalid_request_error';

const TABLE: readonly Row[] = [
  [
    'an invalid message',
    new BadRequestError({ message: 'messages[1].role: must be user.' }),
    400,
    { type: REQUEST, param: 'messages[1].role', code: 'bad_request' },
    { ...NO, ...NONE_SENT },
  ],
  [
    'a request that a provider refuses',
    new BadRequestError({
      message: 'nim refused the request (HTTP 422): no',
      attempts: [ATTEMPT],
      status: 422,
    }),
    400,
    { type: REQUEST, param: null, code: 'bad_request' },
    { ...NO, ...ONE },
  ],
  [
    'a request that no model supports',
    new BadRequestError({ message: 'No.', code: 'unsupported' }),
    400,
    { type: REQUEST, param: null, code: 'unsupported' },
    { ...NO, ...NONE_SENT },
  ],
  [
    'a text too long for every model',
    new BadRequestError({ message: 'Too long.', code: 'context_too_long' }),
    400,
    { type: REQUEST, param: null, code: 'context_length_exceeded' },
    { ...NO, ...NONE_SENT },
  ],
  [
    'content that every provider refuses',
    new ContentBlockedError('No.', [ATTEMPT]),
    400,
    { type: REQUEST, param: null, code: 'content_filter' },
    { ...NO, ...ONE },
  ],
  [
    'an invalid option',
    new ConfigError('options.top_p: must be a number.'),
    400,
    { type: REQUEST, param: 'top_p', code: 'invalid_value', message: 'top_p: must be a number.' },
    NO,
  ],
  [
    'an unknown or paid model',
    new ModelNotFoundError('gpt-4o', 'No provider has "gpt-4o".'),
    404,
    { type: REQUEST, param: 'model', code: 'model_not_found' },
    NO,
  ],
  [
    'a model that is gone at every provider',
    none(21_600_000, 'model_gone', 'model_gone'),
    404,
    { type: REQUEST, param: 'model', code: 'model_not_found' },
    { ...NO, ...ONE },
  ],
  [
    'a quota that resets soon',
    none(1500, 'server_error', 'minute_quota_spent'),
    429,
    { type: 'rate_limit_error', param: null, code: 'no_providers_available' },
    { 'retry-after': '2', ...ONE },
  ],
  [
    'a quota that resets now',
    none(0, 'rate_limited'),
    429,
    { type: 'rate_limit_error', code: 'no_providers_available' },
    { 'retry-after': '1', ...ONE },
  ],
  [
    'a quota that resets too late for a retry',
    none(61_000, 'day_quota_spent'),
    429,
    { type: 'rate_limit_error', code: 'no_providers_available' },
    { 'retry-after': '61', ...NO, ...ONE },
  ],
  [
    'failing providers',
    none(60_000, 'server_error', undefined),
    503,
    { type: 'server_error', param: null, code: 'no_providers_available' },
    { 'retry-after': '60', ...ONE },
  ],
  [
    'an error that waiting cannot fix',
    none(undefined, 'unauthorized'),
    503,
    { type: 'server_error', code: 'no_providers_available' },
    { ...NO, ...ONE },
  ],
  ['a deadline', new DeadlineError(60_000, [ATTEMPT]), 504, { type: 'server_error', code: 'timeout' }, ONE],
  [
    'a broken answer',
    new BrokenStreamError('Broke.', [ATTEMPT]),
    502,
    { type: 'server_error', code: 'broken_stream' },
    ONE,
  ],
  [
    'a closed pool',
    new FreeLLMError({ code: 'closed', message: 'Closed.' }),
    503,
    { type: 'server_error', code: 'closed' },
    NO,
  ],
  [
    'an unexpected error, without keys',
    new TypeError('sk-secret is not a function'),
    500,
    { type: 'server_error', param: null, code: 'unexpected', message: 'Unexpected: … is not a function' },
    NO,
  ],
];

describe.each(TABLE)('%s', (...[, error, status, shape, headers]) => {
  const given = error instanceof Error ? error : new Error('none');

  it(`is a ${status}`, async () => {
    const response = await scripted({ answer: given }).post({ messages: MESSAGES });
    const body: unknown = await response.json();
    expect(response.status).toBe(status);
    expect(body).toMatchObject({ error: shape });
    expect(freelmHeaders(response)).toEqual(headers);
    expect(Object.keys(body ?? {})).toEqual(['error']);
  });

  it('is the same for a stream before its first part', async () => {
    const plain = await scripted({ answer: given }).post({ messages: MESSAGES });
    const streamed = await scripted({ parts: [given] }).post({ messages: MESSAGES, stream: true });
    expect([streamed.status, await streamed.text(), [...streamed.headers]]).toEqual([
      plain.status,
      await plain.text(),
      [...plain.headers],
    ]);
  });
});
