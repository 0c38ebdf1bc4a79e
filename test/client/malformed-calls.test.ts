import { describe, expect, it } from 'vitest';
import { BadRequestError, ConfigError } from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { says, serve, type TestServer } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const hello = { role: 'user', content: 'Hello' };

const circular: Record<string, unknown> = { role: 'user', content: 'Hello' };
circular['self'] = circular;

/** A pool that must not send anything, and what a call of it fails with. */
async function refused(
  call: readonly [input: unknown, options?: unknown],
): Promise<Error & { server: TestServer }> {
  const server = await serve(says('this must not be asked for'));
  const llm = open({ providers: [endpoint(server)] });
  // @ts-expect-error -- what plain JavaScript can pass
  const error = await errorOf(llm.chat(...call));
  // @ts-expect-error -- the same
  expect((await errorOf(llm.text(...call))).message).toBe(error.message);
  return Object.assign(error, { server });
}

describe('messages', () => {
  const cases: readonly (readonly [string, unknown, string | RegExp])[] = [
    ['nothing', undefined, 'messages: must be a text, a message or a list of messages.'],
    ['null', null, 'messages: must be a text, a message or a list of messages.'],
    ['a number', 42, 'messages: must be a text'],
    ['a boolean', true, 'messages: must be a text'],
    ['a function', () => 'Hello', 'messages: must be a text'],
    ['an empty list', [], 'messages: must not be empty.'],
    ['a list of texts', ['Hello'], 'messages[0]: must be a message { role, content }.'],
    ['a list with a hole', [hello, undefined], 'messages[1]: must be a message'],
    ['a list in a list', [[hello]], 'messages[0]: must be a message'],
    [
      'an unknown role',
      [hello, { role: 'robot', content: 'Hello' }],
      'messages[1].role: must be system, developer, user',
    ],
    ['a role of another case', { role: 'User', content: 'Hello' }, 'messages[0].role: must be'],
    ['no role', { content: 'Hello' }, 'messages[0].role: must be'],
    ['an empty object', {}, 'messages[0].role: must be'],
    ['a role of null', { role: null, content: 'Hello' }, 'messages[0].role: must be'],
    [
      'a content that is a number',
      { role: 'user', content: 42 },
      'messages[0].content: must be a string or a list',
    ],
    [
      'a content that is an object',
      { role: 'user', content: { text: 'Hello' } },
      'messages[0].content: must be',
    ],
    ['no parts', { role: 'user', content: [] }, 'messages[0].content: must have at least one part.'],
    ['parts without a type', { role: 'user', content: [{ text: 'Hello' }] }, 'messages[0].content'],
    ['parts that are texts', { role: 'user', content: ['Hello'] }, 'messages[0].content'],
    [
      'tool calls that are no list',
      { role: 'assistant', tool_calls: {} },
      'messages[0].tool_calls: must be a list',
    ],
    [
      'a name that is a number',
      { role: 'user', content: 'Hello', name: 7 },
      'messages[0].name: must be a string',
    ],
    [
      'a tool_call_id that is a number',
      { role: 'tool', content: '', tool_call_id: 7 },
      'messages[0].tool_call_id',
    ],
    ['a circle', circular, /messages\[0\].*JSON.*circular/i],
    [
      'a BigInt',
      [hello, { role: 'user', content: [{ type: 'text', text: 'a', size: 1n }] }],
      /messages\[1\].*JSON.*BigInt/,
    ],
    [
      'a toJSON that throws',
      {
        ...hello,
        toJSON: () => {
          throw new Error('no');
        },
      },
      /messages\[0\].*JSON: no/,
    ],
  ];
  it.each(cases)('%s', async (_what, messages, message) => {
    const error = await refused([messages]);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({
      code: 'bad_request',
      attempts: [],
      message: expect.stringMatching(/^.{10,400}$/s) as unknown,
    });
    if (typeof message === 'string') expect(error.message).toContain(message);
    else expect(error.message).toMatch(message);
    expect(error.server.connections).toBe(0);
  });

  it.each([
    [
      'one of 50 MB',
      [hello, { role: 'user', content: 'x'.repeat(50_000_000) }],
      /^messages\[1\] is 500000\d\d characters long/,
    ],
    [
      'many that are too long together',
      Array.from({ length: 25 }, () => ({ ...hello, content: 'x'.repeat(1e6) })),
      /and the request 250\d+;/,
    ],
  ])('%s: refused at once, naming the longest', async (_what, messages, message) => {
    const error = await refused([messages]);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('at most 20000000 are sent');
    expect(error.message.length).toBeLessThan(300);
    expect(error.server.connections).toBe(0);
  });
});

