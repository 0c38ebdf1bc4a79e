/** A stream that breaks after words with no route left: every face reports a broken stream with what arrived. */

import { describe, expect, it } from 'vitest';
import { OpenAI } from '../../src/compat.ts';
import {
  BrokenStreamError,
  CallError,
  DeadlineError,
  errorFromResponse,
  type FreeLLM,
  type FreeLLMEvent,
  type FreeLLMOptions,
  NoProvidersAvailableError,
} from '../../src/index.ts';
import { rejection } from '../support/rejection.ts';
import { type Handler, json, serve } from '../support/server.ts';
import { ask, gatewayOver } from '../gateway/support.ts';
import { endpoint, open } from './support.ts';

const WORDS = 'Once upon a time there was';
const FIRST = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { role: 'assistant', content: WORDS } }] })}\n\n`;
const BODY = { model: 'auto', stream: true, messages: [{ role: 'user', content: 'a story' }] };

/** A pool of one endpoint, which breaks its first answer after some words and then does as `later` says. */
async function broken(later: Handler, options: Partial<FreeLLMOptions> = {}): Promise<FreeLLM> {
  const server = await serve((request, response) => {
    if (server.requests.length > 1) later(request, response);
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(FIRST);
  });
  return open({ providers: [endpoint(server)], timeoutMs: 5000, maxAttempts: 2, ...options });
}

async function read(parts: AsyncIterable<unknown>): Promise<void> {
  for await (const part of parts) void part;
}

const resets: Handler = (_request, response) => void response.destroy();
const refuses: Handler = (_request, response) =>
  json(response, { error: { message: 'Invalid value for messages[1].', code: 'invalid_value' } }, 400);
const isTooLong: Handler = (_request, response) =>
  json(response, { error: { message: 'too long', code: 'context_length_exceeded' } }, 400);

describe('the rest of a broken stream', () => {
  it.each([
    ['is reset', resets, CallError],
    ['is refused', refuses, Error],
    ['is too long', isTooLong, Error],
    ['does not come before timeoutMs', () => undefined, DeadlineError],
  ] as const)('%s', async (_how, later, cause) => {
    const events: FreeLLMEvent[] = [];
    const llm = await broken(later, { timeoutMs: 2500, onEvent: (event) => events.push(event) });
    const stream = llm.stream('a story');
    const error = await rejection(read(stream));
    expect(error).toBeInstanceOf(BrokenStreamError);
    expect(error).toMatchObject({ code: 'broken_stream', partial: { text: WORDS, toolCalls: [] } });
    expect(error instanceof Error && error.cause).toBeInstanceOf(cause);
    expect(await rejection(stream.response())).toBe(error);
    expect(events.at(-1)).toMatchObject({ type: 'call-end', code: 'broken_stream' });
  });

  it('that had only reasoning has the usual error', async () => {
    const thought = { choices: [{ index: 0, delta: { role: 'assistant', reasoning_content: 'Hm.' } }] };
    const server = await serve((request, response) => {
      if (server.requests.length > 1) resets(request, response);
      else
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(`data: ${JSON.stringify(thought)}\n\n`);
    });
    const llm = open({ providers: [endpoint(server)], maxAttempts: 2 });
    expect(await rejection(read(llm.stream('a story')))).toBeInstanceOf(NoProvidersAvailableError);
    expect(server.requests).toHaveLength(2);
  });

  it('that never began has the usual error', async () => {
    const server = await serve(resets);
    const llm = open({ providers: [endpoint(server)], maxAttempts: 1 });
    expect(await rejection(read(llm.stream('a story')))).toBeInstanceOf(NoProvidersAvailableError);
  });
});

describe('what arrived is known', () => {
  it('from the parts and the response', async () => {
    const parts = (await broken(resets)).stream('a story').parts();
    expect(await rejection(read(parts))).toMatchObject({ partial: { text: WORDS } });
    const whole = (await broken(resets)).stream('a story').response();
    expect(await rejection(whole)).toMatchObject({ code: 'broken_stream', partial: { text: WORDS } });
  });

  it('from llm.fetch', async () => {
    const llm = await broken(resets);
    const response = await llm.fetch('http://any/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(BODY),
    });
    expect(await response.text()).toContain('"code":"broken_stream"');
    expect(errorFromResponse(response)).toMatchObject({ partial: { text: WORDS } });
  });

  it('from the SDK of freelm/compat', async () => {
    const client = new OpenAI({ freelm: await broken(resets) });
    const stream = await client.chat.completions.create({
      ...BODY,
      stream: true,
      messages: [{ role: 'user', content: 'a story' }],
    });
    const error = await rejection(read(stream));
    expect(error).toMatchObject({ code: 'broken_stream', cause: { partial: { text: WORDS } } });
  });

  it('from freelm serve', async () => {
    const gateway = await gatewayOver(await broken(resets));
    const { text } = await ask(gateway, { path: '/v1/chat/completions', body: JSON.stringify(BODY) });
    expect(text).toContain(WORDS);
    expect(text).toContain('"code":"broken_stream"');
  });
});
