/** Arbitrary answers of a provider: chats, streams, refusals and lists of models, most of them almost right. */

import fc from '../support/fast-check.ts';
import { hostileText, hostileValue, junk, keyValue, mutants, often } from './hostile-json.ts';
import { type Doc, type Piece, Written } from './piece.ts';

/** An answer as it goes over the wire. */
export interface HostileAnswer {
  readonly status: string;
  /** `<key>` in a value stands for the key that was sent. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Piece;
  readonly framing: 'length' | 'chunked' | 'close' | 'short';
  /** What happens after the last byte: an end, a reset, or nothing for as long as the client waits. */
  readonly ending: 'end' | 'reset' | 'hang';
  /** In how many writes the body is sent. */
  readonly writes: number;
}

/** What a provider answers to the requests of one case. The answers to chats are used in turn. */
export interface Script {
  readonly chats: readonly HostileAnswer[];
  readonly list: HostileAnswer;
}

const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, cost: 0 };
const CALLS = [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }];

const completions = fc.constantFrom<Doc[]>(
  {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: USAGE,
  },
  {
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, tool_calls: CALLS, reasoning: 'I see.' },
        finish_reason: 'tool_calls',
      },
    ],
  },
  { choices: [{ message: { content: [{ type: 'text', text: 'Hello' }] }, finish_reason: 'length' }] },
);

const chunk = (delta: Doc, finish: string | null = null): Doc => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const chunks = fc.constantFrom<Doc[]>(
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Hello ' }),
  chunk({ content: 'world.' }),
  chunk({ reasoning_content: 'I see.' }),
  chunk({ tool_calls: CALLS }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }),
  chunk({ citations: ['a'] }),
  chunk({}, 'stop'),
  { choices: [], usage: USAGE },
);

const withKey = new Written(['"Incorrect API key provided: ', { key: true }, '. Find yours at /keys."']);
const refusals = fc.constantFrom<Doc[]>(
  { error: { message: withKey, code: 401 } },
  { error: { message: 'Provider returned error', code: 429, metadata: { raw: withKey } } },
  { detail: withKey },
  {
    error: {
      message: 'Rate limit exceeded: free-models-per-min.',
      code: 429,
      metadata: { headers: { 'X-RateLimit-Reset': '1' } },
    },
  },
  {
    error: {
      message: 'Invalid API key',
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  },
  [
    {
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: 'Quota',
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' }],
      },
    },
  ],
  { detail: [{ loc: ['body', 'messages'], msg: 'field required' }] },
  { message: 'temperature: must be at most 1', object: 'error' },
);

const ids = fc.oneof(hostileText, fc.constantFrom('a/b:free', 'models/gemini-3.8-flash', 'org/model-8b'));
const lists: fc.Arbitrary<Doc> = fc
  .array(
    fc.record({
      id: ids,
      name: hostileText,
      context_length: fc.nat(),
      pricing: fc.constant<Doc>({ prompt: '0', completion: '0' }),
    }),
    {
      maxLength: 5,
    },
  )
  .map((data) => ({ object: 'list', data }));

/** Values that stand where no text of the model belongs. */
/** Lists of models that give the key away. */
const listsWithKey = fc.constantFrom<Doc[]>(
  {
    data: [{ id: new Written(['"a/', { key: true }, ':free"']), pricing: { prompt: '0', completion: '0' } }],
  },
  {
    data: [
      {
        id: 'a/b:free',
        name: new Written(['"', { key: true }, '"']),
        pricing: { prompt: '0', completion: '0' },
      },
    ],
  },
);

const valueOrKey = fc.oneof({ weight: 4, arbitrary: hostileValue }, { weight: 1, arbitrary: keyValue });

