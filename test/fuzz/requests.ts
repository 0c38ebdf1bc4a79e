/** Arbitrary requests to the server, most of them almost right. */

import fc from '../support/fast-check.ts';
import { hostileText, hostileValue, junk, mutants } from './hostile-json.ts';
import { bytesOf, type Doc, type Piece } from './piece.ts';
import { PROTOCOLS } from './protocols.ts';

/** A request as it goes over the wire. */
export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Piece;
  /** `short` announces more bytes than it sends. */
  readonly framing: 'length' | 'chunked' | 'short' | 'none';
}

const USER = { role: 'user', content: 'Hello' };
const TOOL = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } },
};

const chats = fc.constantFrom<Doc[]>(
  { model: 'auto', messages: [USER] },
  { model: 'auto', messages: [USER], stream: true, stream_options: { include_usage: true } },
  {
    model: 'one/m',
    messages: [{ role: 'system', content: 'Be kind.' }, USER],
    temperature: 0.5,
    stop: ['a'],
  },
  { messages: [USER], tools: [TOOL], tool_choice: 'auto', logit_bias: { '1': 2 }, max_tokens: 5 },
  {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello' },
          { type: 'image_url', image_url: { url: 'data:,' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'done' },
    ],
    stream: true,
  },
  {
    messages: [USER],
    response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } },
  },
  { messages: [USER], n: 3, stream: true },
  { messages: [USER], freelm: { wait: false, maxAttempts: 2 } },
);

const paths = fc.oneof(
  { weight: 12, arbitrary: fc.constant('/v1/chat/completions') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '/',
      '/health',
      '/live',
      '/metrics',
      '/status',
      '/reset',
      '/v1/models',
      '/v1/models/auto',
      '/v1/embeddings',
      '/v1/responses/resp_0',
      '/favicon.ico',
    ),
  },
  {
    weight: 1,
    arbitrary: hostileText.map((text) => `/v1/models/${encodeURIComponent(Buffer.from(text).toString())}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '*',
      '//',
      '/%',
      '/%00',
      '/../v1/models',
      'http://[/',
      'http://elsewhere.test/v1/models',
      '/__proto__',
      '/constructor',
      `/${'a'.repeat(9000)}`,
    ),
  },
);

const JSON_TYPE = ['content-type', 'application/json'] as const;
/** A header whose value may be invalid, but that does not end the line. */
const headerText = hostileText.map((text) => text.replace(/[\r\n]/g, '').slice(0, 6000));
const oddHeader = fc.oneof(
  fc.constantFrom<(readonly [string, string])[]>(
    ['host', 'rebound.test'],
    ['host', ''],
    ['origin', 'null'],
    ['origin', 'https://elsewhere.test'],
    ['content-encoding', 'gzip'],
    ['content-type', 'text/plain'],
    ['content-type', ''],
    ['expect', '100-continue'],
    ['upgrade', 'websocket'],
    ['connection', 'upgrade'],
    ['transfer-encoding', 'gzip'],
    ['content-length', '-1'],
    ['content-length', '99999999999999999999'],
    ['authorization', 'Bearer'],
    ['x-padding', 'x'.repeat(20_000)],
  ),
  fc.tuple(
    fc.constantFrom('authorization', 'host', 'origin', 'x-request-id', 'user-agent', 'content-type'),
    headerText,
  ),
);

const methods = fc.oneof(
  { weight: 12, arbitrary: fc.constant('POST') },
  { weight: 1, arbitrary: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'CONNECT', 'PRI', 'x') },
);

type Aim = Pick<HostileRequest, 'path' | 'body'>;

/** A path, and a body that is almost one of its own or any at all. */
function aimedAt(path: fc.Arbitrary<string>, bodies: fc.Arbitrary<Doc>): fc.Arbitrary<Aim> {
  return fc.record({
    path,
    body: fc.oneof(
      { weight: 5, arbitrary: mutants(bodies) },
      { weight: 1, arbitrary: junk },
      { weight: 1, arbitrary: mutants(fc.dictionary(hostileText, hostileValue, { maxKeys: 4 })) },
    ),
  });
}

const aims = fc.oneof(
  { weight: PROTOCOLS.size, arbitrary: aimedAt(paths, chats) },
  ...[...PROTOCOLS].map(([path, bodies]) => ({
    weight: 1,
    arbitrary: aimedAt(fc.constant(path), fc.constantFrom(...bodies)),
  })),
);

export const hostileRequest: fc.Arbitrary<HostileRequest> = fc
  .record({
    method: methods,
    aim: aims,
    headers: fc
      .oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(oddHeader, { minLength: 1, maxLength: 2 }) },
      )
      .map((odd) => [JSON_TYPE, ...odd]),
    framing: fc.oneof(
      { weight: 10, arbitrary: fc.constant('length' as const) },
      { weight: 2, arbitrary: fc.constantFrom('chunked' as const, 'short' as const, 'none' as const) },
    ),
  })
  .map(({ aim, ...request }) => ({ ...request, ...aim }));

/** The head of a request. A `host` that the case names takes the place of the right one. */
function headOf({ method, path, headers, framing }: HostileRequest, length: number, host: string): string {
  const names = new Set(headers.map(([name]) => name));
  const framed = {
    length: [['content-length', String(length)]],
    short: [['content-length', String(length + 10)]],
    chunked: [['transfer-encoding', 'chunked']],
    none: [],
  }[framing];
  const all = [
    ...(names.has('host') ? [] : [['host', host]]),
    ['connection', 'close'],
    ...headers,
    ...framed,
  ];
  return `${method} ${path} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** All bytes of a request. */
export function wireOf(request: HostileRequest, host: string): readonly Buffer[] {
  const body = bytesOf(request.body);
  const head = Buffer.from(headOf(request, body.length, host), 'utf8');
  if (request.framing !== 'chunked') return [head, body];
  const chunk =
    body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')];
  return [head, ...chunk, Buffer.from('0\r\n\r\n')];
}
