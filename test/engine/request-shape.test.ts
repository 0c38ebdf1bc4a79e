import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import type { ModelRecord } from '../../src/core/records/provider.ts';
import type { Target } from '../../src/core/routing/question.ts';
import { tokensOf } from '../../src/engine/attempt.ts';
import { AttemptTimer } from '../../src/engine/attempt-timer.ts';
import { chatOperation } from '../../src/engine/chat.ts';
import { chatStreamOperation, type StreamRequest } from '../../src/engine/chat-stream.ts';
import { Transcript } from '../../src/engine/resumer.ts';
import type { AttemptPlan, StreamOperation, WholeOperation } from '../../src/engine/operation.ts';
import { CLOSED } from '../../src/core/circuit-breaker.ts';
import type { HttpResponse } from '../../src/ports.ts';
import { Provider } from '../../src/providers/provider.ts';
import { SPECS } from '../../src/providers/spec.ts';
import { VirtualClock } from '../../src/testing.ts';
import { chatBody } from '../../src/wire/request/chat-body.ts';
import type { ChatMessage } from '../../src/wire/request/chat-request.ts';
import type { TokenUsage } from '../../src/wire/response/token-usage.ts';
import { simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';

const roles = ({ transport }: SimulatedPool): readonly unknown[] =>
  transport.sent.map(({ body }) =>
    z
      .array(z.looseObject({ role: z.string() }))
      .parse(body['messages'])
      .map(({ role }) => role),
  );

const SYSTEM = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
] as const;
const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
const PARALLEL = [
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: '', tool_calls: [call('a'), call('b')] },
  { role: 'tool', tool_call_id: 'a', content: '1' },
  { role: 'tool', tool_call_id: 'b', content: '2' },
] as const;

const lacking = (lacks: 'system' | 'parallel-tools'): SimulatedPool =>
  simulatedPool({
    strategy: 'priority',
    nim: { accounts: [['n-1']], models: [{ id: 'm/first', lacks: [lacks] }, 'm/second'] },
  });

describe('a message that a model refuses in one form', () => {
  it('is sent once more to the same route in another form, and in that form from then on', async () => {
    const pool = lacking('system');
    for (const _ of [1, 2]) await pool.llm.chat(SYSTEM);
    expect(pool.routes()).toEqual(['n-1 m/first', 'n-1 m/first', 'n-1 m/first']);
    expect(roles(pool)).toEqual([['system', 'user'], ['user'], ['user']]);
    expect(pool.transport.sent.at(-1)?.body['messages']).toEqual([
      { role: 'user', content: 'Be brief.\n\nHello' },
    ]);
  });

  it('costs nothing for a call that does not need the other form', async () => {
    const pool = lacking('system');
    await pool.llm.chat('Hello');
    expect(pool.requests()).toBe(1);
  });

  it('works for parallel tool calls, too', async () => {
    const pool = lacking('parallel-tools');
    await pool.llm.chat(PARALLEL);
    const [first, second] = roles(pool);
    expect(first).toEqual(['user', 'assistant', 'tool', 'tool']);
    expect(second).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool']);
    expect(pool.routes()).toEqual(['n-1 m/first', 'n-1 m/first']);
  });

  it('sends the call to the next model if the other form is refused, too', async () => {
    const pool = lacking('system');
    pool.transport.network = {
      answer: ({ model }) =>
        model === 'm/first' ? { status: 500, body: '{"detail":"System role not supported"}' } : undefined,
    };
    await pool.llm.chat(SYSTEM);
    expect(pool.routes()).toEqual(['n-1 m/first', 'n-1 m/first', 'n-1 m/second']);
  });
});

describe("a limit on the answer's length that was refused under one name", () => {
  it('is sent under the other', async () => {
    const pool = simulatedPool({ openrouter: { accounts: [['or-1']] } });
    const said = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.";
    pool.transport.network = {
      answer: ({ body }) =>
        body['max_tokens'] === undefined
          ? undefined
          : { status: 400, body: JSON.stringify({ error: { message: said, code: 400 } }) },
    };
    await pool.llm.chat('Hello', { max_tokens: 50 });
    const sent = pool.transport.sent.map(({ body }) => [body['max_tokens'], body['max_completion_tokens']]);
    expect(sent).toEqual([
      [50, undefined],
      [undefined, 50],
    ]);
  });
});

/** The operations of a pool of one provider, and a route to it. */
function operations(name: keyof typeof SPECS) {
  const provider = new Provider('Provider', SPECS[name], 'a-key', { baseUrl: 'https://example.com' });
  const ports = {
    clock: new VirtualClock(0),
    images: { fetch: () => Promise.reject(new Error('none')), close: () => undefined },
    userAgent: 'test',
    providerOf: () => provider,
    redact: (text: string) => text,
    checkOf: () => undefined,
    toolCallIds: () => (index: number) => `call_${index}`,
  };
  const account = provider.accounts[0];
  if (account === undefined) throw new Error('a provider has an account');
  const [keyId = ''] = account.keyIds;
  const target: Target = {
    route: { provider: provider.name, account: account.id, keyId, model: 'm' },
    provider: {
      name: provider.name,
      index: 0,
      priority: 0,
      recordId: '',
      accounts: [account],
      trip: () => undefined,
    },
    account,
    model: { id: 'm' },
  };
  const chat = chatOperation(ports);
  return { target, chat, stream: chatStreamOperation(ports, chat) };
}

const KNOWN: ModelRecord = { breaker: CLOSED };

/** A stream that has handed out so much of its answer. */
function streamOf(messages: readonly ChatMessage[], text: string): StreamRequest {
  const transcript = new Transcript();
  if (text !== '') transcript.add({ type: 'text', text });
  return { body: chatBody({ messages, fields: { stream: true } }), onCut: 'continue', transcript };
}

