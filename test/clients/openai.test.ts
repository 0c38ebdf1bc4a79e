import OpenAI from 'openai';
import type { RunnableToolFunction } from 'openai/lib/RunnableFunction';
import { describe, expect, it } from 'vitest';
import { servedPool, FACES, SAYINGS } from './served-pool.ts';
import { ANSWER_SCHEMA, cityOf, WEATHER } from './client.ts';
import { sdkClient } from './sdk-client.ts';
import { describeClient } from './table.ts';

describeClient('openai', {
  make: ({ fetch, baseUrl }) => sdkClient(new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch })),
  has: ['models', 'retries'],
});

const { name, description, schema } = WEATHER;
const TOOL: RunnableToolFunction<string> = {
  type: 'function',
  function: {
    name,
    description,
    parameters: { ...schema, required: [...schema.required] },
    function: (input) => `fine in ${cityOf(JSON.parse(input))}`,
  },
};

interface Asking {
  readonly model: string;
  readonly messages: [OpenAI.ChatCompletionUserMessageParam];
}

function asking(content: string): Asking {
  return { model: 'auto', messages: [{ role: 'user', content }] };
}

// What freelm/compat sends to the SDK for.
describe.each(FACES)("the SDK's helpers over %s", (face) => {
  async function completions(): Promise<OpenAI['chat']['completions']> {
    const { fetch, baseUrl } = (await servedPool(face)).place;
    return new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch }).chat.completions;
  }

  it('stream() assembles the pieces', async () => {
    const stream = (await completions()).stream(asking('Hello'));
    let heard = '';
    stream.on('content', (piece) => (heard += piece));
    expect(await stream.finalContent()).toBe('You said: Hello');
    expect(heard).toBe('You said: Hello');
  });

  it('parse() reads an object that matches a schema', async () => {
    const json_schema = { name: 'answer', schema: ANSWER_SCHEMA, strict: true };
    const answer = await (
      await completions()
    ).parse({ ...asking(SAYINGS.json), response_format: { type: 'json_schema', json_schema } });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ answer: 'forty-two' });
  });

  it.each([false, true])('runTools() calls them and goes on; streamed: %s', async (stream) => {
    const chats = await completions();
    const body = { ...asking(SAYINGS.weather), tools: [TOOL] };
    const runner = stream ? chats.runTools({ ...body, stream }) : chats.runTools(body);
    expect(await runner.finalContent()).toBe('It is fine in Oslo and fine in Rome.');
  });
});
