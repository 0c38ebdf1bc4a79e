/** Refusals of the endpoint itself, in the words of the Messages API. */

import { describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/index.ts';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { temporaryFolder } from '../client/support.ts';
import { ask, gatewayOver, type Sent } from './support.ts';

const PATH = '/v1/messages';
const body = JSON.stringify({ max_tokens: 5, messages: [{ role: 'user', content: 'Hello there' }] });

function pool(): FreeLLM {
  const nobody = new OpenAICompatible(['k'], {
    name: 'a',
    baseUrl: 'http://127.0.0.1:9',
    models: [{ id: 'm' }],
  });
  return new FreeLLM({ providers: [nobody], cacheDir: temporaryFolder(), persist: false });
}

interface Row {
  readonly name: string;
  readonly sent: Sent;
  readonly options?: GatewayOptions;
  readonly status: number;
  readonly type: string;
  readonly code: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'no token',
    sent: { path: PATH, body },
    options: { token: 'a-token' },
    status: 401,
    type: 'authentication_error',
    code: 'invalid_api_key',
  },
  {
    name: 'no token, for the count of tokens',
    sent: { path: `${PATH}/count_tokens`, body },
    options: { token: 'a-token' },
    status: 401,
    type: 'authentication_error',
    code: 'invalid_api_key',
  },
  {
    name: 'a body that is too long',
    sent: { path: PATH, body },
    options: { maxBodyBytes: 20 },
    status: 413,
    type: 'request_too_large',
    code: 'request_too_large',
  },
  {
    name: 'a body that is no JSON',
    sent: { path: PATH, body, headers: { 'content-type': 'text/plain' } },
    status: 415,
    type: 'invalid_request_error',
    code: 'unsupported_media_type',
  },
  {
    name: 'a page of another origin',
    sent: { path: PATH, body, headers: { origin: 'https://evil.example' } },
    status: 403,
    type: 'permission_error',
    code: 'origin_not_allowed',
  },
  {
    name: 'another path, for a client that names a version of the API',
    sent: { path: '/v1/batches', body, headers: { 'anthropic-version': '2023-06-01' } },
    status: 404,
    type: 'not_found_error',
    code: 'unknown_url',
  },
];

describe('the Messages API over HTTP', () => {
  it.each(ROWS.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const llm = pool();
    const gateway = await gatewayOver(llm, row.options);
    const { status, headers, text } = await ask(gateway, row.sent);
    expect(status).toBe(row.status);
    expect(headers['x-should-retry']).toBe('false');
    expect(JSON.parse(text)).toMatchObject({
      type: 'error',
      error: { type: row.type, details: { error_code: row.code } },
    });
    await llm.close();
  });
});
