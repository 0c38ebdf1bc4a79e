import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { servedPool, FACES } from './served-pool.ts';
import { sdkClient } from './sdk-client.ts';
import { describeClient } from './table.ts';

describeClient('openai', {
  make: ({ fetch, baseUrl }) => sdkClient(new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch })),
  lacks: {},
});

interface Asking {
  readonly model: string;
  readonly messages: [OpenAI.ChatCompletionUserMessageParam];
}

function asking(content: string): Asking {
  return { model: 'auto', messages: [{ role: 'user', content }] };
}

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
});
