import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { responsesClient } from './responses-client.ts';
import { FACES, SAYINGS, servedPool } from './served-pool.ts';
import { describeClient } from './table.ts';

describeClient('openai.responses', {
  make: ({ fetch, baseUrl }) => responsesClient(new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch })),
  lacks: {},
  tooLong: [400, undefined],
});

const ANSWER = z.object({ answer: z.string() });

describe.each(FACES)("the SDK's helpers for responses over %s", (face) => {
  async function responses(): Promise<OpenAI['responses']> {
    const { fetch, baseUrl } = (await servedPool(face)).place;
    return new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch }).responses;
  }

  it('stream() assembles the pieces', async () => {
    const stream = (await responses()).stream({ model: 'auto', input: 'Hello' });
    let heard = '';
    stream.on('response.output_text.delta', ({ delta }) => (heard += delta));
    expect((await stream.finalResponse()).output_text).toBe('You said: Hello');
    expect(heard).toBe('You said: Hello');
  });

  it('parse() reads an object of a schema, whole and streamed', async () => {
    const api = await responses();
    const body = {
      model: 'auto',
      input: SAYINGS.json,
      text: { format: zodTextFormat(ANSWER, 'answer') },
    };
    expect((await api.parse(body)).output_parsed).toEqual({ answer: 'forty-two' });
    expect((await api.stream(body).finalResponse()).output_parsed).toEqual({ answer: 'forty-two' });
  });

  it('answers are kept, continued, and deleted', async () => {
    const { place, heard } = await servedPool(face);
    const api = new OpenAI({ apiKey: 'none', baseURL: place.baseUrl, fetch: place.fetch }).responses;
    const first = await api.create({ model: 'auto', input: 'Hello', instructions: 'Be brief.' });
    const second = await api
      .stream({ model: 'auto', input: 'Again', previous_response_id: first.id })
      .finalResponse();
    await api.create({ model: 'auto', input: 'And again', previous_response_id: second.id });
    expect(heard.at(-1)?.['messages']).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'You said: Hello' },
      { role: 'user', content: 'Again' },
      { role: 'assistant', content: 'You said: Again' },
      { role: 'user', content: 'And again' },
    ]);
    expect((await api.retrieve(second.id)).output_text).toBe('You said: Again');
    await api.delete(second.id);
    await expect(api.retrieve(second.id)).rejects.toMatchObject({ status: 404 });
    const lost = { model: 'auto', input: 'x', previous_response_id: second.id };
    await expect(api.create(lost)).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
    });
  });
});
