import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BrokenStreamError } from '../../src/errors.ts';
import { fetchOver } from '../../src/rest/fetch.ts';
import { restHandler } from '../../src/rest/handler.ts';
import type { StreamPart } from '../../src/wire/response/stream-part.ts';
import { MESSAGES, NOW, freelmHeaders, scripted } from './support.ts';

const BODY = { messages: MESSAGES, stream: true };
const FINISH: StreamPart = { type: 'finish', reason: 'stop' };
const USAGE: StreamPart = { type: 'usage', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } };

function chunk(delta: object, finishReason: string | null = null, more = ''): string {
  return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":${NOW / 1000},"model":"z-ai/glm-5.3","choices":[{"index":0,"delta":${JSON.stringify(delta)},"logprobs":null,"finish_reason":${JSON.stringify(finishReason)}}]${more}}\n\n`;
}
const OPENING = { role: 'assistant', content: '', refusal: null };
const DONE = 'data: [DONE]\n\n';

describe('a stream, byte for byte', () => {
  const cases: readonly (readonly [what: string, parts: readonly (StreamPart | Error)[], bytes: string])[] = [
    [
      'of text',
      [{ type: 'text', text: 'Hel' }, { type: 'text', text: 'lö', resumed: true }, USAGE, FINISH],
      chunk(OPENING) + chunk({ content: 'Hel' }) + chunk({ content: 'lö' }) + chunk({}, 'stop') + DONE,
    ],
    [
      'of reasoning and text',
      [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'Yes' },
        { type: 'finish', reason: 'length' },
      ],
      chunk(OPENING) +
        chunk({ reasoning_content: 'Hm' }) +
        chunk({ content: 'Yes' }) +
        chunk({}, 'length') +
        DONE,
    ],
    [
      'of tool calls, each announced once',
      [
        { type: 'tool-call', index: 0, id: 'a', name: 'f', argumentsDelta: '{"x"' },
        { type: 'tool-call', index: 1, id: 'b', name: 'g', argumentsDelta: '', extra: { extra_content: 1 } },
        { type: 'tool-call', index: 0, id: 'a', name: 'f', argumentsDelta: ':1}' },
        { type: 'finish', reason: 'tool_calls' },
      ],
      chunk(OPENING) +
        chunk({
          tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x"' } }],
        }) +
        chunk({
          tool_calls: [
            { index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' }, extra_content: 1 },
          ],
        }) +
        chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }) +
        chunk({}, 'tool_calls') +
        DONE,
    ],
    ['without content', [FINISH], chunk(OPENING) + chunk({}, 'stop') + DONE],
    [
      'that breaks after its start: an error, and no [DONE]',
      [{ type: 'text', text: 'Hel' }, new BrokenStreamError('It broke.', [])],
      `${chunk(OPENING)}${chunk({ content: 'Hel' })}data: {"error":{"message":"It broke.","type":"server_error","param":null,"code":"broken_stream"}}\n\n`,
    ],
  ];

  it.each(cases)('%s', async (_what, parts, bytes) => {
    const response = await scripted({ parts }).post(BODY);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    expect(freelmHeaders(response)).toEqual({
      'x-freelm-provider': 'nim',
      'x-freelm-model': 'z-ai/glm-5.3',
      'x-freelm-attempts': '1',
    });
    expect(await response.text()).toBe(bytes);
  });

  it('with usage if it is requested', async () => {
    const parts = [{ type: 'text', text: 'Hi' }, USAGE, FINISH] as const;
    const response = await scripted({ parts }).post({ ...BODY, stream_options: { include_usage: true } });
    const none = ',"usage":null';
    const cost = '"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}';
    const last = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":${NOW / 1000},"model":"z-ai/glm-5.3","choices":[],${cost}}\n\n`;
    expect(await response.text()).toBe(
      chunk(OPENING, null, none) +
        chunk({ content: 'Hi' }, null, none) +
        chunk({}, 'stop', none) +
        last +
        DONE,
    );
  });

  it('without usage if the provider reports none', async () => {
    const response = await scripted().post({ ...BODY, stream_options: { include_usage: true } });
    expect(await response.text()).not.toContain('"choices":[]');
  });
});

const LONG: readonly StreamPart[] = Array.from({ length: 1000 }, (_, index) => ({
  type: 'text',
  text: String(index),
}));

describe('the consumer of a stream', () => {
  it('sets the pace: only the first part is read ahead', async () => {
    const { post, streams } = scripted({ parts: LONG });
    const reader = (await post(BODY)).body?.getReader();
    await nextTurn();
    expect(streams[0]?.taken).toBe(1);
    await reader?.read();
    await reader?.read();
    await nextTurn();
    expect(streams[0]?.taken).toBe(2);
  });

  it('aborts the request by cancelling, which ends the parts', async () => {
    const { post, streams } = scripted({ parts: LONG });
    const response = await post(BODY);
    await response.body?.cancel('enough');
    expect(streams).toMatchObject([{ aborted: ['enough'], ended: true, taken: 1 }]);
  });

  it('can cancel while a part is pending', async () => {
    const controller = new AbortController();
    const handler = restHandler(
      {
        ownNames: [],
        countTokens: () => 8,
        windowOf: () => undefined,
        takesAnyModel: false,
        chat: () => Promise.reject(new Error('unused')),
        embed: () => Promise.reject(new Error('not asked')),
        models: () => Promise.resolve([]),
        stream: () => ({
          route: undefined,
          async *parts() {
            yield { type: 'text', text: 'Hi' };
            await new Promise((_resolve, reject) => {
              controller.signal.addEventListener('abort', () => reject(new Error('aborted')));
            });
          },
          abort: () => controller.abort(),
        }),
      },
      { now: () => NOW, newId: () => '1', warn: () => undefined, redact: (text) => text },
    );
    const { body } = await fetchOver(handler)('/chat/completions', {
      method: 'POST',
      body: JSON.stringify(BODY),
    });
    const reader = body?.getReader();
    await reader?.read();
    const pending = reader?.read();
    await reader?.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(controller.signal.aborted).toBe(true);
  });
});

const request = (signal: AbortSignal): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(BODY),
  signal,
});

describe("the caller's signal", () => {
  const reason = new Error('aborted by the user');

  it('rejects with its reason if it is already aborted, and calls nothing', async () => {
    const { fetch, calls } = scripted();
    await expect(fetch('/chat/completions', request(AbortSignal.abort(reason)))).rejects.toBe(reason);
    expect(calls).toEqual([]);
  });

  it('rejects with its reason if it ends a call', async () => {
    const controller = new AbortController();
    const { fetch } = scripted({ parts: [new Error('the error of an aborted call')] });
    const answer = fetch('/chat/completions', request(controller.signal));
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });

  it('ends a started body with its reason', async () => {
    const controller = new AbortController();
    const { fetch } = scripted({ parts: [{ type: 'text', text: 'Hi' }, new Error('stopped')] });
    const response = await fetch('/chat/completions', request(controller.signal));
    controller.abort(reason);
    await expect(response.text()).rejects.toBe(reason);
  });

  it('ends an unread body with its reason', async () => {
    const controller = new AbortController();
    const { fetch } = scripted({ parts: [{ type: 'text', text: 'Hi' }] });
    const { body } = await fetch('/chat/completions', request(controller.signal));
    controller.abort(reason);
    await expect(body?.getReader().read()).rejects.toBe(reason);
  });
});
