import { describe, expect, it } from 'vitest';
import { BadRequestError, type FreeLLM, NoProvidersAvailableError } from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { bodyOf, completion, type Handler, json, posted, serve } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const THOUGHTS = 'Let me see. ';

/** How a server tells a model's thoughts. */
const FORMS: Readonly<Record<string, (text: string) => object>> = {
  'a field reasoning': (content) => ({ content, reasoning: THOUGHTS }),
  'a field reasoning_content': (content) => ({ content, reasoning_content: THOUGHTS }),
  reasoning_details: (content) => ({
    content,
    reasoning_details: [{ type: 'reasoning.text', text: THOUGHTS }],
  }),
  'parts of the content': (text) => ({
    content: [
      { type: 'thinking', thinking: [{ type: 'text', text: THOUGHTS }] },
      { type: 'text', text },
    ],
  }),
  'a tag think': (text) => ({ content: `<think>${THOUGHTS}${text === '' ? '' : `</think>\n\n${text}`}` }),
  'a tag [THINK]': (text) => ({ content: `[THINK]${THOUGHTS}${text === '' ? '' : `[/THINK]${text}`}` }),
};

/** Sends a message, whole or as a stream. */
function sends(message: object, finish: string): Handler {
  return (request, response) => {
    const choice = { index: 0, finish_reason: finish };
    if (bodyOf(request)['stream'] !== true)
      return json(response, { ...completion(''), choices: [{ ...choice, message }] });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify({ choices: [{ ...choice, delta: message }] })}\n\ndata: [DONE]\n\n`);
  };
}

/** The same question, whole and streamed. */
function ways(llm: FreeLLM, options = {}) {
  return [() => llm.chat('Why?', options), () => llm.stream('Why?', options).response()] as const;
}

describe.each(Object.entries(FORMS))('thoughts in %s', (_, form) => {
  it('are the reasoning of an answer, and no part of its text', async () => {
    const server = await serve(sends(form('So.'), 'stop'));
    for (const ask of ways(open({ providers: [endpoint(server)] }))) {
      const { text, reasoning } = await ask();
      expect({ text, reasoning }).toEqual({ text: 'So.', reasoning: THOUGHTS });
    }
    expect.assertions(2);
  });

  it('that used up all tokens lead to the same model with more room, and the attempts say so', async () => {
    const server = await serve((request, response) => {
      const hasRoom = bodyOf(request)['max_tokens'] !== undefined;
      sends(form(hasRoom ? 'So.' : ''), hasRoom ? 'stop' : 'length')(request, response);
    });
    for (const index of [0, 1] as const) {
      const ask = ways(open({ providers: [endpoint(server)] }))[index];
      const { text, attempts } = await ask();
      expect(text).toBe('So.');
      expect(attempts.map(({ outcome }) => outcome)).toEqual(['unsupported', 'success']);
      expect(attempts[0]?.message).toMatch(/used up its tokens before its first word/);
    }
  });

  it("respect the caller's max_tokens: another model is asked, else the error says what to raise", async () => {
    const first = await serve(sends(form(''), 'length'));
    const second = await serve(sends(form('So.'), 'stop'));
    const options = { max_tokens: 50 };
    const both = [endpoint(first, { name: 'first' }), endpoint(second, { name: 'second' })];
    for (const ask of ways(open({ providers: both, strategy: 'priority' }), options))
      expect((await ask()).text).toBe('So.');
    for (const ask of ways(open({ providers: [endpoint(first)] }), options)) {
      const error = await errorOf(ask());
      expect(error instanceof BadRequestError || error instanceof NoProvidersAvailableError).toBe(true);
      expect(error.message).toMatch(/raise max_tokens, which is 50/i);
    }
    expect(new Set(posted(first).map((body) => body['max_tokens']))).toEqual(new Set([50]));
  });
});