describe('options of a call', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'options: must be an object'],
    ['fast', 'options: must be an object'],
    [42, 'options: must be an object'],
    [{ tempreature: 1 }, 'options has no option "tempreature"'],
    [{ messages: [] }, 'options has no option "messages"'],
    [
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 1])),
      'options has no option "k0", "k1", "k2", "k3", "k4" and 45 others.',
    ],
    [{ ['a'.repeat(1000)]: 1 }, `options has no option "${'a'.repeat(100)}…".`],
    [
      { logit_bias: { ['a'.repeat(1000)]: 'x' } },
      `options.logit_bias.${'a'.repeat(100)}…: must be a number.`,
    ],
    [{ model: 'a\nb' }, 'options.model: is no name of a model'],
    [{ model: Array.from({ length: 101 }, () => 'm') }, 'options.model: must name at most 100 models.'],
    [{ maxTokens: 5, timeout: 1 }, 'options has no option "maxTokens", "timeout"'],
    [{ stream: true }, 'options.stream: leave it out'],
    [{ model: '' }, 'options.model: must not be empty'],
    [{ model: [] }, 'options.model: must name at least one model'],
    [{ model: ['auto', 5] }, 'options.model: must be a model name'],
    [{ model: null }, 'options.model: must be a model name'],
    [{ temperature: -1 }, 'options.temperature: must not be negative'],
    [{ temperature: Number.NaN }, 'options.temperature: must be a number'],
    [{ temperature: '1' }, 'options.temperature: must be a number'],
    [{ temperature: 1n }, 'options.temperature: must be a number'],
    [{ top_p: -0.1 }, 'options.top_p: must not be negative'],
    [{ max_tokens: 0 }, 'options.max_tokens: must be at least 1'],
    [{ max_tokens: -5 }, 'options.max_tokens: must be at least 1'],
    [{ max_tokens: 1.5 }, 'options.max_tokens: must be a whole number'],
    [{ max_tokens: Infinity }, 'options.max_tokens: must be a whole number'],
    [{ max_completion_tokens: -1 }, 'options.max_completion_tokens: must be at least 1'],
    [{ n: 0 }, 'options.n: must be at least 1'],
    [{ seed: 0.5 }, 'options.seed: must be a whole number'],
    [{ stop: 5 }, 'options.stop: must be a string or a list of strings'],
    [{ stop: [5] }, 'options.stop: must be a string or a list of strings'],
    [{ user: 5 }, 'options.user: must be a string'],
    [{ tools: {} }, 'options.tools: must be a list of tools'],
    [{ tools: [{}] }, 'options.tools[0].type: must be a string'],
    [{ logprobs: 'yes' }, 'options.logprobs: must be true or false'],
    [{ logit_bias: { 5: 'much' } }, 'options.logit_bias'],
    [{ parallel_tool_calls: 1 }, 'options.parallel_tool_calls: must be true or false'],
    [{ timeoutMs: 0 }, 'options.timeoutMs: must be greater than 0'],
    [{ timeoutMs: -1 }, 'options.timeoutMs: must be greater than 0'],
    [{ timeoutMs: '20s' }, 'options.timeoutMs: must be a number of milliseconds'],
    [{ timeoutMs: Infinity }, 'options.timeoutMs: must be a number of milliseconds'],
    [{ timeoutMs: 1e12 }, 'options.timeoutMs: must be at most 2147483647 (about 24 days)'],
    [{ attemptTimeoutMs: -1 }, 'options.attemptTimeoutMs: must be greater than 0'],
    [{ maxAttempts: 0 }, 'options.maxAttempts: must be at least 1'],
    [{ maxAttempts: 1.5 }, 'options.maxAttempts: must be a whole number'],
    [{ maxWaitMs: -1 }, 'options.maxWaitMs: must not be negative'],
    [{ maxWaitMs: 1e12 }, 'options.maxWaitMs: must be at most 2147483647 (about 24 days)'],
    [{ wait: 'long' }, 'options.wait: must be true or false'],
    [{ signal: true }, 'options.signal: must be an AbortSignal'],
    [{ signal: new AbortController() }, 'options.signal: must be an AbortSignal'],
    [{ extraBody: [] }, 'options.extraBody: must be an object'],
    [{ extraBody: 'x' }, 'options.extraBody: must be an object'],
    [{ extraBody: { stream: true } }, 'options.extraBody.stream: leave it out'],
  ];
  it.each(cases)('%o', async (options, message) => {
    const error = await refused(['Hello', options]);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'config' });
    expect(error.message).toContain(message);
    expect(error.server.connections).toBe(0);
  });

  it.each([
    ['extraBody', { extraBody: { circular } }],
    ['extraBody', { extraBody: { size: 1n } }],
    ['response_format', { response_format: circular }],
    ['tools', { tools: [{ type: 'function', function: circular }] }],
  ])('%s that cannot be written as JSON is named', async (name, options) => {
    const error = await refused(['Hello', options]);
    expect(error.message).toMatch(new RegExp(`^options\\.${name}\\S* cannot be written as JSON`));
    expect(error.server.connections).toBe(0);
  });
});

it('valid input is sent', async () => {
  const server = await serve(says('fine'));
  const llm = open({ providers: [endpoint(server)] });
  const inputs = [
    'Hello',
    { role: 'user', content: 'Hello' },
    [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
    ],
    [
      { role: 'assistant', content: null, tool_calls: [{ id: 'a' }] },
      { role: 'tool', tool_call_id: 'a', content: '4' },
    ],
  ] as const;
  for (const input of inputs) expect(await llm.text(input)).toBe('fine');
  expect(
    await llm.text('Hello', {
      temperature: 0,
      presence_penalty: -1,
      seed: -5,
      maxWaitMs: 0,
      timeoutMs: 0.5e4,
    }),
  ).toBe('fine');
});
