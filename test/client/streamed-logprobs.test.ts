/** Probabilities of tokens in streams. */

import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { member } from '../../src/core/json.ts';
import { bodyOf, posted, serve, type TestServer } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hello' }];

function tokenOf(token: string): { token: string; logprob: number; bytes: null; top_logprobs: [] } {
  return { token, logprob: -0.5, bytes: null, top_logprobs: [] };
}

/** A provider whose chunks have probabilities, if they are asked for. With `cut`, the first stream ends in its middle. */
async function provider(cut = false): Promise<TestServer> {
  let requests = 0;
  return serve((request, response) => {
    requests += 1;
    const wanted = bodyOf(request)['logprobs'] === true;
    const chunk = (content: string, reason: string | null = null): string => {
      const logprobs = wanted && content !== '' ? { content: [tokenOf(content)], refusal: null } : null;
      const choice = { index: 0, delta: { content }, logprobs, finish_reason: reason };
      return `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
    };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (cut && requests === 1) {
      response.write(chunk('one two three '), () => response.destroy());
      return;
    }
    response.end(
      `${chunk(cut ? 'four' : 'Hel')}${chunk(cut ? ' five' : 'lo')}${chunk('', 'stop')}data: [DONE]\n\n`,
    );
  });
}

describe('a stream', () => {
  it('has the probabilities that the model gives', async () => {
    const server = await provider();
    const { fetch } = open({ providers: [endpoint(server)] });
    const { completions } = new OpenAI({ apiKey: 'any', fetch }).chat;
    const stream = completions.stream({ model: 'auto', messages: MESSAGES, logprobs: true, top_logprobs: 2 });
    const [choice] = (await stream.finalChatCompletion()).choices;
    expect(choice?.message.content).toBe('Hello');
    expect(choice?.logprobs?.content).toEqual([tokenOf('Hel'), tokenOf('lo')]);
    expect(posted(server)[0]).toMatchObject({ logprobs: true, top_logprobs: 2 });
  });

  it('has none that nobody asked for', async () => {
    const { fetch } = open({ providers: [endpoint(await provider())] });
    const body = JSON.stringify({ model: 'auto', messages: MESSAGES, stream: true });
    const text = await (await fetch('/v1/chat/completions', { method: 'POST', body })).text();
    expect(text).not.toContain('"logprobs":{');
  });

  it('has them as parts for a program', async () => {
    const llm = open({ providers: [endpoint(await provider())] });
    const parts: unknown[] = [];
    for await (const part of llm.stream('Hello', { extraBody: { logprobs: true } }).parts())
      if (part.type === 'logprobs') parts.push(...part.content);
    expect(parts).toEqual([tokenOf('Hel'), tokenOf('lo')]);
  });

  it("has them in the lines of Ollama's API", async () => {
    const { fetch } = open({ providers: [endpoint(await provider())] });
    const body = JSON.stringify({ model: 'auto', messages: MESSAGES, logprobs: true });
    const text = await (await fetch('/api/chat', { method: 'POST', body })).text();
    const found = text
      .trimEnd()
      .split('\n')
      .flatMap((line): unknown => member(JSON.parse(line), 'logprobs') ?? []);
    expect(found).toEqual([tokenOf('Hel'), tokenOf('lo')]);
  });

  it('that another attempt goes on with has those of the first one only', async () => {
    const { fetch } = open({ providers: [endpoint(await provider(true))] });
    const body = JSON.stringify({ model: 'auto', messages: MESSAGES, stream: true, logprobs: true });
    const text = await (await fetch('/v1/chat/completions', { method: 'POST', body })).text();
    const tokens = [...text.matchAll(/"token":"([^"]*)"/g)].map(([, token]) => token);
    expect(tokens).toEqual(['one two three ']);
    expect(text).toContain('[DONE]');
  });
});