const LINE_ENDS = ['\n\n', '\r\n\r\n', '\r\r', '\n', ''];
/** An event, or what stands between events. */
const frame: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom('data: ', 'data:'),
        mutants(chunks),
        fc.constantFrom('\n\n', '\n\n', ...LINE_ENDS),
      )
      .map(([prefix, json, end]): Piece => [prefix, json, end]),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Piece[]>(
      'data: [DONE]\n\n',
      ': OPENROUTER PROCESSING\n\n',
      'event: error\ndata: {"error":{"message":"overloaded","code":503}}\n\n',
      ['data: {"error":{"message":"key ', { key: true }, '"}}\n\n'],
      'data\n\n',
      'retry: 1\nid: 7\n\n',
      '\uFEFFdata: {}\n\n',
      'data: {"choices":\ndata: []}\n\n',
      { hex: '646174613a20ff0a0a' },
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          ':\n',
          'data:\n',
          '\r',
          'x',
          'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
          'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":#,"function":{"name":"f","arguments":"{}"}}]}}]}\n\n',
          'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"x#":1,"function":{"arguments":" "}}]}}]}\n\n',
          'data: {"choices":[{"index":0,"delta":{"field#":"x"}}]}\n\n',
          'data: {"choices":[{"index":#,"delta":{"content":"a"}}]}\n\n',
        ),
        often(1_000_000),
      )
      .map(([count, times]): Piece => ({
        count,
        times: Math.min(times, Math.floor(8_000_000 / count.length)),
      })),
  },
);
const stream: fc.Arbitrary<Piece> = fc
  .tuple(
    fc.array(frame, { minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      '',
      'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    ),
  )
  .map(([frames, end]): Piece => [...frames, end]);

const JSON_TYPE = ['content-type', 'application/json'] as const;
const EVENTS_TYPE = ['content-type', 'text/event-stream'] as const;
const oddHeader = fc.oneof(
  fc.constantFrom<(readonly [string, string])[]>(
    ['content-encoding', 'gzip'],
    ['content-encoding', 'br, gzip, deflate'],
    ['content-type', 'text/html'],
    ['location', 'http://127.0.0.1:1/?key=<key>'],
    ['www-authenticate', 'Bearer <key>'],
    ['x-request-id', '<key>'],
    ['set-cookie', 'a=b'],
    ['x-padding', 'x'.repeat(20_000)],
  ),
  fc.tuple(
    fc.constantFrom(
      'retry-after',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-limit-requests',
      'x-ratelimit-reset-requests',
      'x-ratelimit-reset',
      'x-request-id',
      'date',
    ),
    fc.oneof(
      fc.constantFrom(
        '0',
        '1',
        '-1',
        '1e9',
        'NaN',
        '99999999999999999999',
        '1s',
        '2m59.56s',
        'Thu, 01 Jan 1970 00:00:00 GMT',
      ),
      hostileText,
    ),
  ),
);
const headers = fc.oneof(
  { weight: 4, arbitrary: fc.constant<(readonly [string, string])[]>([]) },
  { weight: 1, arbitrary: fc.array(oddHeader, { minLength: 1, maxLength: 3 }) },
);

/** How an answer is framed and ends. */
const delivery = fc.record({
  framing: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('length' as const, 'chunked' as const) },
    { weight: 1, arbitrary: fc.constantFrom('close' as const, 'short' as const) },
  ),
  ending: fc.oneof(
    { weight: 20, arbitrary: fc.constant('end' as const) },
    { weight: 2, arbitrary: fc.constant('reset' as const) },
    { weight: 1, arbitrary: fc.constant('hang' as const) },
  ),
  writes: fc.constantFrom(1, 1, 2, 7, 40),
});

function answerWith(
  status: fc.Arbitrary<string>,
  type: readonly [string, string],
  body: fc.Arbitrary<Piece>,
): fc.Arbitrary<HostileAnswer> {
  return fc
    .tuple(status, headers, body, delivery)
    .map(([code, odd, piece, how]) => ({ status: code, headers: [type, ...odd], body: piece, ...how }));
}

const ok = fc.oneof(
  { weight: 20, arbitrary: fc.constant('200 OK') },
  { weight: 1, arbitrary: fc.constantFrom('201 Created', '204 No Content', '206 Partial') },
);
const notOk = fc.constantFrom(
  '400 Bad',
  '401 Unauthorized',
  '402 Pay',
  '403 Forbidden',
  '404 Not Found',
  '413 Large',
  '422 Bad',
  '429 Slow',
  '500 Oops',
  '503 Busy',
  '529 Busy',
  '307 Moved',
  '304 Same',
  '100 Continue',
  '999 What',
  '0 Zero',
);

const chat = fc.oneof(
  { weight: 3, arbitrary: answerWith(ok, JSON_TYPE, mutants(completions)) },
  { weight: 5, arbitrary: answerWith(ok, EVENTS_TYPE, stream) },
  { weight: 3, arbitrary: answerWith(notOk, JSON_TYPE, mutants(refusals, valueOrKey)) },
  { weight: 1, arbitrary: answerWith(fc.oneof(ok, notOk), JSON_TYPE, junk) },
);

const list = fc.oneof(
  {
    weight: 4,
    arbitrary: answerWith(ok, JSON_TYPE, mutants(fc.oneof(lists, lists, listsWithKey), valueOrKey)),
  },
  { weight: 1, arbitrary: answerWith(fc.oneof(ok, notOk), JSON_TYPE, junk) },
);

export const script: fc.Arbitrary<Script> = fc.record({
  chats: fc.array(chat, { minLength: 1, maxLength: 3 }),
  list,
});