function planFor(target: Target, known: ModelRecord = KNOWN): AttemptPlan {
  return { target, known, alternatives: false, plain: false, maxTokens: undefined };
}

function messagesIn(text: string | undefined): unknown {
  return z.object({ messages: z.unknown() }).parse(JSON.parse(text ?? '{}')).messages;
}

describe('a stream that another route continues', () => {
  it('is written in the form that its provider accepts', () => {
    const { target, stream } = operations('cloudflare');
    const conversation = [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'developer', content: 'Be brief.' },
    ] as const;
    const { body } = stream.encode(streamOf(conversation, 'Good mor'), planFor(target));
    expect(messagesIn(body)).toMatchObject([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good mor' },
      { role: 'user' },
    ]);
  });

  it('goes to the same route once more if only the form of the request was refused', () => {
    const { target, stream } = operations('openrouter');
    const failure = { kind: 'unsupported', scope: 'model', message: '', capabilities: ['prefill'] } as const;
    const begun = streamOf([{ role: 'user', content: 'Hello' }], 'Good mor');
    const without = { ...KNOWN, lacks: ['prefill'] };
    expect(stream.canDoWithout(begun, failure, planFor(target))).toBe(true);
    expect(stream.canDoWithout(begun, failure, planFor(target, without))).toBe(false);
    const roleOf = (known: ModelRecord): unknown =>
      z
        .array(z.looseObject({}))
        .parse(messagesIn(stream.encode(begun, planFor(target, known)).body))
        .at(-1);
    expect(roleOf(KNOWN)).toMatchObject({ role: 'assistant' });
    expect(roleOf(without)).toMatchObject({ role: 'user' });
  });
});

function answerOf(body: string): HttpResponse {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new TextEncoder().encode(body));
  }
  return { status: 200, headers: {}, body: bytes() };
}

/** What an answer is read as, and the usage that it reports. */
async function decoded<Request, Part>(
  operation: WholeOperation<Request, Part> | StreamOperation<Request, Part>,
  request: Request,
  body: string,
): Promise<{
  readonly parts: readonly Part[];
  readonly usages: readonly TokenUsage[];
  readonly error: unknown;
}> {
  const { target } = operations('nim');
  const plan = {
    target,
    alternatives: false,
    known: { breaker: CLOSED },
    plain: false,
    maxTokens: undefined,
  };
  const usages: TokenUsage[] = [];
  const timeouts = { firstMs: 1000, idleMs: 1000, capMs: 1000, deadline: Number.POSITIVE_INFINITY };
  const timer = new AttemptTimer(new VirtualClock(0), timeouts, undefined, 0);
  const onUsage = (spent: TokenUsage): number => usages.push(spent);
  const parts: Part[] = [];
  const context = { plan, request, timer, onUsage };
  try {
    if ('read' in operation) parts.push(await operation.read(answerOf(body), context));
    else for await (const part of operation.decode(answerOf(body), context)) parts.push(part);
  } catch (error) {
    return { parts, usages, error };
  }
  return { parts, usages, error: undefined };
}

describe('the tokens of an attempt', () => {
  const usage = { promptTokens: 10, completionTokens: 5, totalTokens: 18 };
  const wired = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 18 };
  const message = { role: 'assistant', content: 'Hi' };
  const chunk = { choices: [{ delta: { content: 'Hi' }, finish_reason: 'stop' }] };

  const plain = (own: object): string =>
    JSON.stringify({ choices: [{ message, finish_reason: 'stop' }], ...own });
  const events = (own: object): string => `data: ${JSON.stringify({ ...chunk, ...own })}\n\ndata: [DONE]\n\n`;

  it('are those of the prompt, and the total', async () => {
    const { chat, stream } = operations('nim');
    const request = chatBody({ messages: [], fields: {} });
    expect((await decoded(chat, request, plain({ usage: wired }))).usages).toEqual([usage]);
    expect((await decoded(stream, streamOf([], ''), events({ usage: wired }))).usages).toEqual([usage]);
    expect(tokensOf(usage)).toEqual({ input: 10, total: 18 });
  });

  it('are its own, without those of earlier attempts', async () => {
    const { stream } = operations('nim');
    const request = streamOf([], 'Good mor');
    request.transcript.usage = { promptTokens: 4, completionTokens: 2, totalTokens: 6 };
    const { parts, usages } = await decoded(stream, request, events({ usage: wired }));
    expect(usages).toEqual([usage]);
    expect(parts.flat()).toContainEqual({
      type: 'usage',
      usage: { promptTokens: 14, completionTokens: 7, totalTokens: 24 },
    });
  });

  it('are reported for a broken stream, too', async () => {
    const { stream } = operations('nim');
    const request = streamOf([], '');
    const broken = `data: ${JSON.stringify({ choices: [{ delta: { content: 'Hi' } }], usage: wired })}\n\n`;
    const { usages, error } = await decoded(stream, request, broken);
    expect(String(error)).toContain('without a finish reason');
    expect(usages).toEqual([usage]);
    expect(request.transcript.usage).toEqual(usage);
  });

  it('are unknown where the provider does not report them', async () => {
    const { chat, stream } = operations('nim');
    const request = chatBody({ messages: [], fields: {} });
    expect((await decoded(chat, request, plain({}))).usages).toEqual([]);
    expect((await decoded(stream, streamOf([], ''), events({}))).usages).toEqual([]);
    expect(tokensOf({ promptTokens: 0, completionTokens: 0, totalTokens: 0 })).toEqual({});
  });
});
